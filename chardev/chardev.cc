// SPDX-License-Identifier: GPL-2.0-or-later
// What all character back ends share: the front end, bounded waiting, the log file.
#include "rhea/chardev/chardev.h"

#include "rhea/util/host_file.h"
#include "rhea/util/log.h"

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace rhea {

Result<> Chardev::attach(FrontEnd front_end) {
  if (attached_) return fail("chardev '{}' is already in use", name());
  front_end_ = std::move(front_end);
  attached_ = true;
  return {};
}

void Chardev::detach(const void*) {
  front_end_ = {};
  attached_ = false;
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

Result<> Chardev::open_log(const std::string& path, bool append) {
  const int mode = append ? O_APPEND : O_TRUNC;
  auto opened = open_host_file(path, {.flags = O_WRONLY | O_CREAT | mode});
  if (!opened) return std::unexpected(std::move(opened).error().within("logfile"));
  log_ = std::move(*opened);
  return {};
}

void Chardev::deliver(ChardevEvent event) {
  if (front_end_.event) front_end_.event(event);
}

// A log that its reader does not empty, or that has no room, misses what does not fit.
std::size_t Chardev::logged(std::span<const u8> taken) {
  std::span<const u8> rest = log_ ? taken : std::span<const u8>();
  while (!rest.empty()) {
    const ssize_t n = ::write(log_.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (errno != EAGAIN && !std::exchange(log_warned_, true))
        report_warning(fmt::format("chardev '{}': logfile: {}", name(), errno_text(errno)));
      break;
    }
    if (n > 0) rest = rest.subspan(static_cast<std::size_t>(n));
  }
  return taken.size();
}

namespace {
const RegisterAbstractType<Chardev, Object> registration;
}  // namespace

}  // namespace rhea
