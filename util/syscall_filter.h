// SPDX-License-Identifier: GPL-2.0-or-later
// The system calls that a helper of Rhea's keeps, once it is about to read what strangers send
// (libseccomp). All others are refused: EPERM.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <seccomp.h>

#include <initializer_list>
#include <memory>

namespace rhea {

class SyscallFilter {
 public:
  /// Allows what every helper needs: descriptors that are there, time, memory that is not
  /// executable, its own end.
  SyscallFilter();

  void allow(std::initializer_list<const char*> names);
  void allow_if(const char* name, std::initializer_list<scmp_arg_cmp> conditions);
  /// From here on. No core is dumped, and nobody traces the process.
  Result<> enter();

 private:
  struct Release {
    void operator()(void* filter) const { seccomp_release(filter); }
  };
  void note(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }

  std::unique_ptr<void, Release> filter_;
  int error_{0};
};

/// From here on the process dies of more memory than this, and has no more descriptors.
void limit_process(u64 bytes, u64 descriptors);

}  // namespace rhea
