// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/happening.h"

#include <iterator>

namespace rhea::test {
namespace {

std::string_view name_of(Happening::What what) {
  using enum Happening::What;
  switch (what) {
    case Driver: return "its driver uses it";
    case Peer: return "a peer, network, disk, pin or key does something";
    case Work: return "work on the main loop";
    case Reset: return "reset";
    case Save: return "save";
    case Load: return "load";
    case Unplug: return "unplug";
    default: return "";
  }
}

}  // namespace

void append_text(Text& text, const Happening& h, std::string_view device) {
  using enum Happening::What;
  const auto add = [&text]<class... T>(fmt::format_string<T...> format, T&&... arguments) {
    fmt::format_to(std::back_inserter(text), format, std::forward<T>(arguments)...);
  };
  const std::string_view space = h.io ? "port" : "address";
  add("{}: ", device);
  switch (h.what) {
    case Read: return add("read of {} bytes at {} {:#x}", h.size, space, h.address);
    case Write:
      return add("write of {} bytes at {} {:#x}, value {:#x}", h.size, space, h.address, h.value);
    case ConfigRead: return add("read of register {:#x} in configuration space", h.address);
    case ConfigWrite:
      return add("write of {:#x} to register {:#x} in configuration space", h.value, h.address);
    case Memory: return add("new words in memory from {:#x}", h.address);
    case Time: return add("time moves by {} ns", h.value);
    default: return add("{}", name_of(h.what));
  }
}

}  // namespace rhea::test
