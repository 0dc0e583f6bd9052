// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses to host memory behind guest RAM. Other vCPUs use the memory at the same time: what is
// naturally aligned and of a register's size moves as one.
#pragma once

#include "rhea/util/types.h"

#include <bit>
#include <cstring>

namespace rhea::softmmu {

static_assert(std::endian::native == std::endian::little, "guest memory is little-endian");

template <class T>
bool aligned_for(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) % sizeof(T) == 0;
}

template <class T>
u64 load_as(const u8* host) {
  if (aligned_for<T>(host))
    return __atomic_load_n(reinterpret_cast<const T*>(host), __ATOMIC_RELAXED);
  T value;
  std::memcpy(&value, host, sizeof value);
  return value;
}

template <class T>
void store_as(u8* host, u64 wide) {
  const T value = static_cast<T>(wide);
  if (aligned_for<T>(host))
    __atomic_store_n(reinterpret_cast<T*>(host), value, __ATOMIC_RELAXED);
  else
    std::memcpy(host, &value, sizeof value);
}

/// `size` is at most 8.
inline u64 load_host(const u8* host, unsigned size) {
  switch (size) {
    case 1: return load_as<u8>(host);
    case 2: return load_as<u16>(host);
    case 4: return load_as<u32>(host);
    case 8: return load_as<u64>(host);
    default: {
      u64 value = 0;
      std::memcpy(&value, host, size);
      return value;
    }
  }
}

inline void store_host(u8* host, u64 value, unsigned size) {
  switch (size) {
    case 1: return store_as<u8>(host, value);
    case 2: return store_as<u16>(host, value);
    case 4: return store_as<u32>(host, value);
    case 8: return store_as<u64>(host, value);
    default: std::memcpy(host, &value, size);
  }
}

/// 1, 2, 4 or 8, without the call that counting bits is on the oldest x86-64.
constexpr bool register_sized(u64 length) { return length <= 8 && (0x116u >> length & 1) != 0; }

inline void copy_from_host(u8* to, const u8* host, u64 length) {
  if (!register_sized(length)) {
    std::memcpy(to, host, length);
    return;
  }
  const u64 value = load_host(host, static_cast<unsigned>(length));
  std::memcpy(to, &value, length);
}

inline void copy_to_host(u8* host, const u8* from, u64 length) {
  if (!register_sized(length)) {
    std::memcpy(host, from, length);
    return;
  }
  u64 value = 0;
  std::memcpy(&value, from, length);
  store_host(host, value, static_cast<unsigned>(length));
}

}  // namespace rhea::softmmu
