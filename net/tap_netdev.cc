// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/tap_netdev.h"

#include "rhea/qom/registry.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"
#include "util/child_process.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace rhea::net {
namespace {

constexpr std::size_t kHeader = 10;  // virtio_net_hdr, in its shortest form
constexpr int kScriptMs = 60000;

Result<ifreq> flags_of(int device) {
  ifreq request{};
  if (::ioctl(device, TUNGETIFF, &request) < 0)
    return fail("Unable to query TUNGETIFF on FD {}: {}", device, errno_text(errno));
  return request;
}

/// The descriptor in the one message of a helper.
Result<FileDescriptor> receive_descriptor(int socket, int ms) {
  pollfd waited{.fd = socket, .events = POLLIN, .revents = 0};
  if (::poll(&waited, 1, ms) == 0)
    return fail("bridge helper failed: no answer came within {} ms", ms);
  char byte{};
  iovec piece{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) return fail("bridge helper failed");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len < CMSG_LEN(sizeof(int)))
    return fail("bridge helper failed: it passed no descriptor");
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return FileDescriptor(fd);
}

const RegisterType<TapNetdev, Netdev> registration;

}  // namespace

Result<std::string> interface_of(int device) { return std::string(TRY(flags_of(device)).ifr_name); }

Result<std::unique_ptr<TapNetdev>> TapNetdev::make(Plan plan) {
  const int fd = plan.device.get();
  const ifreq flags = TRY(flags_of(fd));
  if ((flags.ifr_flags & IFF_TAP) == 0)
    return fail("interface {} carries no Ethernet frames: it is a tun, not a tap", flags.ifr_name);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  auto netdev = create<TapNetdev>();
  if ((flags.ifr_flags & IFF_VNET_HDR) != 0) {
    int size = kHeader;
    // Whole frames with their sums, please: the card's guest gets them as they are.
    if (::ioctl(fd, TUNSETVNETHDRSZ, &size) < 0 || ::ioctl(fd, TUNSETOFFLOAD, 0) < 0)
      return fail("interface {}: {}", flags.ifr_name, errno_text(errno));
    netdev->header_ = kHeader;
  }
  netdev->kind_ = std::move(plan.kind);
  netdev->what_ = std::move(plan.what);
  netdev->change_socket(std::move(plan.device));
  return netdev;
}

void TapNetdev::run_at_end(std::string script, std::string ifname) {
  at_end_ = std::move(script);
  ifname_ = std::move(ifname);
}

TapNetdev::~TapNetdev() {
  if (at_end_.empty()) return;
  // The interface is still there: the script may want it.
  if (auto done = run_script(at_end_, ifname_); !done) report_warning(done.error().message());
}

bool TapNetdev::fill(DatagramBatch& batch) { return batch.read_device(socket(), header_); }

std::size_t TapNetdev::transmit(std::span<const Frame> frames) {
  std::array<u8, kHeader> header{};
  for (std::size_t taken = 0; taken < frames.size(); ++taken) {
    const std::array<iovec, 2> pieces{
        {{.iov_base = header.data(), .iov_len = header_},
         {.iov_base = const_cast<u8*>(frames[taken].data()), .iov_len = frames[taken].size()}}};
    ssize_t n = 0;
    do n = ::writev(socket(), pieces.data(), pieces.size());
    while (n < 0 && errno == EINTR);
    if (n >= 0 || (errno != EAGAIN && errno != ENOBUFS)) continue;
    await_room(errno);
    return taken;
  }
  return frames.size();
}

Result<> run_script(const std::string& script, const std::string& ifname) {
  const auto run = [script, ifname]() -> Result<int> {
    ChildProcess child = TRY(ChildProcess::start({script, ifname}, {}));
    const auto ended = child.wait(kScriptMs);
    if (!ended) return fail("network script {} does not end", script);
    return *ended;
  };
  const int status = TRY(ask_file_system<int>(script, run));
  if (status != 0) return fail("network script {} {}", script, end_text(status));
  return {};
}

Result<FileDescriptor> device_of_helper(const std::string& helper, const std::string& bridge,
                                        std::chrono::milliseconds patience) {
  const auto ms = static_cast<int>(patience.count());
  return ask_file_system<FileDescriptor>(helper, [helper, bridge, ms]() -> Result<FileDescriptor> {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return fail("{}", errno_text(errno));
    FileDescriptor ours(ends[0]), its(ends[1]);
    constexpr int kAs = 3;
    const std::string options = fmt::format("--use-vnet --fd={}", kAs);
    // What has blanks in it is a line for the shell, as QEMU has it.
    std::vector<std::string> words = {helper, "--use-vnet", fmt::format("--fd={}", kAs),
                                      "--br=" + bridge};
    if (helper.find_first_of(" \t") != std::string::npos) {
      std::string line = helper + " " + options;
      if (line.find("--br=") == std::string::npos) line += " --br=" + bridge;
      words = {"/bin/sh", "-c", line};
    }
    const std::array<ChildProcess::Descriptor, 1> passed{{{.ours = its.get(), .as = kAs}}};
    ChildProcess child = TRY(ChildProcess::start(words, passed));
    its.reset();
    FileDescriptor device = TRY(receive_descriptor(ours.get(), ms));
    const auto ended = child.wait(ms);
    if (!ended || *ended != 0) return fail("bridge helper failed");
    return device;
  });
}

}  // namespace rhea::net
