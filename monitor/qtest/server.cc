// SPDX-License-Identifier: GPL-2.0-or-later
// A qtest server on a chardev, and the options -qtest and -qtest-log.
#include "monitor/qtest/server.h"

#include "chardev/backend.h"
#include "rhea/util/host_file.h"
#include "rhea/util/option.h"

#include <fcntl.h>

namespace rhea::qtest {
namespace {

// A write of 64 MiB in hexadecimal, and the words before it.
constexpr std::size_t kMaxLine = 2 * 64 * MiB + 256;
constexpr std::size_t kChunk = 16 * KiB;
constexpr std::size_t kMaxUnread = 1 * MiB;

void put(int fd, std::string_view text) {
  if (fd >= 0 && ::write(fd, text.data(), text.size()) < 0) return;
}

Result<> qtest_option(Machine& machine, const std::string& text) {
  auto& server = machine.service<Server>();
  if (server.started()) return fail("-qtest: given twice");
  Chardev* chardev = TRY(create_chardev_legacy(machine, "qtest", text));
  return server.start(*chardev);
}

Result<> qtest_log_option(Machine& machine, const std::string& path) {
  return machine.service<Server>().log_to(path);
}

const RegisterOption options[] = {
    RegisterOption({.name = "qtest",
                    .argument = "dev",
                    .help = "serve QEMU's qtest protocol on a character device (with -accel qtest)",
                    .phase = StartPhase::Monitors,
                    .apply = &qtest_option}),
    RegisterOption({.name = "qtest-log",
                    .argument = "file",
                    .help = "log what is said over -qtest",
                    .phase = StartPhase::Monitors,
                    .apply = &qtest_log_option}),
};

}  // namespace

Server::Server(Machine& machine)
    : machine_(&machine), protocol_(machine, [this](std::string line) { send(line); }) {}

Result<> Server::start(Chardev& chardev) {
  output_ = std::make_unique<monitor::Output>(chardev);
  chardev_ = &chardev;
  return chardev.attach(
      {.can_receive = [this] { return output_->pending() > kMaxUnread ? 0 : kChunk; },
       .receive = [this](std::span<const u8> data) { receive(data); },
       .event =
           [this](ChardevEvent) {
             line_.clear();
             too_long_ = false;
             output_->reset();
           },
       .can_send =
           [this] {
             output_->flush();
             chardev_->accept_input();
           },
       .owner = this,
       .monitor = false});
}

Result<> Server::log_to(const std::string& path) {
  log_.reset();
  if (path != "none") log_ = TRY(open_host_file(path, {.flags = O_WRONLY | O_CREAT | O_TRUNC}));
  return {};
}

void Server::shutdown() {
  if (chardev_ == nullptr) return;
  output_->flush_all();
  chardev_->detach(this);
  chardev_ = nullptr;
}

void Server::receive(std::span<const u8> data) {
  for (const u8 byte : data) {
    if (byte == '\n')
      run_line();
    else if (line_.size() < kMaxLine)
      line_ += static_cast<char>(byte);
    else
      too_long_ = true;
  }
}

void Server::run_line() {
  const std::string line = std::exchange(line_, {});
  log("R", line);
  send(std::exchange(too_long_, false) ? "FAIL line too long" : protocol_.execute(line));
}

void Server::send(const std::string& line) {
  if (output_ == nullptr || chardev_ == nullptr) return;
  log("S", line);
  output_->write(line + "\n");
}

void Server::log(std::string_view prefix, std::string_view line) {
  if (!log_) return;
  const i64 ns = machine_->realtime_clock().now_ns();
  put(log_.get(), fmt::format("[{} +{}.{:06}] {}\n", prefix, ns / kNsPerSecond,
                              ns % kNsPerSecond / 1000, line));
}

}  // namespace rhea::qtest
