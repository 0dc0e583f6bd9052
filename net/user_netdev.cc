// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/user_netdev.h"

#include "net/backend.h"
#include "rhea/qom/registry.h"
#include "softmmu/last_programs.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace rhea::net {
namespace {

/// As many bytes may wait each way; the host cuts it to what it allows.
constexpr int kWaiting = 1 << 20;

Result<std::unique_ptr<Netdev>> create_user(Machine& machine, const std::string& id,
                                            KeyValues& options) {
  UserSettings settings = TRY(UserSettings::take(options));
  // Before ports are taken for it.
  if (!options.empty()) return fail("Invalid parameter '{}'", options.all().front().first);
  auto netdev = create<UserNetdev>();
  TRY(netdev->set_up(machine, id, std::move(settings)));
  return netdev;
}

const RegisterBackend user{{.name = "user", .create = &create_user}};
const RegisterType<UserNetdev, Netdev> registration;

}  // namespace

Result<> UserNetdev::set_up(Machine& machine, const std::string& id, UserSettings settings) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
    return fail("{}", errno_text(errno));
  FileDescriptor ours(ends[0]), networks(ends[1]);
  for (const int end : ends) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kWaiting, sizeof kWaiting);
  for (HostForward& forward : settings.host_forwards) TRY(forward.open());
  net_ = text_of(settings.net);
  restricted_ = settings.restricted;
  first_guest_ = settings.dhcp_start;
  change_socket(std::move(ours));
  // Rhea keeps that end, too: so the next process goes on where one that died was.
  process_ = std::make_shared<UserProcess>(
      UserProcess::Plan{.name = id,
                        .configuration = std::move(settings.configuration),
                        .frames = std::move(networks),
                        .tftp = std::move(settings.tftp),
                        .guest_forwards = std::move(settings.guest_forwards)});
  const bool at_once = !settings.host_forwards.empty();
  for (HostForward& forward : settings.host_forwards) process_->add_forward(std::move(forward));
  process_->set_running(machine.running());
  machine.on_run_state([process = std::weak_ptr(process_)](RunState state) {
    if (const auto there = process.lock()) there->set_running(state == RunState::Running);
  });
  machine.service<LastPrograms>().add([process = std::weak_ptr(process_)]() -> Result<> {
    if (const auto there = process.lock()) return there->start_and_wait();
    return {};
  });
  if (at_once) process_->start();
  return {};
}

std::string UserNetdev::info() const {
  return fmt::format("net={},restrict={}", net_, restricted_ ? "on" : "off");
}

std::size_t UserNetdev::transmit(std::span<const Frame> frames) {
  process_->start();
  return process_->lost() ? frames.size() : DatagramNetdev::transmit(frames);
}

Result<HostForward> UserNetdev::add_forward(HostForward forward) {
  if (forward.guest.s_addr == 0) forward.guest = first_guest_;
  TRY(forward.open());
  process_->add_forward(std::move(forward));
  process_->start();
  std::vector<HostForward> all = process_->forwards();
  return std::move(all.back());
}

}  // namespace rhea::net
