// SPDX-License-Identifier: GPL-2.0-or-later
// What all character back ends share: the front end, bounded waiting, the log file.
#include "rhea/chardev/chardev.h"

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

void Chardev::write_all(std::span<const u8> data) {
  using Steady = std::chrono::steady_clock;
  constexpr auto kPatience = std::chrono::seconds(1);
  // Usually the peer takes all at once, and no clock is read.
  data = data.subspan(write(data));
  if (data.empty()) [[likely]]
    return;
  auto give_up = Steady::now() + kPatience;
  while (!data.empty() && Steady::now() <= give_up) {
    const std::size_t taken = write(data);
    data = data.subspan(taken);
    if (taken != 0)
      give_up = Steady::now() + kPatience;
    else
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Result<> Chardev::open_log(const std::string& path, bool append) {
  const int mode = append ? O_APPEND : O_TRUNC;
  log_ = FileDescriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0666));
  if (!log_) return fail("Unable to open logfile {}: {}", path, errno_text(errno));
  return {};
}

void Chardev::deliver(ChardevEvent event) {
  if (front_end_.event) front_end_.event(event);
}

std::size_t Chardev::logged(std::span<const u8> taken) {
  std::span<const u8> rest = log_ ? taken : std::span<const u8>();
  while (!rest.empty()) {
    const ssize_t n = ::write(log_.get(), rest.data(), rest.size());
    if (n < 0 && errno != EINTR) break;
    if (n > 0) rest = rest.subspan(static_cast<std::size_t>(n));
  }
  return taken.size();
}

namespace {
const RegisterAbstractType<Chardev, Object> registration;
}  // namespace

}  // namespace rhea
