// SPDX-License-Identifier: GPL-2.0-or-later
// A process that may open nothing more.
#pragma once

#include "rhea/util/file_descriptor.h"

#include <fcntl.h>
#include <sys/resource.h>

namespace rhea::test {

/// While it stands no descriptor is made beyond those there are.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const FileDescriptor next(::fcntl(0, F_DUPFD, 0));
    rlimit less = before_;
    less.rlim_cur = static_cast<rlim_t>(next.get());
    ::setrlimit(RLIMIT_NOFILE, &less);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace rhea::test
