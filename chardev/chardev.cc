// SPDX-License-Identifier: GPL-2.0-or-later
// What all character back ends share: the front end, bounded waiting, the log file.
#include "rhea/chardev/chardev.h"

#include "rhea/chardev/chardev_port.h"
#include "rhea/softmmu/ending.h"
#include "rhea/util/file_writer.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"

#include <fcntl.h>

#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

namespace rhea {

/// What logfile= names, written by a thread. Of output that comes faster than its disk or reader
/// takes it the log misses what does not fit.
class Chardev::Log {
 public:
  Log(const Ending& ending, FileDescriptor fd)
      : ending_(&ending),
        writer_(FileWriter::to_file(std::move(fd)), kMaxWaiting,
                {.failed = [this](const Error& error) { warn(error.message()); }}) {}
  ~Log() {
    if (!writer_.flush(ending_->patience())) warn("its disk does not answer");
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(const std::string& chardev, std::span<const u8> data) {
    {
      const std::lock_guard lock(mutex_);
      if (chardev_.empty()) chardev_ = chardev;
    }
    if (writer_.write(data) < data.size()) warn("output comes faster than it is written");
  }

 private:
  static constexpr std::size_t kMaxWaiting = 1 * MiB;

  void warn(std::string_view why) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(warned_, true))
      report_warning(fmt::format("chardev '{}': logfile: {}", chardev_, why));
  }

  const Ending* ending_;
  std::mutex mutex_;  ///< guards what follows
  std::string chardev_;
  bool warned_{false};
  FileWriter writer_;
};

Chardev::Chardev() = default;
Chardev::~Chardev() {
  for (ChardevPort* port : ports_) {
    port->chardev_ = nullptr;
    port->attached_ = false;
  }
}

Result<> Chardev::attach(FrontEnd front_end) {
  if (attached_) return fail("chardev '{}' is already in use", name());
  front_end_ = std::move(front_end);
  attached_ = true;
  return {};
}

// It may be one of the front end's own functions that asks: they go when none can be running.
void Chardev::detach(const void*) {
  auto old = std::make_shared<FrontEnd>(std::exchange(front_end_, {}));
  attached_ = false;
  if (in_machine()) machine().loop().defer([old = std::move(old)] {});
}

Chardev::FrontEnd Chardev::take_front_end() {
  FrontEnd taken = front_end_;
  detach(taken.owner);
  return taken;
}

void Chardev::write_all(std::span<const u8> data) {
  using Steady = std::chrono::steady_clock;
  constexpr auto kPatience = std::chrono::milliseconds(300);
  const auto give_up = Steady::now() + kPatience;
  for (;;) {
    data = data.subspan(write(data));
    if (data.empty() || Steady::now() > give_up) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Result<> Chardev::open_log(Machine& machine, const std::string& path, bool append) {
  const int mode = append ? O_APPEND : O_TRUNC;
  auto opened = open_host_file(path, {.flags = O_WRONLY | O_CREAT | mode});
  if (!opened) return std::unexpected(std::move(opened).error().within("logfile"));
  log_ = std::make_unique<Log>(machine.service<Ending>(), std::move(*opened));
  return {};
}

void Chardev::deliver(ChardevEvent event) {
  if (front_end_.event) front_end_.event(event);
}

std::size_t Chardev::logged(std::span<const u8> taken) {
  if (log_) log_->write(name(), taken);
  return taken.size();
}

namespace {
const RegisterAbstractType<Chardev, Object> registration;
}  // namespace

}  // namespace rhea
