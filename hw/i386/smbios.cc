// SPDX-License-Identifier: GPL-2.0-or-later
// SMBIOS structures 0 (left to the firmware), 1, 3, 4, 16, 17, 19, 32, 127.
#include "hw/i386/smbios.h"

#include "hw/i386/table_writer.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace rhea::hw {
namespace {

/// Structures one behind the other: a formatted part with its length, then strings.
class Structures {
 public:
  u16 begin(u8 type, u16 handle) {
    start_ = out.size();
    out.byte(type).byte(0).word(handle);
    ++count;
    return handle;
  }
  void end(std::initializer_list<std::string_view> strings = {}) {
    out.patch(start_ + 1, out.size() - start_, 1);
    for (const std::string_view s : strings) out.text(s, s.size() + 1);
    out.zeroes(strings.size() == 0 ? 2 : 1);
    largest_ = std::max(largest_, out.size() - start_);
  }
  std::size_t largest() const { return largest_; }

  TableWriter out;
  unsigned count{0};

 private:
  std::size_t start_{0};
  std::size_t largest_{0};
};

void add_system(Structures& s) {
  s.begin(1, 0x100);
  s.out.byte(1).byte(2).byte(3).byte(0).zeroes(16).byte(6).byte(0).byte(0);
  s.end({"Rhea", "Standard PC (i440FX + PIIX, 1996)", "pc-i440fx-7.2"});
  s.begin(3, 0x300);
  s.out.byte(1)
      .byte(1)
      .byte(2)
      .byte(0)
      .byte(0)
      .byte(3)
      .byte(3)
      .byte(3)
      .byte(2)
      .dword(0)
      .byte(0)
      .byte(0)
      .byte(0)
      .byte(0)
      .byte(0);
  s.end({"Rhea", "pc-i440fx-7.2"});
}

void add_processors(Structures& s, const SmbiosConfig& config) {
  for (unsigned socket = 0; socket < config.sockets; ++socket) {
    s.begin(4, static_cast<u16>(0x400 + socket));
    s.out.byte(1)
        .byte(3)
        .byte(1)
        .byte(2)
        .qword(0)
        .byte(3)
        .byte(0)
        .word(0)
        .word(2000)
        .word(2000)
        .byte(0x41)
        .byte(1);
    s.out.word(0xffff).word(0xffff).word(0xffff).byte(0).byte(0).byte(0);
    const unsigned threads = config.cores * config.threads;
    s.out.byte(std::min(config.cores, 255u))
        .byte(std::min(config.cores, 255u))
        .byte(std::min(threads, 255u))
        .word(2)
        .word(1);
    s.out.word(config.cores).word(config.cores).word(threads);
    s.end({"CPU", "Rhea", "pc-i440fx-7.2"});
  }
}

void add_memory(Structures& s, const SmbiosConfig& config) {
  constexpr u64 kModule = 16 * GiB;
  const u64 modules = (config.ram_size + kModule - 1) / kModule;
  s.begin(16, 0x1000);
  const u64 kib = config.ram_size / KiB;
  s.out.byte(1)
      .byte(3)
      .byte(6)
      .dword(kib < 0x80000000 ? kib : 0x80000000)
      .word(0xfffe)
      .word(modules);
  s.out.qword(kib < 0x80000000 ? 0 : config.ram_size);
  s.end();
  for (u64 m = 0; m < std::min<u64>(modules, 256); ++m) {
    const u64 mib = std::min(kModule, config.ram_size - m * kModule) / MiB;
    s.begin(17, static_cast<u16>(0x1100 + m));
    s.out.word(0x1000)
        .word(0xfffe)
        .word(0xffff)
        .word(0xffff)
        .word(mib < 0x7fff ? mib : 0x7fff)
        .byte(9)
        .byte(0);
    s.out.byte(1).byte(0).byte(7).word(2).word(0).byte(2).byte(0).byte(0).byte(0).byte(0);
    s.out.dword(mib < 0x7fff ? 0 : mib).word(0).word(0).word(0).word(0);
    s.end({"DIMM", "Rhea"});
  }
  const auto area = [&](u16 handle, u64 first, u64 last) {
    const bool extended = last / KiB >= 0xffffffff;
    s.begin(19, handle);
    s.out.dword(extended ? 0xffffffff : first / KiB)
        .dword(extended ? 0xffffffff : last / KiB)
        .word(0x1000)
        .byte(1);
    s.out.qword(extended ? first : 0).qword(extended ? last : 0);
    s.end();
  };
  area(0x1300, 0, config.low_ram - 1);
  if (config.ram_size > config.low_ram)
    area(0x1301, 4 * GiB, 4 * GiB + config.ram_size - config.low_ram - 1);
}

u8 negated_sum(const std::vector<u8>& data, std::size_t first, std::size_t count) {
  u8 sum = 0;
  for (std::size_t i = first; i < first + count; ++i) sum = static_cast<u8>(sum + data[i]);
  return static_cast<u8>(-sum);
}

}  // namespace

SmbiosTables build_smbios(const SmbiosConfig& config) {
  Structures s;
  add_system(s);
  add_processors(s, config);
  add_memory(s, config);
  s.begin(32, 0x2000);
  s.out.zeroes(7);
  s.end();
  s.begin(127, 0x7f00);
  s.end();
  TableWriter anchor;
  anchor.text("_SM_", 4).byte(0).byte(0x1f).byte(2).byte(8).word(s.largest()).byte(0).zeroes(5);
  anchor.text("_DMI_", 5).byte(0).word(s.out.size()).dword(0).word(s.count).byte(0x28);
  anchor.patch(0x15, negated_sum(anchor.data, 0x10, 0x0f), 1);
  anchor.patch(4, negated_sum(anchor.data, 0, 0x1f), 1);
  return {.tables = std::move(s.out.data), .anchor = std::move(anchor.data)};
}

}  // namespace rhea::hw
