// SPDX-License-Identifier: GPL-2.0-or-later
// /dev/kvm: whether this host's KVM will do, and what it offers.
#pragma once

#include "accel/kvm/uapi.h"
#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rhea::kvm {

class System {
 public:
  /// Errors say in one line what is missing: the device, the permission, or a KVM that is new
  /// enough.
  static Result<std::unique_ptr<System>> open(const std::string& device = "/dev/kvm");
  /// What an API version and the lack of an extension mean; for open() and its tests.
  static Result<> check_version(int api_version);
  Result<> check_extensions() const;

  int fd() const { return fd_.get(); }
  /// The value of KVM_CHECK_EXTENSION; 0 when absent or hidden.
  int extension(int capability) const;
  /// From now on the capability counts as absent: to run the paths of older kernels on a newer one.
  void hide(int capability) { hidden_.insert(capability); }
  bool hidden(int capability) const { return hidden_.contains(capability); }

  /// Bytes of a vCPU's shared area.
  std::size_t run_size() const { return run_size_; }
  /// MSRs that make up a vCPU's state, and those that say what a CPU can do.
  const std::vector<u32>& msrs() const { return msrs_; }
  const std::vector<u32>& feature_msrs() const { return feature_msrs_; }
  std::optional<u64> feature_msr(u32 index) const;
  const std::vector<kvm_cpuid_entry2>& supported_cpuid() const { return cpuid_; }

  Result<FileDescriptor> create_vm() const;

 private:
  System() = default;
  Result<> read_lists();
  Result<std::vector<u32>> msr_list(unsigned long request, std::string_view name) const;
  Result<std::vector<kvm_cpuid_entry2>> cpuid_list() const;

  FileDescriptor fd_;
  std::set<int> hidden_;
  std::size_t run_size_{};
  std::vector<u32> msrs_, feature_msrs_;
  std::vector<kvm_cpuid_entry2> cpuid_;
};

}  // namespace rhea::kvm
