// SPDX-License-Identifier: GPL-2.0-or-later
// A dump from its request to its end.
#include "monitor/dump/dump_job.h"

#include "monitor/dump/writer.h"
#include "monitor/long_work.h"
#include "softmmu/standstill.h"

#include <unistd.h>

namespace rhea::dump {

DumpJob::~DumpJob() { shutdown(); }

// The end of the program ends the dump; what there is of it goes with its thread.
void DumpJob::shutdown() {
  if (!active()) return;
  machine_->service<monitor::LongWork>().shutdown();
  status_ = Status::Failed;
}

Result<> DumpJob::start(Request request, Done done) {
  if (active()) return fail("{}", kInProcess);
  was_running_ = machine_->running();
  if (was_running_) machine_->pause(RunState::SaveVm);
  auto image = take_image(*machine_, request.paging, request.filter);
  if (!image) {
    go_on();
    return std::unexpected(std::move(image).error());
  }
  image_ = std::move(*image);
  auto to = std::make_shared<const FileDescriptor>(std::move(request.to));
  request_ = std::move(request);
  done_ = std::move(done);
  status_ = Status::Active;
  machine_->service<Standstill>().begin(kInProcess);
  total_ = image_.bytes();
  completed_ = 0;
  auto later = machine_->service<monitor::LongWork>().start(
      request_.file,
      [this, to = std::move(to),
       file = request_.file](const std::stop_token& stop) -> Result<qmp::Json> {
        auto written = write(to->get(), stop);
        if (written) return qmp::Json();
        if (!file.empty()) ::unlink(file.c_str());
        return std::unexpected(std::move(written).error());
      });
  if (!later) {
    status_ = Status::Failed;
    machine_->service<Standstill>().end();
    go_on();
    return std::unexpected(std::move(later).error());
  }
  (*later)->on_finish([this](const Result<qmp::Json>& result) {
    finish(result ? Result<>() : std::unexpected(result.error()));
  });
  return {};
}

Result<> DumpJob::write(int to, const std::stop_token& stop) const {
  Sink sink(to, stop);
  const Progress progress = [this](u64 bytes) {
    completed_.fetch_add(bytes, std::memory_order_relaxed);
  };
  return request_.format == Format::Elf ? write_elf(image_, sink, progress)
                                        : write_kdump(image_, sink, progress);
}

void DumpJob::finish(const Result<>& result) {
  status_ = result ? Status::Completed : Status::Failed;
  request_ = {};
  image_ = {};
  machine_->service<Standstill>().end();
  if (observer_) observer_(result);
  if (const Done done = std::exchange(done_, nullptr)) done(result);
  go_on();
}

// Unless somebody else has said meanwhile what is to be done.
void DumpJob::go_on() {
  if (was_running_ && machine_->run_state() == RunState::SaveVm) machine_->resume();
}

}  // namespace rhea::dump
