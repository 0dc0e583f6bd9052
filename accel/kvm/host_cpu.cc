// SPDX-License-Identifier: GPL-2.0-or-later
// What the host's processor does for KVM.
#include "accel/kvm/host_cpu.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace rhea::kvm {
namespace {

// The flags of the first processor; Linux has the same on all.
bool has_virtualization_flag(const std::string& cpuinfo) {
  std::ifstream file(cpuinfo);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::string word; words >> word;)
      if (word == "vmx" || word == "svm") return true;
    return false;
  }
  return false;
}

}  // namespace

// The vendor's module loads only where VT-x or AMD-V works, also below a hypervisor that hides the
// flag from user space.
bool has_hardware_virtualization(const std::string& root) {
  std::error_code ignored;
  return has_virtualization_flag(root + "/proc/cpuinfo") ||
         std::filesystem::exists(root + "/sys/module/kvm_intel", ignored) ||
         std::filesystem::exists(root + "/sys/module/kvm_amd", ignored);
}

}  // namespace rhea::kvm
