// SPDX-License-Identifier: GPL-2.0-or-later
// Loading: the file is checked, then the machine's devices try what it has for them, then its
// memory is changed, then its devices.
#include "block/block_service.h"
#include "monitor/snapshot/snapshot_job.h"
#include "rhea/block/block_backend.h"
#include "rhea/softmmu/snapshot.h"
#include "rhea/util/log.h"

#include <fcntl.h>

#include <algorithm>

namespace rhea::snapshot {
namespace {

Result<FileDescriptor> open_snapshot(const std::string& path) {
  return open_host_file(path, {.flags = O_RDONLY, .kinds = FileKinds::Regular});
}

u64 size_of(const FileDescriptor& file) {
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  return end < 0 ? 0 : static_cast<u64>(end);
}

// Of those who stand for good when they are loaded.
bool stays(RunState state) {
  switch (state) {
    case RunState::Suspended:
    case RunState::Shutdown:
    case RunState::GuestPanicked:
    case RunState::InternalError: return true;
    default: return false;
  }
}

}  // namespace

Result<> SnapshotJob::load(const std::string& path, Done done) {
  auto file = std::make_shared<FileDescriptor>(TRY(open_snapshot(path)));
  const u64 size = size_of(*file);
  TRY(begin(Operation::Load, path, std::move(done)));
  total_ = 2 * size;
  checked_ = std::make_shared<CheckedFile>();
  const auto check = [file, checked = checked_,
                      progress = progress_](const std::stop_token& stop) -> Result<> {
    *checked = TRY(check_file(std::move(*file), {.stop = stop, .progress = progress}));
    return {};
  };
  auto started = work(check, [this](const Result<>& result) {
    auto next = result ? checked() : result;
    if (!next) finish(next);
  });
  if (!started) finish(started);
  return {};
}

// The file is whole: now the guest stands still.
Result<> SnapshotJob::checked() {
  TRY(check_fits(checked_->what, describe(*machine_)));
  TRY(check_memory(*checked_, *machine_));
  TRY(SavedDevices::read(*machine_, checked_->devices));
  // A reset that was asked for comes before the load, not in the middle of it.
  machine_->settle_requests();
  stand(RunState::RestoreVm);
  step_ = Step::Waiting;
  return machine_->service<block::BlockService>().when_stopped([this, ticket = ticket_] {
    if (ticket != ticket_) return;
    if (auto started = start_changing(); !started) finish(started);
  });
}

// Whether the devices take the state; if they do not they get their own back.
Result<> SnapshotJob::try_devices() {
  TRY(machine_->service<SaveChecks>().run());
  const SavedDevices wanted = TRY(SavedDevices::read(*machine_, checked_->devices));
  const std::vector<u8> own = TRY(save_devices(*machine_));
  auto result = wanted.apply();
  if (result) return {};
  const SavedDevices back = TRY(SavedDevices::read(*machine_, own));
  if (auto restored = back.apply(); !restored) broken(restored.error());
  return result;
}

Result<> SnapshotJob::start_changing() {
  TRY(try_devices());
  step_ = Step::Changing;
  // What a snapshot of an older version lacks is as after a reset.
  resetting_ = true;
  machine_->reset_now(ShutdownCause::SnapshotLoad, ResetKind::Cold);
  resetting_ = false;
  auto disks = std::make_shared<std::vector<DiskChanges>>();
  auto started = work(
      [disks, checked = checked_, progress = progress_,
       memory = machine_->map().ram_blocks()](const std::stop_token& stop) -> Result<> {
        *disks = TRY(load_contents(*checked, memory, {.stop = stop, .progress = progress}));
        return {};
      },
      [this, disks](const Result<>& result) {
        auto end = result ? settle(std::move(*disks)) : result;
        if (!end) broken(end.error());
        finish(end);
      });
  if (!started) broken(started.error());
  return started;
}

// Everything has been read.
Result<> SnapshotJob::settle(std::vector<DiskChanges> disks) {
  TRY(check_fits(checked_->what, describe(*machine_)));
  const SavedDevices devices = TRY(SavedDevices::read(*machine_, checked_->devices));
  TRY(devices.apply());
  put_disks(std::move(disks));
  machine_->forget_reset();
  take_state();
  return {};
}

void SnapshotJob::put_disks(std::vector<DiskChanges> disks) {
  for (const BlockBackend* drive : drives(*machine_)) {
    auto* const overlay = block::Overlay::of(drive->medium().get());
    const auto it = std::ranges::find(disks, drive->name(), &DiskChanges::drive);
    if (overlay != nullptr && it != disks.end()) overlay->replace_layer(std::move(it->layer));
  }
}

// A guest that slept when it was saved sleeps.
void SnapshotJob::take_state() {
  if (stays(checked_->what.state)) {
    machine_->pause(checked_->what.state);
  } else if (!was_running_ && stands_) {
    machine_->pause(RunState::Paused);
  }
}

// Neither the machine it was nor the one it was to become.
void SnapshotJob::broken(const Error& error) {
  report_error(fmt::format("snapshot '{}': the machine is stopped, half loaded: {}", file_,
                           one_line(error.message())));
  machine_->pause(RunState::InternalError);
}

Result<> SnapshotJob::load_at_start(const std::string& path) {
  if (start_file_)
    return fail("only one snapshot can be loaded: there are '{}' and '{}'", start_path_, path);
  start_file_ = TRY(open_snapshot(path));
  start_path_ = path;
  return {};
}

Result<> SnapshotJob::load_now() {
  if (!start_file_) return {};
  file_ = start_path_;
  const auto load = [this]() -> Result<> {
    checked_ = std::make_shared<CheckedFile>(
        TRY(check_file(std::move(start_file_), {.stop = {}, .progress = progress_})));
    TRY(check_fits(checked_->what, describe(*machine_)));
    TRY(check_memory(*checked_, *machine_));
    TRY(SavedDevices::read(*machine_, checked_->devices));
    auto disks = TRY(load_contents(*checked_, machine_->map().ram_blocks(),
                                   {.stop = {}, .progress = progress_}));
    return settle(std::move(disks));
  };
  Result<> result = load();
  checked_.reset();
  if (result) return {};
  return fail("-x-snapshot '{}': {}", start_path_, one_line(result.error().message()));
}

}  // namespace rhea::snapshot
