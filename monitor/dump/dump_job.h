// SPDX-License-Identifier: GPL-2.0-or-later
// The one dump that a machine may be writing: machine.service<DumpJob>().
#pragma once

#include "monitor/dump/guest_image.h"
#include "rhea/util/file_descriptor.h"

#include <atomic>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace rhea::dump {

enum class Format : u8 { Elf, KdumpZlib };
enum class Status : u8 { None, Active, Completed, Failed };

struct Request {
  FileDescriptor to;
  std::string file;  ///< its path, to be removed when the dump fails; empty for others' descriptors
  Format format{Format::Elf};
  bool paging{false};
  std::optional<Filter> filter;
};

/// Long work (monitor/long_work.h) while the machine stands still (run state save-vm); all else on
/// the main thread, under the machine's lock.
class DumpJob final : public MachineService {
 public:
  using Done = std::function<void(const Result<>&)>;

  /// What others hear meanwhile.
  static constexpr const char* kInProcess = "There is a dump in process, please wait.";

  explicit DumpJob(Machine& machine) : machine_(&machine) {}
  ~DumpJob() override;
  void shutdown() override;

  /// Stops the machine and begins. `done` is called on the main loop, the machine still stopped;
  /// then it runs again if it did before. An error: nothing has begun and `done` is not called.
  Result<> start(Request request, Done done);
  /// Told of every end, before the machine goes on.
  void on_end(Done observer) { observer_ = std::move(observer); }

  Status status() const { return status_; }
  bool active() const { return status_ == Status::Active; }
  /// Another one may not begin, nor open its file: it might be the same.
  Result<> need_none() const {
    if (active() || opening_) return fail("{}", kInProcess);
    return {};
  }
  void set_opening(bool opening) { opening_ = opening; }
  /// Bytes of guest memory.
  u64 total() const { return total_; }
  u64 completed() const { return completed_.load(std::memory_order_relaxed); }

 private:
  Result<> write(int to, const std::stop_token& stop) const;
  void finish(const Result<>& result);
  void go_on();

  Machine* machine_;
  Done done_, observer_;
  Request request_;
  GuestImage image_;
  Status status_{Status::None};
  bool opening_{false}, was_running_{false};
  u64 total_{0};
  mutable std::atomic<u64> completed_{0};
};

}  // namespace rhea::dump
