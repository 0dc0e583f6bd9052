// SPDX-License-Identifier: GPL-2.0-or-later
// Flash contents on their way to the drive.
#include "hw/block/pflash_saver.h"

#include "rhea/softmmu/ending.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {

void PflashSavers::shutdown() {
  machine_->service<Ending>().begin();  // what follows waits in bounds
  while (!savers_.empty()) savers_.back()->close();
}

void PflashSaver::open(Device& device, BlockBackend& drive, std::span<const u8> contents,
                       std::function<void(bool ok)> settled) {
  machine_ = &device.machine();
  drive_ = &drive;
  contents_ = contents;
  settled_ = std::move(settled);
  first_ = end_ = 0;
  writing_ = again_ = false;
  write_out_.init(machine_->loop(), [this] { write_out(); });
  machine_->service<PflashSavers>().savers_.push_back(this);
  device.on_unrealize([this] { close(); });
}

void PflashSaver::add(u64 offset, u64 length) {
  const bool any = first_ != end_;
  first_ = any ? std::min(first_, offset) : offset;
  end_ = any ? std::max(end_, offset + length) : offset + length;
}

void PflashSaver::changed(u64 offset, u64 length) {
  if (drive_ == nullptr || length == 0) return;
  add(offset, length);
  if (writing_) {
    again_ = true;
    return;
  }
  write_out_.schedule();
}

void PflashSaver::write_out() {
  write_out_.cancel();
  if (writing_ || first_ == end_) return;
  const u64 offset = std::exchange(first_, 0), length = std::exchange(end_, 0) - offset;
  const auto part = contents_.subspan(offset, length);
  auto copy = std::make_shared<std::vector<u8>>(part.begin(), part.end());
  writing_ = true;
  again_ = false;
  drive_->write(offset, *copy, [this, offset, length, copy](const Result<>& result) {
    if (drive_ != nullptr) written(offset, length, result);
  });
}

void PflashSaver::written(u64 offset, u64 length, const Result<>& result) {
  writing_ = false;
  if (!result) {
    add(offset, length);
    if (const auto held_back = warnings_.pass())
      report_warning(fmt::format(
          "cannot save flash to '{}': {}{}", drive_->filename(), result.error().message(),
          *held_back == 0 ? "" : fmt::format(" (and {} times before)", *held_back)));
  }
  if (again_) return write_out();
  if (settled_) settled_(result.has_value());
}

void PflashSaver::settle() {
  if (drive_ == nullptr) return;
  if (write_out_.scheduled()) write_out();
  drive_->drain();
}

// What failed before gets one more try. A disk that does not answer is not waited for.
void PflashSaver::close() {
  if (drive_ == nullptr) return;
  if (write_out_.scheduled()) write_out();
  drive_->finish();
  settled_ = nullptr;
  write_out();
  if (!drive_->finish())
    report_warning(
        fmt::format("cannot save flash to '{}': its disk does not answer", drive_->filename()));
  drive_ = nullptr;
  std::erase(machine_->service<PflashSavers>().savers_, this);
}

}  // namespace rhea::hw
