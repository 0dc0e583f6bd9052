// SPDX-License-Identifier: GPL-2.0-or-later
// Which rows of the instruction table are compared with the host, and why others are not.
#include "tests/cpu/coverage.h"

#include "target/x86/features.h"
#include "target/x86/host_features.h"
#include "tests/cpu/integer_cases.h"
#include "tests/cpu/vector_cases.h"
#include "tests/cpu/x87_cases.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea::x86 {
namespace {

struct Exception {
  std::string_view mnemonic;
  const char* reason;
  std::string_view operands{};  ///< none: any
};

constexpr const char* kThread = "FS is the host's way to its thread's data (segment tests)";
constexpr const char* kKernel = "enters the host's kernel or hypervisor (system tests)";
constexpr const char* kHostState = "its result is the host's own state (system tests)";
constexpr const char* kRandom = "its result is random or time";
constexpr const char* kImage = "loads or stores an image of registers (xsave_test, x87_test)";
constexpr const char* kControl = "x87 state without arithmetic (x87_test)";
constexpr const char* kAlone = "has tests of its own (vector_test, xsave_test)";
constexpr const char* kOwn = "always executed by the host's own instruction (x87_test)";

constexpr std::array kExceptions{
    Exception{"lfs", kThread},         Exception{"popseg", kThread, "FS"},
    Exception{"syscall", kKernel},     Exception{"sysenter", kKernel},
    Exception{"int", kKernel},         Exception{"int3", kKernel},
    Exception{"int1", kKernel},        Exception{"vmcall", kKernel},
    Exception{"vmmcall", kKernel},     Exception{"monitor", kKernel},
    Exception{"mwait", kKernel},       Exception{"cpuid", kHostState},
    Exception{"rdpmc", kHostState},    Exception{"rdpid", kHostState},
    Exception{"sgdt", kHostState},     Exception{"sidt", kHostState},
    Exception{"sldt", kHostState},     Exception{"str", kHostState},
    Exception{"smsw", kHostState},     Exception{"rdfsbase", kHostState},
    Exception{"rdgsbase", kHostState}, Exception{"wrfsbase", kHostState},
    Exception{"wrgsbase", kHostState}, Exception{"xgetbv", kHostState},
    Exception{"rdpkru", kHostState},   Exception{"wrpkru", kHostState},
    Exception{"rdtsc", kRandom},       Exception{"rdtscp", kRandom},
    Exception{"rdrand", kRandom},      Exception{"rdseed", kRandom},
    Exception{"fxsave", kImage},       Exception{"fxrstor", kImage},
    Exception{"xsave", kImage},        Exception{"xrstor", kImage},
    Exception{"xsaveopt", kImage},     Exception{"xsavec", kImage},
    Exception{"ldmxcsr", kImage},      Exception{"stmxcsr", kImage},
    Exception{"vldmxcsr", kImage},     Exception{"vstmxcsr", kImage},
    Exception{"fwait", kControl},      Exception{"vzeroupper", kAlone},
    Exception{"vzeroall", kAlone},     Exception{"maskmovq", kAlone},
    Exception{"maskmovdqu", kAlone},   Exception{"vmaskmovdqu", kAlone},
};

const Exception* exception_of(const isa::Row& row) {
  const auto found = std::ranges::find_if(kExceptions, [&](const Exception& e) {
    return e.mnemonic == row.mnemonic && (e.operands.empty() || e.operands == row.operands);
  });
  return found == kExceptions.end() ? nullptr : &*found;
}

const X87Way* x87_way_of(unsigned row) {
  static const std::map<unsigned, X87Way> kWays = x87_ways();
  const auto found = kWays.find(row);
  return found == kWays.end() ? nullptr : &found->second;
}

}  // namespace

const char* reason_not_compared(const isa::Row& row) {
  if (row.is(isa::Vsib)) return kAlone;
  const Exception* found = exception_of(row);
  return found == nullptr ? nullptr : found->reason;
}

bool host_executes(const isa::Row& row) {
  static const FeatureSet kHost = host_supported_features();
  if (!row.has_feature) return true;
  const auto n = static_cast<unsigned>(row.feature);
  return kHost[n] && (row.is(isa::NativeVector) || host_has(feature_rows()[n]));
}

RowCoverage coverage_of(unsigned row) {
  const isa::Row& r = isa::rows()[row];
  RowCoverage made;
  const auto add = [&](std::string_view name) {
    made.compared += made.compared.empty() ? name : fmt::format(", {}", name);
  };
  for (const NativeMode mode : kNativeModes)
    if (compares_integer_row(r, mode)) add(layout(mode).name);
  if (compares_vector_row(r)) add("vector");
  const X87Way* x87 = x87_way_of(row);
  if (x87 != nullptr && *x87 == X87Way::Short) add("x87");
  if (!made.compared.empty() && r.is(isa::Cpl0)) made.compared += ": that it faults";
  if (!made.compared.empty()) return made;
  if (const char* reason = reason_not_compared(r); reason != nullptr)
    made.reason = reason;
  else if (x87 != nullptr)
    made.reason = *x87 == X87Way::Control ? kControl : kOwn;
  else if (!host_executes(r))
    made.reason =
        fmt::format("this host has no {}", feature_rows()[static_cast<unsigned>(r.feature)].name);
  return made;
}

}  // namespace rhea::x86
