// SPDX-License-Identifier: GPL-2.0-or-later
// Asks the general decoder what it makes of every ModRM and SIB byte.
#include "target/x86/decode/address_table.h"

#include "target/x86/decode/modrm.h"

namespace rhea::x86::decoding {
namespace {

/// How memory is addressed, as far as the mode says.
struct Addressing {
  u8 size{};
  bool long_mode{};
};

struct Sample {
  u32 fields{};
  unsigned taken{};  ///< bytes behind ModRM
};

Sample sample(Addressing addressing, u8 modrm, u8 sib, u8 rex_x, u8 rex_b) {
  const std::array<u8, 16> bytes{sib};
  Cursor cursor(bytes.data());
  Insn insn;
  insn.modrm = modrm;
  insn.address_size = addressing.size;
  const Prefixes prefixes{.rex_x = rex_x, .rex_b = rex_b};
  take_memory(cursor, prefixes, addressing.long_mode, false, insn);
  return {.fields = packed_address(insn.base, insn.index, insn.scale, insn.seg),
          .taken = cursor.taken()};
}

Address address_of(Addressing addressing, u8 modrm, u8 sib) {
  const auto [plain, taken] = sample(addressing, modrm, sib, 0, 0);
  const bool has_sib = addressing.size != 2 && (modrm & 7) == Rsp;
  const unsigned disp_size = taken - (has_sib ? 1 : 0);
  return {.fields = plain ^ packed_address(kNoReg, kNoReg, 0, Ds),
          .with_rex = sample(addressing, modrm, sib, 8, 8).fields ^ plain,
          .disp = extension_of<u32>(disp_size, true),
          .length = static_cast<u8>(1 + taken),
          .disp_size = static_cast<u8>(disp_size)};
}

}  // namespace

AddressTable make_address_table(u8 address_size, bool long_mode) {
  const Addressing addressing{.size = address_size, .long_mode = long_mode};
  AddressTable table{};
  for (unsigned modrm = 0; modrm < 256; ++modrm)
    table[1 + modrm] = modrm < 0xc0 ? address_of(addressing, static_cast<u8>(modrm), 0)
                                    : Address{.disp = {}, .length = 1};
  for (unsigned mod = 0; mod < 3; ++mod)
    for (unsigned sib = 0; sib < 256; ++sib) {
      const auto modrm = static_cast<u8>(mod << 6 | Rsp);
      table[address_place(modrm).first + sib] = address_of(addressing, modrm, static_cast<u8>(sib));
    }
  return table;
}

}  // namespace rhea::x86::decoding
