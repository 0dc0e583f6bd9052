// SPDX-License-Identifier: GPL-2.0-or-later
// Flash contents on their way to the drive.
#include "hw/block/pflash_saver.h"

#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {

void PflashSavers::shutdown() {
  while (!savers_.empty()) savers_.back()->close();
}

void PflashSaver::open(Machine& machine, BlockBackend& drive, std::span<const u8> contents) {
  machine_ = &machine;
  drive_ = &drive;
  contents_ = contents;
  first_ = end_ = 0;
  machine.service<PflashSavers>().savers_.push_back(this);
}

void PflashSaver::changed(u64 offset, u64 length) {
  if (drive_ == nullptr || length == 0) return;
  const bool waiting = first_ != end_;
  first_ = waiting ? std::min(first_, offset) : offset;
  end_ = waiting ? std::max(end_, offset + length) : offset + length;
  if (scheduled_) return;
  scheduled_ = std::make_shared<char>();
  machine_->loop().defer([this, alive = std::weak_ptr(scheduled_)] {
    if (alive.expired()) return;
    scheduled_.reset();
    write_out();
  });
}

// Requests of one drive are done in order, so there may be several at a time.
void PflashSaver::write_out() {
  if (first_ == end_) return;
  const auto part = contents_.subspan(first_, end_ - first_);
  auto copy = std::make_shared<std::vector<u8>>(part.begin(), part.end());
  const u64 at = std::exchange(first_, 0);
  end_ = 0;
  drive_->write(at, *copy, [copy, name = drive_->filename()](const Result<>& result) {
    if (!result)
      report_warning(fmt::format("cannot save flash to '{}': {}", name, result.error().message()));
  });
}

void PflashSaver::close() {
  if (drive_ == nullptr) return;
  scheduled_.reset();
  write_out();
  drive_->drain();
  drive_ = nullptr;
  std::erase(machine_->service<PflashSavers>().savers_, this);
}

}  // namespace rhea::hw
