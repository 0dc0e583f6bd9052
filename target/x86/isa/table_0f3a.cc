// SPDX-License-Identifier: GPL-2.0-or-later
// Three-byte opcodes 0F 3A xx (SDM vol. 2, table A-5).
#include "target/x86/isa/build.h"
#include "target/x86/isa/tables.h"

namespace rhea::x86::isa {
namespace {

consteval Row row(u8 opcode, std::string_view text, const Traits& traits = {}) {
  return row(Map::Map0f3a, opcode, text, traits);
}

constexpr std::array kTable{
    row(0x08, "66 roundps Vx,Wx,Ib", Feature::Sse41),
    row(0x09, "66 roundpd Vx,Wx,Ib", Feature::Sse41),
    row(0x0a, "66 roundss Vd,Wd,Ib", Feature::Sse41),
    row(0x0b, "66 roundsd Vq,Wq,Ib", Feature::Sse41),
    row(0x0c, "66 blendps Vx,Wx,Ib", Feature::Sse41),
    row(0x0d, "66 blendpd Vx,Wx,Ib", Feature::Sse41),
    row(0x0e, "66 pblendw Vx,Wx,Ib", Feature::Sse41),
    row(0x0f, "NP palignr Pq,Qq,Ib", Feature::Ssse3),
    row(0x0f, "66 palignr Vx,Wx,Ib", Feature::Ssse3),
    row(0x14, "66 pextrb Rd/Mb,Vx,Ib", Feature::Sse41),
    row(0x15, "66 pextrw Rd/Mw,Vx,Ib", Feature::Sse41),
    row(0x16, "66 pextrd Ey,Vx,Ib", Feature::Sse41),
    row(0x17, "66 extractps Ed,Vx,Ib", Feature::Sse41),
    row(0x20, "66 pinsrb Vx,Rd/Mb,Ib", Feature::Sse41),
    row(0x21, "66 insertps Vx,Wd,Ib", Feature::Sse41),
    row(0x22, "66 pinsrd Vx,Ey,Ib", Feature::Sse41),
    row(0x40, "66 dpps Vx,Wx,Ib", Feature::Sse41),
    row(0x41, "66 dppd Vx,Wx,Ib", Feature::Sse41),
    row(0x42, "66 mpsadbw Vx,Wx,Ib", Feature::Sse41),
    row(0x44, "66 pclmulqdq Vx,Wx,Ib", Feature::Pclmulqdq),
    row(0x60, "66 pcmpestrm Vx,Wx,Ib", Feature::Sse42 | Unaligned | kCompare),
    row(0x61, "66 pcmpestri Vx,Wx,Ib", Feature::Sse42 | Unaligned | kCompare),
    row(0x62, "66 pcmpistrm Vx,Wx,Ib", Feature::Sse42 | Unaligned | kCompare),
    row(0x63, "66 pcmpistri Vx,Wx,Ib", Feature::Sse42 | Unaligned | kCompare),
    row(0xcc, "NP sha1rnds4 Vx,Wx,Ib", Feature::ShaNi),
    row(0xdf, "66 aeskeygenassist Vx,Wx,Ib", Feature::Aes),
};
static_assert(unique(kTable));

}  // namespace

std::span<const Row> map_0f3a_rows() { return kTable; }

}  // namespace rhea::x86::isa
