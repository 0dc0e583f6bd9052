// SPDX-License-Identifier: GPL-2.0-or-later
// Lists of MSRs through KVM_GET_MSRS and KVM_SET_MSRS.
#include "accel/kvm/msrs.h"

#include "accel/kvm/trace_events.h"
#include "accel/kvm/vm.h"

#include <algorithm>
#include <array>

namespace rhea::kvm {
namespace {

constexpr u32 kTsc = 0x10;
constexpr u32 kTscDeadline = 0x6e0;
// kvmclock under its first numbers and under those that took their place: two names of one register
// each.
constexpr u32 kOldWallClock = 0x11, kOldSystemTime = 0x12;
constexpr u32 kWallClock = 0x4b564d00, kSystemTime = 0x4b564d01;

MsrCall ioctl_of(const VcpuHandle& handle, unsigned long request) {
  return [&handle, request](std::span<kvm_msr_entry> list) {
    VariableBlock<kvm_msrs, kvm_msr_entry> block(list.size());
    block.header().nmsrs = static_cast<u32>(list.size());
    std::ranges::copy(list, block.entries().begin());
    const int done = handle.call(request, &block.header());
    std::ranges::copy(block.entries(), list.begin());
    return done;
  };
}

std::function<void(const kvm_msr_entry&)> warner(Vm& vm, const VcpuHandle& handle,
                                                 const char* verb) {
  return [&vm, &handle, verb](const kvm_msr_entry& msr) {
    kvm_msr_refused(handle.id, msr.index, msr.data);
    vm.warn_once(
        fmt::format("msr {:x}", msr.index),
        fmt::format("this host's KVM does not let MSR {:#x} be {}: the guest goes without it",
                    msr.index, verb));
  };
}

// Memory type range registers (SDM vol. 3, 12.11.2) and the local APIC's deadline: in no list of
// some kernels.
std::vector<u32> unlisted() {
  std::vector<u32> msrs = {0x2ff, 0x250, 0x258, 0x259, kTscDeadline};
  for (u32 i = 0x268; i <= 0x26f; ++i) msrs.push_back(i);
  for (u32 i = 0x200; i <= 0x20f; ++i) msrs.push_back(i);
  return msrs;
}

}  // namespace

std::vector<kvm_msr_entry> pass_msrs(std::span<const kvm_msr_entry> list, const MsrCall& call,
                                     const std::function<void(const kvm_msr_entry&)>& refused) {
  std::vector<kvm_msr_entry> done;
  while (!list.empty()) {
    std::vector<kvm_msr_entry> rest(list.begin(), list.end());
    const auto count = static_cast<std::size_t>(std::max(call(rest), 0));
    done.insert(done.end(), rest.begin(),
                rest.begin() + static_cast<std::ptrdiff_t>(std::min(count, rest.size())));
    if (count >= list.size()) break;
    refused(list[count]);
    list = list.subspan(count + 1);
  }
  return done;
}

std::vector<u32> state_msrs(Vm& vm, const VcpuHandle& handle) {
  const auto& listed = vm.system().msrs();
  const auto has = [&listed](u32 index) {
    return std::ranges::find(listed, index) != listed.end();
  };
  std::vector<kvm_msr_entry> candidates;
  for (const u32 index : listed) {
    const bool says_feature =
        std::ranges::find(vm.system().feature_msrs(), index) != vm.system().feature_msrs().end();
    const bool other_name = (index == kOldWallClock && has(kWallClock)) ||
                            (index == kOldSystemTime && has(kSystemTime));
    if (!says_feature && !other_name)
      candidates.push_back({.index = index, .reserved = 0, .data = 0});
  }
  const MsrCall get = ioctl_of(handle, KVM_GET_MSRS);
  auto found = pass_msrs(candidates, get, warner(vm, handle, "read"));
  candidates.clear();
  for (const u32 index : unlisted())
    if (!has(index)) candidates.push_back({.index = index, .reserved = 0, .data = 0});
  const auto more = pass_msrs(candidates, get, [](const auto&) {});
  found.insert(found.end(), more.begin(), more.end());
  // Written in this order: the counter before what counts on it, the deadline when all else stands.
  std::ranges::stable_sort(found, {}, [](const kvm_msr_entry& m) {
    return m.index == kTsc ? 0 : m.index == kTscDeadline ? 2 : 1;
  });
  std::vector<u32> msrs;
  msrs.reserve(found.size());
  for (const auto& msr : found) msrs.push_back(msr.index);
  return msrs;
}

void set_feature_msrs(Vm& vm, const VcpuHandle& handle) {
  std::vector<kvm_msr_entry> wanted;
  for (const u32 index : vm.system().feature_msrs()) {
    const auto value = vm.system().feature_msr(index);
    kvm_msr_entry now{.index = index, .reserved = 0, .data = 0};
    const int got = ioctl_of(handle, KVM_GET_MSRS)({&now, 1});
    if (value && (got != 1 || now.data != *value))
      wanted.push_back({.index = index, .reserved = 0, .data = *value});
  }
  pass_msrs(wanted, ioctl_of(handle, KVM_SET_MSRS), warner(vm, handle, "set"));
}

void read_msrs(Vm& vm, const VcpuHandle& handle, std::span<const u32> indices,
               std::vector<x86::Msr>& msrs) {
  std::vector<kvm_msr_entry> list;
  for (const u32 index : indices) list.push_back({.index = index, .reserved = 0, .data = 0});
  msrs.clear();
  for (const auto& msr :
       pass_msrs(list, ioctl_of(handle, KVM_GET_MSRS), warner(vm, handle, "read")))
    msrs.push_back({.index = msr.index, .value = msr.data});
}

void write_msrs(Vm& vm, const VcpuHandle& handle, std::span<const x86::Msr> msrs) {
  std::vector<kvm_msr_entry> list;
  for (const auto& msr : msrs)
    list.push_back({.index = msr.index, .reserved = 0, .data = msr.value});
  pass_msrs(list, ioctl_of(handle, KVM_SET_MSRS), warner(vm, handle, "set"));
}

bool read_msr(const VcpuHandle& handle, u32 index, u64& value) {
  kvm_msr_entry entry{.index = index, .reserved = 0, .data = 0};
  if (ioctl_of(handle, KVM_GET_MSRS)({&entry, 1}) != 1) return false;
  value = entry.data;
  return true;
}

bool write_msr(const VcpuHandle& handle, u32 index, u64 value) {
  kvm_msr_entry entry{.index = index, .reserved = 0, .data = value};
  return ioctl_of(handle, KVM_SET_MSRS)({&entry, 1}) == 1;
}

}  // namespace rhea::kvm
