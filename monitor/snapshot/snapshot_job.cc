// SPDX-License-Identifier: GPL-2.0-or-later
// A snapshot from its request to its end: what saving and loading have in common, and saving.
#include "monitor/snapshot/snapshot_job.h"

#include "block/block_service.h"
#include "monitor/dump/dump_job.h"
#include "monitor/long_work.h"
#include "rhea/util/fd_sets.h"
#include "softmmu/standstill.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace rhea::snapshot {
namespace {

/// Where a snapshot is written: beside the file that it becomes when it is whole.
class Target {
 public:
  /// `job` tells apart those of one process: the thread of one that was cancelled may still write.
  static Result<Target> create(const std::string& path, u64 job);
  OutputFile& file() { return file_; }
  /// On the disk, under its name.
  Result<> finish();

 private:
  Target(OutputFile file, std::string made, std::string path)
      : file_(std::move(file)), made_(std::move(made)), path_(std::move(path)) {}

  OutputFile file_;
  std::string made_, path_;
};

Result<Target> Target::create(const std::string& path, u64 job) {
  const auto handed_over = TRY(fd_sets::id_in_path(path));
  struct stat info{};
  if (!handed_over && ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return fail("Could not write '{}': it is not a regular file", path);
  const std::string made = handed_over ? path : fmt::format("{}.part-{}-{}", path, ::getpid(), job);
  OutputFile file = TRY(OutputFile::create(made));
  return Target(std::move(file), made, path);
}

Result<> Target::finish() {
  if (::fsync(file_.fd()) != 0 && errno != EINVAL)
    return fail("Could not write '{}': {}", path_, errno_text(errno));
  if (made_ != path_ && std::rename(made_.c_str(), path_.c_str()) != 0)
    return fail("Could not write '{}': {}", path_, errno_text(errno));
  return file_.finish();
}

}  // namespace

SnapshotJob::SnapshotJob(Machine& machine) : machine_(&machine) {
  // Memory that is being saved must not change.
  machine.on_run_state([this](RunState state) {
    if (state == RunState::Running && active() && operation_ == Operation::Save && stands_)
      give_up("the machine went on while it was saved");
  });
  machine.on_reset([this](ResetKind) {
    if (active() && stands_ && !resetting_) give_up("the machine was reset meanwhile");
  });
}

SnapshotJob::~SnapshotJob() { shutdown(); }

// The end of the program ends what is under way; what there is of a file goes with its thread.
void SnapshotJob::shutdown() {
  if (!active()) return;
  machine_->service<monitor::LongWork>().shutdown();
  status_ = Status::Failed;
  ++ticket_;
}

Result<> SnapshotJob::begin(Operation operation, const std::string& file, Done done) {
  if (active())
    return fail("a snapshot is being {}: '{}'", operation_ == Operation::Save ? "saved" : "loaded",
                file_);
  TRY(machine_->service<dump::DumpJob>().need_none());
  if (file.empty()) return fail("a snapshot's file needs a name");
  operation_ = operation;
  status_ = Status::Active;
  step_ = Step::Checking;
  file_ = file;
  done_ = std::move(done);
  why_cancelled_.clear();
  progress_ = std::make_shared<Progress>();
  total_ = 0;
  ++ticket_;
  return {};
}

/// Runs `work` on its thread, then `then` on the main loop, if that still matters.
Result<> SnapshotJob::work(std::function<Result<>(const std::stop_token&)> work,
                           std::function<void(const Result<>&)> then) {
  const auto whole = [work = std::move(work)](const std::stop_token& stop) -> Result<qmp::Json> {
    TRY(work(stop));
    return qmp::Json();
  };
  const auto later = TRY(machine_->service<monitor::LongWork>().start(file_, whole));
  later->on_finish([this, ticket = ticket_, then = std::move(then)](const Result<qmp::Json>& end) {
    if (ticket == ticket_) then(end ? Result<>() : std::unexpected(end.error()));
  });
  return {};
}

void SnapshotJob::stand(RunState state) {
  before_ = machine_->run_state();
  was_running_ = machine_->running();
  stands_ = true;
  // Who sleeps or has ended goes on doing so.
  if (was_running_ || state == RunState::RestoreVm) machine_->pause(state);
}

// Unless somebody else has said meanwhile what is to be done.
void SnapshotJob::go_on() {
  if (!std::exchange(stands_, false)) return;
  const RunState state = machine_->run_state();
  if (state != RunState::SaveVm && state != RunState::RestoreVm) return;
  if (was_running_) {
    machine_->pause(RunState::Paused);
    machine_->resume();
  } else {
    machine_->pause(before_);
  }
}

void SnapshotJob::give_up(std::string why) {
  why_cancelled_ = std::move(why);
  progress_->cancelled = true;
}

Result<> SnapshotJob::cancel() {
  if (!active()) return fail("no snapshot is being saved or loaded");
  if (operation_ == Operation::Load && step_ == Step::Changing)
    return fail("the machine has been changed already: the load goes on");
  give_up("cancelled");
  // The thread is left to itself: the file system may keep it for ever.
  finish(fail("cancelled"));
  return {};
}

void SnapshotJob::finish(const Result<>& result) {
  ++ticket_;
  checked_.reset();
  if (operation_ == Operation::Save) machine_->service<Standstill>().end();
  const bool unwanted = progress_->cancelled && !result;
  status_ = result ? Status::Completed : unwanted ? Status::Cancelled : Status::Failed;
  Result<> end = result;
  if (unwanted) end = fail("snapshot '{}': {}", file_, why_cancelled_);
  if (!result && !unwanted)
    end = fail("snapshot '{}': {}", file_, one_line(result.error().message()));
  if (observer_) observer_(end);
  if (const Done done = std::exchange(done_, nullptr)) done(end);
  go_on();
}

// ---- Saving

Result<> SnapshotJob::save(const std::string& file, Done done) {
  TRY(check_disks(*machine_));
  TRY(begin(Operation::Save, file, std::move(done)));
  stand(RunState::SaveVm);
  step_ = Step::Waiting;
  auto waits = machine_->service<block::BlockService>().when_stopped([this, ticket = ticket_] {
    if (ticket != ticket_) return;
    if (auto started = start_saving(); !started) finish(started);
  });
  if (!waits) finish(waits);
  return {};
}

Result<> SnapshotJob::start_saving() {
  step_ = Step::Checking;
  if (machine_->running()) return fail("the machine went on while it was saved");
  auto contents = std::make_shared<Contents>(TRY(take_contents(*machine_)));
  contents->what.state = was_running_ ? RunState::Running : before_;
  total_ = contents->bytes();
  machine_->service<Standstill>().begin("a snapshot is being saved");
  return work(
      [path = file_, job = ticket_, contents,
       progress = progress_](const std::stop_token& stop) -> Result<> {
        const Control under_way{.stop = stop, .progress = progress};
        Target target = TRY(Target::create(path, job));
        TRY(write_contents(*contents, target.file(), under_way));
        TRY(under_way.step(0));
        return target.finish();
      },
      [this](const Result<>& result) { finish(result); });
}

}  // namespace rhea::snapshot
