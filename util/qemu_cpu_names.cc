// SPDX-License-Identifier: GPL-2.0-or-later
// What QEMU 7.2's x86-64 processors have by name and Rhea's have not; see known_names.h.
#include "util/qemu_names.h"

namespace rhea {
namespace {

// Bits of CPUID and of model-specific registers.
constexpr std::string_view kFeatures =
    "ace2 ace2-en full-width-write intel-pt-lip kvm-hint-dedicated pcommit phe phe-en pmm "
    "pmm-en sgx-debug sgx-exinfo sgx-kss sgx-mode64 sgx-provisionkey sgx-tokenkey sgx1 sgx2 "
    "split-lock-detect vmx-activity-hlt vmx-activity-shutdown vmx-activity-wait-sipi "
    "vmx-apicv-register vmx-apicv-vid vmx-apicv-x2apic vmx-apicv-xapic vmx-cr3-load-noexit "
    "vmx-cr3-store-noexit vmx-cr8-load-exit vmx-cr8-store-exit vmx-desc-exit vmx-encls-exit "
    "vmx-entry-ia32e-mode vmx-entry-load-bndcfgs vmx-entry-load-efer vmx-entry-load-pat "
    "vmx-entry-load-perf-global-ctrl vmx-entry-load-pkrs vmx-entry-load-rtit-ctl "
    "vmx-entry-noload-debugctl vmx-ept vmx-ept-1gb vmx-ept-2mb vmx-ept-advanced-exitinfo "
    "vmx-ept-execonly vmx-eptad vmx-eptp-switching vmx-exit-ack-intr vmx-exit-clear-bndcfgs "
    "vmx-exit-clear-rtit-ctl vmx-exit-load-efer vmx-exit-load-pat "
    "vmx-exit-load-perf-global-ctrl vmx-exit-load-pkrs vmx-exit-nosave-debugctl "
    "vmx-exit-save-efer vmx-exit-save-pat vmx-exit-save-preemption-timer vmx-flexpriority "
    "vmx-hlt-exit vmx-ins-outs vmx-intr-exit vmx-invept vmx-invept-all-context "
    "vmx-invept-single-context vmx-invept-single-context-noglobals vmx-invlpg-exit "
    "vmx-invpcid-exit vmx-invvpid vmx-invvpid-all-context vmx-invvpid-single-addr "
    "vmx-io-bitmap vmx-io-exit vmx-monitor-exit vmx-movdr-exit vmx-msr-bitmap vmx-mtf "
    "vmx-mwait-exit vmx-nmi-exit vmx-page-walk-4 vmx-page-walk-5 vmx-pause-exit vmx-ple "
    "vmx-pml vmx-posted-intr vmx-preemption-timer vmx-rdpmc-exit vmx-rdrand-exit "
    "vmx-rdseed-exit vmx-rdtsc-exit vmx-rdtscp-exit vmx-secondary-ctls vmx-shadow-vmcs "
    "vmx-store-lma vmx-true-ctls vmx-tsc-offset vmx-tsc-scaling vmx-unrestricted-guest "
    "vmx-vintr-pending vmx-vmfunc vmx-vmwrite-vmexit-fields vmx-vnmi vmx-vnmi-pending "
    "vmx-vpid vmx-wbinvd-exit vmx-xsaves vmx-zero-len-inject xcrypt xcrypt-en xstore "
    "xstore-en";

constexpr std::string_view kProperties =
    "apic-id core-id die-id fill-mtrr-mask full-cpuid-auto-level host-phys-bits-limit "
    "hv-apicv hv-avic hv-crash hv-emsr-bitmap hv-enforce-cpuid hv-evmcs hv-ipi "
    "hv-no-nonarch-coresharing hv-passthrough hv-reenlightenment hv-stimer hv-stimer-direct "
    "hv-syndbg hv-synic hv-tlbflush hv-tlbflush-direct hv-tlbflush-ext hv-version-id-build "
    "hv-version-id-major hv-version-id-minor hv-version-id-sbranch hv-version-id-snumber "
    "hv-version-id-spack hv-xmm-input kvm-no-smi-migration kvm-pv-enforce-cpuid lbr-fmt "
    "level-func7 lmce min-xlevel2 node-id socket-id start-powered-off thread-id ucode-rev "
    "vmware-cpuid-freq x-force-features x-hv-max-vps x-hv-synic-kvm-only "
    "x-intel-pt-auto-level x-migrate-smi-count x-vendor-cpuid-only xlevel2";

}  // namespace

std::string_view qemu_cpu_features() { return kFeatures; }
std::string_view qemu_cpu_properties() { return kProperties; }

}  // namespace rhea
