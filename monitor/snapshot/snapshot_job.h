// SPDX-License-Identifier: GPL-2.0-or-later
// The one snapshot that a machine may be writing or reading: machine.service<SnapshotJob>().
#pragma once

#include "monitor/snapshot/contents.h"
#include "monitor/snapshot/pieces.h"
#include "rhea/softmmu/machine.h"

#include <functional>
#include <memory>
#include <string>

namespace rhea::snapshot {

enum class Operation : u8 { None, Save, Load };
enum class Status : u8 { None, Active, Completed, Failed, Cancelled };

/// The guest stands still while it is written (run state save-vm) or read (restore-vm): its memory
/// is written as it is, by a thread of its own (monitor/long_work.h), and monitors are answered
/// meanwhile. A file is read twice: first whole and for nothing but to be checked, while the guest
/// runs; what is wrong with it, or does not fit the machine, leaves that as it was. All on the main
/// thread, under the machine's lock.
class SnapshotJob final : public MachineService {
 public:
  using Done = std::function<void(const Result<>&)>;

  explicit SnapshotJob(Machine& machine);
  ~SnapshotJob() override;
  void shutdown() override;

  /// Both: `done` is called on the main loop, the machine still standing; then it goes on as it did
  /// before. An error: nothing has begun and `done` is not called.
  Result<> save(const std::string& file, Done done);
  Result<> load(const std::string& file, Done done);
  /// Ends what is under way at once; too late for a load that has begun to change the machine.
  Result<> cancel();

  /// For the start of the program: the file is opened now, and read when the machine stands.
  Result<> load_at_start(const std::string& file);
  /// Reads it now, if there is one. Waits.
  Result<> load_now();

  /// Told of every end, before the machine goes on.
  void on_end(Done observer) { observer_ = std::move(observer); }

  Operation operation() const { return operation_; }
  Status status() const { return status_; }
  bool active() const { return status_ == Status::Active; }
  const std::string& file() const { return file_; }
  /// Bytes, of memory to be saved or of the file's.
  u64 total() const { return total_; }
  u64 completed() const { return progress_->completed.load(std::memory_order_relaxed); }

 private:
  /// How far a load is.
  enum class Step : u8 { Checking, Waiting, Changing };

  Result<> begin(Operation operation, const std::string& file, Done done);
  void stand(RunState state);
  void go_on();
  void finish(const Result<>& result);
  void give_up(std::string why);
  Result<> work(std::function<Result<>(const std::stop_token&)> work,
                std::function<void(const Result<>&)> then);

  Result<> start_saving();
  Result<> checked();
  Result<> start_changing();
  Result<> try_devices();
  Result<> settle(std::vector<DiskChanges> disks);
  void put_disks(std::vector<DiskChanges> disks);
  void broken(const Error& error);
  void take_state();

  Machine* machine_;
  Done done_, observer_;
  Operation operation_{Operation::None};
  Status status_{Status::None};
  Step step_{Step::Checking};
  std::string file_, start_path_;
  FileDescriptor start_file_;
  u64 ticket_{0};  ///< of what is under way; callbacks of what is not are late
  bool was_running_{false}, stands_{false};
  RunState before_{};
  std::string why_cancelled_;
  bool resetting_{false};
  std::shared_ptr<CheckedFile> checked_;
  u64 total_{0};
  std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
};

}  // namespace rhea::snapshot
