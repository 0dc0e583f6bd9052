// SPDX-License-Identifier: GPL-2.0-or-later
// Where CPUID tells of each feature (SDM vol. 2, CPUID; AMD APM vol. 3, appendix E).
#include "target/x86/features.h"

#include <algorithm>

namespace rhea::x86 {
namespace {

using enum CpuidRegister;

constexpr std::array<FeatureRow, kFeatures> kRows = {{
    {Feature::Fpu, "fpu", 1, 0, Edx, 0},
    {Feature::Vme, "vme", 1, 0, Edx, 1},
    {Feature::De, "de", 1, 0, Edx, 2},
    {Feature::Pse, "pse", 1, 0, Edx, 3},
    {Feature::Tsc, "tsc", 1, 0, Edx, 4},
    {Feature::Msr, "msr", 1, 0, Edx, 5},
    {Feature::Pae, "pae", 1, 0, Edx, 6},
    {Feature::Mce, "mce", 1, 0, Edx, 7},
    {Feature::Cx8, "cx8", 1, 0, Edx, 8},
    {Feature::Apic, "apic", 1, 0, Edx, 9},
    {Feature::Sep, "sep", 1, 0, Edx, 11},
    {Feature::Mtrr, "mtrr", 1, 0, Edx, 12},
    {Feature::Pge, "pge", 1, 0, Edx, 13},
    {Feature::Mca, "mca", 1, 0, Edx, 14},
    {Feature::Cmov, "cmov", 1, 0, Edx, 15},
    {Feature::Pat, "pat", 1, 0, Edx, 16},
    {Feature::Pse36, "pse36", 1, 0, Edx, 17},
    {Feature::Clflush, "clflush", 1, 0, Edx, 19},
    {Feature::Mmx, "mmx", 1, 0, Edx, 23},
    {Feature::Fxsr, "fxsr", 1, 0, Edx, 24},
    {Feature::Sse, "sse", 1, 0, Edx, 25},
    {Feature::Sse2, "sse2", 1, 0, Edx, 26},
    {Feature::Ss, "ss", 1, 0, Edx, 27},
    {Feature::Htt, "ht", 1, 0, Edx, 28},
    {Feature::Sse3, "sse3", 1, 0, Ecx, 0},
    {Feature::Pclmulqdq, "pclmulqdq", 1, 0, Ecx, 1},
    {Feature::Monitor, "monitor", 1, 0, Ecx, 3},
    {Feature::Ssse3, "ssse3", 1, 0, Ecx, 9},
    {Feature::Fma, "fma", 1, 0, Ecx, 12},
    {Feature::Cx16, "cx16", 1, 0, Ecx, 13},
    {Feature::Pdcm, "pdcm", 1, 0, Ecx, 15},
    {Feature::Pcid, "pcid", 1, 0, Ecx, 17},
    {Feature::Sse41, "sse4.1", 1, 0, Ecx, 19},
    {Feature::Sse42, "sse4.2", 1, 0, Ecx, 20},
    {Feature::X2apic, "x2apic", 1, 0, Ecx, 21},
    {Feature::Movbe, "movbe", 1, 0, Ecx, 22},
    {Feature::Popcnt, "popcnt", 1, 0, Ecx, 23},
    {Feature::TscDeadline, "tsc-deadline", 1, 0, Ecx, 24},
    {Feature::Aes, "aes", 1, 0, Ecx, 25},
    {Feature::Xsave, "xsave", 1, 0, Ecx, 26},
    {Feature::Avx, "avx", 1, 0, Ecx, 28},
    {Feature::F16c, "f16c", 1, 0, Ecx, 29},
    {Feature::Rdrand, "rdrand", 1, 0, Ecx, 30},
    {Feature::Hypervisor, "hypervisor", 1, 0, Ecx, 31},
    {Feature::Arat, "arat", 6, 0, Eax, 2},
    {Feature::Fsgsbase, "fsgsbase", 7, 0, Ebx, 0},
    {Feature::TscAdjust, "tsc_adjust", 7, 0, Ebx, 1},
    {Feature::Bmi1, "bmi1", 7, 0, Ebx, 3},
    {Feature::Avx2, "avx2", 7, 0, Ebx, 5},
    {Feature::Smep, "smep", 7, 0, Ebx, 7},
    {Feature::Bmi2, "bmi2", 7, 0, Ebx, 8},
    {Feature::Erms, "erms", 7, 0, Ebx, 9},
    {Feature::Invpcid, "invpcid", 7, 0, Ebx, 10},
    {Feature::Rdseed, "rdseed", 7, 0, Ebx, 18},
    {Feature::Adx, "adx", 7, 0, Ebx, 19},
    {Feature::Smap, "smap", 7, 0, Ebx, 20},
    {Feature::Clflushopt, "clflushopt", 7, 0, Ebx, 23},
    {Feature::Clwb, "clwb", 7, 0, Ebx, 24},
    {Feature::ShaNi, "sha-ni", 7, 0, Ebx, 29},
    {Feature::Umip, "umip", 7, 0, Ecx, 2},
    {Feature::Pku, "pku", 7, 0, Ecx, 3},
    {Feature::Vaes, "vaes", 7, 0, Ecx, 9},
    {Feature::Vpclmulqdq, "vpclmulqdq", 7, 0, Ecx, 10},
    {Feature::La57, "la57", 7, 0, Ecx, 16},
    {Feature::Rdpid, "rdpid", 7, 0, Ecx, 22},
    {Feature::Pks, "pks", 7, 0, Ecx, 31},
    {Feature::Fsrm, "fsrm", 7, 0, Edx, 4},
    {Feature::MdClear, "md-clear", 7, 0, Edx, 10},
    {Feature::SpecCtrl, "spec-ctrl", 7, 0, Edx, 26},
    {Feature::ArchCapabilities, "arch-capabilities", 7, 0, Edx, 29},
    {Feature::Ssbd, "ssbd", 7, 0, Edx, 31},
    {Feature::Xsaveopt, "xsaveopt", 13, 1, Eax, 0},
    {Feature::Xsavec, "xsavec", 13, 1, Eax, 1},
    {Feature::Xgetbv1, "xgetbv1", 13, 1, Eax, 2},
    {Feature::LahfLm, "lahf-lm", 0x80000001, 0, Ecx, 0},
    {Feature::CmpLegacy, "cmp-legacy", 0x80000001, 0, Ecx, 1},
    {Feature::Svm, "svm", 0x80000001, 0, Ecx, 2},
    {Feature::Cr8Legacy, "cr8legacy", 0x80000001, 0, Ecx, 4},
    {Feature::Abm, "abm", 0x80000001, 0, Ecx, 5},
    {Feature::Sse4a, "sse4a", 0x80000001, 0, Ecx, 6},
    {Feature::Misalignsse, "misalignsse", 0x80000001, 0, Ecx, 7},
    {Feature::Prefetchw, "3dnowprefetch", 0x80000001, 0, Ecx, 8},
    {Feature::Syscall, "syscall", 0x80000001, 0, Edx, 11},
    {Feature::Nx, "nx", 0x80000001, 0, Edx, 20},
    {Feature::Mmxext, "mmxext", 0x80000001, 0, Edx, 22},
    {Feature::FxsrOpt, "fxsr-opt", 0x80000001, 0, Edx, 25},
    {Feature::Pdpe1gb, "pdpe1gb", 0x80000001, 0, Edx, 26},
    {Feature::Rdtscp, "rdtscp", 0x80000001, 0, Edx, 27},
    {Feature::Lm, "lm", 0x80000001, 0, Edx, 29},
    {Feature::Invtsc, "invtsc", 0x80000007, 0, Edx, 8},
    {Feature::Clzero, "clzero", 0x80000008, 0, Ebx, 0},
    {Feature::Xsaveerptr, "xsaveerptr", 0x80000008, 0, Ebx, 2},
    {Feature::Wbnoinvd, "wbnoinvd", 0x80000008, 0, Ebx, 9},
    {Feature::Ibpb, "ibpb", 0x80000008, 0, Ebx, 12},
    {Feature::Nullselect, "null-sel-clr-base", 0x80000021, 0, Eax, 6},
    {Feature::KvmClock, "kvmclock", 0x40000001, 0, Eax, 3},
    {Feature::KvmPvEoi, "kvm-pv-eoi", 0x40000001, 0, Eax, 6},
    {Feature::KvmclockStable, "kvmclock-stable-bit", 0x40000001, 0, Eax, 24},
}};

constexpr bool in_order() {
  for (unsigned i = 0; i < kFeatures; ++i)
    if (static_cast<unsigned>(kRows[i].feature) != i) return false;
  return true;
}
static_assert(in_order());

}  // namespace

const std::array<FeatureRow, kFeatures>& feature_rows() { return kRows; }

std::optional<Feature> find_feature(std::string_view name) {
  const auto row = std::ranges::find(kRows, name, &FeatureRow::name);
  if (row == kRows.end()) return std::nullopt;
  return row->feature;
}

}  // namespace rhea::x86
