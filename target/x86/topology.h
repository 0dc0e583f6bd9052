// SPDX-License-Identifier: GPL-2.0-or-later
// How the processors of a machine lie in sockets, and the APIC ids that follow from it.
#pragma once

#include "rhea/util/types.h"

#include <bit>

namespace rhea::x86 {

/// Dies a socket, cores a die and threads a core; processors are numbered thread first, socket
/// last. An APIC id gives each level a field of whole bits (SDM vol. 3, 9.9.1), so ids have gaps
/// where a count is no power of two.
struct Topology {
  unsigned cores{1}, threads{1}, dies{1};

  static constexpr unsigned bits_for(unsigned count) {
    return static_cast<unsigned>(std::bit_width(count - 1));
  }
  constexpr unsigned thread_bits() const { return bits_for(threads); }
  constexpr unsigned die_bits() const { return thread_bits() + bits_for(cores); }
  constexpr unsigned package_bits() const { return die_bits() + bits_for(dies); }
  constexpr unsigned in_package() const { return dies * cores * threads; }
  constexpr u32 apic_id(unsigned index) const {
    const unsigned thread = index % threads;
    const unsigned core = index / threads % cores;
    const unsigned die = index / (threads * cores) % dies;
    const unsigned socket = index / in_package();
    return socket << package_bits() | die << die_bits() | core << thread_bits() | thread;
  }
};

}  // namespace rhea::x86
