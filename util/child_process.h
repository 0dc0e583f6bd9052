// SPDX-License-Identifier: GPL-2.0-or-later
// Programs that Rhea starts beside itself.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rhea {

/// A child. It ends with its owner: killed and waited for. It has no terminal's signals, and of our
/// descriptors only those given.
class ChildProcess {
 public:
  /// Our descriptor `ours` is the child's `as`; each number `as` is there once.
  struct Descriptor {
    int ours;
    int as;
  };
  /// Looks `words[0]` up on the path. `variables` ("NAME=value") come before the inherited ones of
  /// the same name.
  static Result<ChildProcess> start(const std::vector<std::string>& words,
                                    std::span<const Descriptor> descriptors,
                                    std::span<const std::string> variables = {});
  /// From now on start() is an error that names `why`: the host would end who tries (-sandbox).
  static void forbid(std::string_view why);

  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  /// Asks for its end without waiting for it.
  void kill() const;
  /// The status as waitpid() gives it, once the child has ended; nullopt when it has not within
  /// `ms`.
  std::optional<int> wait(int ms);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

/// "ended with status 3", "died: Segmentation fault".
std::string end_text(int status);

}  // namespace rhea
