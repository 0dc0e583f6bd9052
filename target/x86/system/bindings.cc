// SPDX-License-Identifier: GPL-2.0-or-later
// The system families: which function executes which mnemonic.
#include "target/x86/interp/bind.h"
#include "target/x86/system/functions.h"

#include <array>

namespace rhea::x86::interp {
namespace {

using namespace system;

Execute bind_move_segment(const Insn& insn) {
  return insn.op[0].kind == OperandKind::Segment ? mov_to_segment : mov_from_segment;
}

constexpr std::array kFar = {
    Binding{"jmpf", always<jmpf>}, Binding{"callf", always<callf>}, Binding{"retf", always<retf>},
    Binding{"iret", always<iret>}, Binding{"int", always<int_n>},   Binding{"int3", always<int3>},
    Binding{"int1", always<int1>}, Binding{"into", always<into>},   Binding{"bound", always<bound>},
};

constexpr std::array kSegment = {
    Binding{"movseg", bind_move_segment},
    Binding{"pushseg", always<push_segment>},
    Binding{"popseg", always<pop_segment>},
    Binding{"les", always<load_far_pointer<Es>>},
    Binding{"lss", always<load_far_pointer<Ss>>},
    Binding{"lds", always<load_far_pointer<Ds>>},
    Binding{"lfs", always<load_far_pointer<Fs>>},
    Binding{"lgs", always<load_far_pointer<Gs>>},
    Binding{"verr", always<verr>},
    Binding{"verw", always<verw>},
    Binding{"lar", always<lar>},
    Binding{"lsl", always<lsl>},
    Binding{"arpl", always<arpl>},
    Binding{"sgdt", always<sgdt>},
    Binding{"sidt", always<sidt>},
    Binding{"lgdt", always<lgdt>},
    Binding{"lidt", always<lidt>},
    Binding{"sldt", always<sldt>},
    Binding{"lldt", always<lldt>},
    Binding{"str", always<str>},
    Binding{"ltr", always<ltr>},
    Binding{"smsw", always<smsw>},
    Binding{"lmsw", always<lmsw>},
    Binding{"swapgs", always<swapgs>},
    Binding{"rdfsbase", always<rdfsbase>},
    Binding{"rdgsbase", always<rdgsbase>},
    Binding{"wrfsbase", always<wrfsbase>},
    Binding{"wrgsbase", always<wrgsbase>},
};

constexpr std::array kSystem = {
    Binding{"movcr", always<mov_control>}, Binding{"movdr", always<mov_debug>},
    Binding{"clts", always<clts>},         Binding{"invlpg", always<invlpg>},
    Binding{"invpcid", always<invpcid>},   Binding{"wbinvd", always<wbinvd>},
    Binding{"wbnoinvd", always<wbinvd>},   Binding{"invd", always<wbinvd>},
    Binding{"hlt", always<hlt>},           Binding{"monitor", always<monitor>},
    Binding{"mwait", always<mwait>},       Binding{"cpuid", always<cpuid_insn>},
    Binding{"rdtsc", always<rdtsc>},       Binding{"rdtscp", always<rdtscp>},
    Binding{"rdpmc", always<rdpmc>},       Binding{"rdpid", always<rdpid>},
    Binding{"xgetbv", always<xgetbv>},     Binding{"xsetbv", always<xsetbv>},
    Binding{"clac", always<clac>},         Binding{"stac", always<stac>},
    Binding{"syscall", always<syscall>},   Binding{"sysret", always<sysret>},
    Binding{"sysenter", always<sysenter>}, Binding{"sysexit", always<sysexit>},
    Binding{"rsm", always<rsm>},           Binding{"pause", always<pause>},
    Binding{"vmcall", always<hypercall>},  Binding{"vmmcall", always<hypercall>},
    Binding{"ud0", always<undefined>},     Binding{"ud1", always<undefined>},
    Binding{"ud2", always<undefined>},     Binding{"clzero", always<clzero>},
    Binding{"rdpkru", always<rdpkru>},     Binding{"wrpkru", always<wrpkru>},
    Binding{"rdrand", always<rdrand>},     Binding{"rdseed", always<rdrand>},
};

constexpr std::array kMsr = {
    Binding{"rdmsr", always<rdmsr>},
    Binding{"wrmsr", always<wrmsr>},
};

constexpr std::array kFlags = {
    Binding{"pushf", always<pushf>},  Binding{"popf", always<popf>},
    Binding{"cli", always<cli>},      Binding{"sti", always<sti>},
    Binding{"clc", always<clc>},      Binding{"stc", always<stc>},
    Binding{"cmc", always<cmc>},      Binding{"cld", always<cld>},
    Binding{"std", always<std_insn>}, Binding{"lahf", always<lahf>},
    Binding{"sahf", always<sahf>},    Binding{"salc", always<salc>},
};

constexpr std::array kIo = {
    Binding{"in", always<in>},
    Binding{"out", always<out>},
};

}  // namespace

std::span<const Binding> far_bindings() { return kFar; }
std::span<const Binding> segment_bindings() { return kSegment; }
std::span<const Binding> system_bindings() { return kSystem; }
std::span<const Binding> msr_bindings() { return kMsr; }
std::span<const Binding> flag_bindings() { return kFlags; }
std::span<const Binding> io_bindings() { return kIo; }

}  // namespace rhea::x86::interp
