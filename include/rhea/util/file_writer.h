// SPDX-License-Identifier: GPL-2.0-or-later
// Output to host files by a thread of its own, so that a slow disk holds up nobody.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <utility>

namespace rhea {

/// Takes bytes up to a bound and hands them in their order to a function that may block. All
/// functions may be called from any thread.
class FileWriter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Writes some of `data`: how much, or why not (then that is lost, and all after it until it
  /// works again). On the thread, without any lock.
  using Sink = std::function<Result<std::size_t>(std::span<const u8> data)>;
  struct Events {
    std::function<void()> room{};                ///< after a short write()
    std::function<void(const Error&)> failed{};  ///< the first time
  };

  /// To an open file of any kind, which it keeps; waits for the reader of a pipe.
  static Sink to_file(FileDescriptor fd);

  /// `most` bytes may wait. Events come on the thread.
  FileWriter(Sink sink, std::size_t most, Events events);
  FileWriter(Sink sink, std::size_t most) : FileWriter(std::move(sink), most, Events()) {}
  /// Waits for nothing: what is left is written by itself, unless the program ends.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  /// Takes what there is room for; returns how much.
  std::size_t write(std::span<const u8> data);
  /// Waits until all has been written; false when it was not by `until`.
  bool flush(Time until);

 private:
  struct State;
  static void serve(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace rhea
