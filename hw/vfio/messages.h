// SPDX-License-Identifier: GPL-2.0-or-later
// What goes over a vfio-user socket: protocol version 0.1 (QEMU's docs/interop/vfio-user.rst), in
// the host's byte order. Structures of regions and interrupts are the kernel's (linux/vfio.h).
#pragma once

#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"

#include <linux/vfio.h>

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rhea::hw::vfio {

enum class Command : u16 {
  None = 0,
  Version = 1,
  DmaMap = 2,
  DmaUnmap = 3,
  DeviceInfo = 4,
  RegionInfo = 5,
  RegionIoFds = 6,
  IrqInfo = 7,
  SetIrqs = 8,
  RegionRead = 9,
  RegionWrite = 10,
  DmaRead = 11,
  DmaWrite = 12,
  Reset = 13,
};

/// Before each message. `size` counts it, too.
struct Header {
  u16 id{};
  u16 command{};
  u32 size{};
  u32 flags{};
  u32 error{};
};
inline constexpr u32 kTypeMask = 0xf, kTypeReply = 1, kFlagNoReply = 0x10, kFlagError = 0x20;

struct Version {
  u16 major{};
  u16 minor{};
};
struct DmaMap {
  u32 argsz{sizeof(DmaMap)};
  u32 flags{};  ///< 1: readable, 2: writable
  u64 offset{};
  u64 address{};
  u64 size{};
};
struct DmaUnmap {
  u32 argsz{sizeof(DmaUnmap)};
  u32 flags{};
  u64 address{};
  u64 size{};
};
struct DeviceInfo {
  u32 argsz{sizeof(DeviceInfo)};
  u32 flags{};
  u32 regions{};
  u32 irqs{};
};
/// Before an array of parts of a region; each says what a write there signals.
struct RegionIoFds {
  u32 argsz{};
  u32 flags{};
  u32 index{};
  u32 count{};
};
struct IoFd {
  u64 offset{};
  u64 size{};  ///< of the write; 0: any
  u32 descriptor{};
  u32 type{};  ///< 0: an eventfd
  u32 flags{};
  u32 padding{};
  u64 match{};
};
inline constexpr u32 kIoFdMatches = 1, kIoFdPorts = 2;

struct RegionAccess {
  u64 offset{};
  u32 region{};
  u32 count{};
};
struct DmaAccess {
  u64 address{};
  u64 count{};
};

/// The most bytes that one of the server's transfers, or one of our accesses, may have.
inline constexpr u32 kMostTransfer = 64 * KiB;
inline constexpr u32 kMostBody = 2 * kMostTransfer;
inline constexpr std::size_t kMostDescriptors = 8;

/// A message as it came.
struct Message {
  Command command{Command::None};
  u16 id{};
  bool wants_reply{false};
  bool twin{false};  ///< it came on the socket for the server's commands
  u32 error{};       ///< of a reply; 0: none
  std::vector<u8> body{};
  std::vector<FileDescriptor> descriptors{};

  /// The structure at `offset` of the body; nullopt when there is less.
  template <class T>
  std::optional<T> read(std::size_t offset = 0) const {
    if (body.size() < sizeof(T) || offset > body.size() - sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, body.data() + offset, sizeof(T));
    return value;
  }
};

/// Puts structures and bytes behind each other.
class Body {
 public:
  template <class T>
  explicit Body(const T& head) {
    bytes(&head, sizeof head);
  }
  Body& bytes(const void* data, std::size_t size) {
    const std::size_t at = data_.size();
    data_.resize(at + size);
    std::memcpy(data_.data() + at, data, size);
    return *this;
  }
  operator std::span<const u8>() const {
    return data_;
  }  // NOLINT(google-explicit-constructor): it is one

 private:
  std::vector<u8> data_;
};

}  // namespace rhea::hw::vfio
