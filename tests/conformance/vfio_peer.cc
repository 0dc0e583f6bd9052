// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/vfio_peer.h"

#include "hw/vfio/messages.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace rhea::test {
namespace {

using namespace hw::vfio;

constexpr u64 kBarSize = 4096;
constexpr u32 kRegions = 9, kKinds = 5;

std::array<u8, 256> config_space() {
  std::array<u8, 256> space{};
  space[0] = 0x36;
  space[1] = 0x1b;
  space[2] = 0x5b;
  space[3] = 0x7e;
  space[0x0b] = 0xff;
  space[0x3d] = 1;
  return space;
}

template <class T>
std::vector<u8> bytes_of(const T& value) {
  std::vector<u8> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <class T>
T read(const std::vector<u8>& body) {
  T value{};
  std::memcpy(&value, body.data(), std::min(sizeof value, body.size()));
  return value;
}

// A register reads as its number.
std::vector<u8> region_read(const RegionAccess& access) {
  static const auto config = config_space();
  std::vector<u8> reply = bytes_of(access);
  for (u64 at = access.offset; at < access.offset + access.count; ++at)
    reply.push_back(access.region == VFIO_PCI_CONFIG_REGION_INDEX ? config[at & 0xff]
                                                                  : static_cast<u8>(at));
  return reply;
}

std::vector<u8> reply_to(Command command, const std::vector<u8>& body) {
  switch (command) {
    case Command::Version: return bytes_of(Version{.major = 0, .minor = 1});
    case Command::DeviceInfo:
      return bytes_of(DeviceInfo{.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
                                 .regions = kRegions,
                                 .irqs = kKinds});
    case Command::RegionInfo: {
      auto info = read<vfio_region_info>(body);
      info.argsz = sizeof info;
      info.size = info.index == 0 ? kBarSize : 0;
      info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
      return bytes_of(info);
    }
    case Command::IrqInfo: {
      auto info = read<vfio_irq_info>(body);
      info.flags = VFIO_IRQ_INFO_EVENTFD;
      info.count = info.index == VFIO_PCI_INTX_IRQ_INDEX ? 1 : 0;
      return bytes_of(info);
    }
    case Command::RegionRead: return region_read(read<RegionAccess>(body));
    case Command::RegionWrite: return bytes_of(read<RegionAccess>(body));
    default: return {};
  }
}

bool receive(int fd, void* data, std::size_t size) {
  return size == 0 || ::recv(fd, data, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

// Descriptors that come along are dropped by the kernel.
void serve(int fd) {
  Header header{};
  while (receive(fd, &header, sizeof header)) {
    std::vector<u8> body(header.size - sizeof header);
    if (!receive(fd, body.data(), body.size())) return;
    const std::vector<u8> reply = reply_to(static_cast<Command>(header.command), body);
    header.flags = kTypeReply;
    header.size = static_cast<u32>(sizeof header + reply.size());
    std::vector<u8> message = bytes_of(header);
    message.insert(message.end(), reply.begin(), reply.end());
    if (::send(fd, message.data(), message.size(), MSG_NOSIGNAL) < 0) return;
  }
}

}  // namespace

struct VfioPeer::Server {
  FileDescriptor listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::thread thread;
};

VfioPeer::VfioPeer() : server_(std::make_unique<Server>()) {
  static std::atomic<unsigned> count{0};
  path_ = std::filesystem::temp_directory_path() /
          ("rhea-vfio-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path_.copy(name.sun_path, sizeof name.sun_path - 1);
  const int fd = server_->listener.get();
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(fd, 4) != 0)
    throw std::runtime_error("no socket for the vfio-user server");
  server_->thread = std::thread([fd] {
    for (;;) {
      const FileDescriptor client(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      serve(client.get());
    }
  });
}

// The clients are gone before.
VfioPeer::~VfioPeer() {
  ::shutdown(server_->listener.get(), SHUT_RDWR);
  server_->thread.join();
  std::filesystem::remove(path_);
}

}  // namespace rhea::test
