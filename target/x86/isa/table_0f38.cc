// SPDX-License-Identifier: GPL-2.0-or-later
// Three-byte opcodes 0F 38 xx (SDM vol. 2, table A-4).
#include "target/x86/isa/build.h"
#include "target/x86/isa/tables.h"

namespace rhea::x86::isa {
namespace {

consteval Row row(u8 opcode, std::string_view text, const Traits& traits = {}) {
  return row(Map::Map0f38, opcode, text, traits);
}

constexpr std::array kTable{
    row(0x00, "NP pshufb Pq,Qq", Feature::Ssse3),
    row(0x00, "66 pshufb Vx,Wx", Feature::Ssse3),
    row(0x01, "NP phaddw Pq,Qq", Feature::Ssse3),
    row(0x01, "66 phaddw Vx,Wx", Feature::Ssse3),
    row(0x02, "NP phaddd Pq,Qq", Feature::Ssse3),
    row(0x02, "66 phaddd Vx,Wx", Feature::Ssse3),
    row(0x03, "NP phaddsw Pq,Qq", Feature::Ssse3),
    row(0x03, "66 phaddsw Vx,Wx", Feature::Ssse3),
    row(0x04, "NP pmaddubsw Pq,Qq", Feature::Ssse3),
    row(0x04, "66 pmaddubsw Vx,Wx", Feature::Ssse3),
    row(0x05, "NP phsubw Pq,Qq", Feature::Ssse3),
    row(0x05, "66 phsubw Vx,Wx", Feature::Ssse3),
    row(0x06, "NP phsubd Pq,Qq", Feature::Ssse3),
    row(0x06, "66 phsubd Vx,Wx", Feature::Ssse3),
    row(0x07, "NP phsubsw Pq,Qq", Feature::Ssse3),
    row(0x07, "66 phsubsw Vx,Wx", Feature::Ssse3),
    row(0x08, "NP psignb Pq,Qq", Feature::Ssse3),
    row(0x08, "66 psignb Vx,Wx", Feature::Ssse3),
    row(0x09, "NP psignw Pq,Qq", Feature::Ssse3),
    row(0x09, "66 psignw Vx,Wx", Feature::Ssse3),
    row(0x0a, "NP psignd Pq,Qq", Feature::Ssse3),
    row(0x0a, "66 psignd Vx,Wx", Feature::Ssse3),
    row(0x0b, "NP pmulhrsw Pq,Qq", Feature::Ssse3),
    row(0x0b, "66 pmulhrsw Vx,Wx", Feature::Ssse3),
    row(0x10, "66 pblendvb Vx,Wx", Feature::Sse41),
    row(0x14, "66 blendvps Vx,Wx", Feature::Sse41),
    row(0x15, "66 blendvpd Vx,Wx", Feature::Sse41),
    row(0x17, "66 ptest Vx,Wx", Feature::Sse41 | kCompare),
    row(0x1c, "NP pabsb Pq,Qq", Feature::Ssse3),
    row(0x1c, "66 pabsb Vx,Wx", Feature::Ssse3),
    row(0x1d, "NP pabsw Pq,Qq", Feature::Ssse3),
    row(0x1d, "66 pabsw Vx,Wx", Feature::Ssse3),
    row(0x1e, "NP pabsd Pq,Qq", Feature::Ssse3),
    row(0x1e, "66 pabsd Vx,Wx", Feature::Ssse3),
    row(0x20, "66 pmovsxbw Vx,Wx2", Feature::Sse41),
    row(0x21, "66 pmovsxbd Vx,Wx4", Feature::Sse41),
    row(0x22, "66 pmovsxbq Vx,Wx8", Feature::Sse41),
    row(0x23, "66 pmovsxwd Vx,Wx2", Feature::Sse41),
    row(0x24, "66 pmovsxwq Vx,Wx4", Feature::Sse41),
    row(0x25, "66 pmovsxdq Vx,Wx2", Feature::Sse41),
    row(0x28, "66 pmuldq Vx,Wx", Feature::Sse41),
    row(0x29, "66 pcmpeqq Vx,Wx", Feature::Sse41),
    row(0x2a, "66 movntdqa Vx,Mx", Feature::Sse41),
    row(0x2b, "66 packusdw Vx,Wx", Feature::Sse41),
    row(0x30, "66 pmovzxbw Vx,Wx2", Feature::Sse41),
    row(0x31, "66 pmovzxbd Vx,Wx4", Feature::Sse41),
    row(0x32, "66 pmovzxbq Vx,Wx8", Feature::Sse41),
    row(0x33, "66 pmovzxwd Vx,Wx2", Feature::Sse41),
    row(0x34, "66 pmovzxwq Vx,Wx4", Feature::Sse41),
    row(0x35, "66 pmovzxdq Vx,Wx2", Feature::Sse41),
    row(0x37, "66 pcmpgtq Vx,Wx", Feature::Sse42),
    row(0x38, "66 pminsb Vx,Wx", Feature::Sse41),
    row(0x39, "66 pminsd Vx,Wx", Feature::Sse41),
    row(0x3a, "66 pminuw Vx,Wx", Feature::Sse41),
    row(0x3b, "66 pminud Vx,Wx", Feature::Sse41),
    row(0x3c, "66 pmaxsb Vx,Wx", Feature::Sse41),
    row(0x3d, "66 pmaxsd Vx,Wx", Feature::Sse41),
    row(0x3e, "66 pmaxuw Vx,Wx", Feature::Sse41),
    row(0x3f, "66 pmaxud Vx,Wx", Feature::Sse41),
    row(0x40, "66 pmulld Vx,Wx", Feature::Sse41),
    row(0x41, "66 phminposuw Vx,Wx", Feature::Sse41),
    row(0x82, "66 invpcid Gn,Mdq", Feature::Invpcid | Cpl0 | EndsBlock),
    row(0xc8, "NP sha1nexte Vx,Wx", Feature::ShaNi),
    row(0xc9, "NP sha1msg1 Vx,Wx", Feature::ShaNi),
    row(0xca, "NP sha1msg2 Vx,Wx", Feature::ShaNi),
    row(0xcb, "NP sha256rnds2 Vx,Wx", Feature::ShaNi),
    row(0xcc, "NP sha256msg1 Vx,Wx", Feature::ShaNi),
    row(0xcd, "NP sha256msg2 Vx,Wx", Feature::ShaNi),
    row(0xdb, "66 aesimc Vx,Wx", Feature::Aes),
    row(0xdc, "66 aesenc Vx,Wx", Feature::Aes),
    row(0xdd, "66 aesenclast Vx,Wx", Feature::Aes),
    row(0xde, "66 aesdec Vx,Wx", Feature::Aes),
    row(0xdf, "66 aesdeclast Vx,Wx", Feature::Aes),
    row(0xf0, "NP movbe Gv,Mv", Feature::Movbe),
    row(0xf0, "66 movbe Gv,Mv", Feature::Movbe),
    row(0xf0, "F2 crc32 Gy,Eb", Feature::Sse42),
    row(0xf1, "NP movbe Mv,Gv", Feature::Movbe),
    row(0xf1, "66 movbe Mv,Gv", Feature::Movbe),
    row(0xf1, "F2 crc32 Gy,Ev", Feature::Sse42),
    row(0xf6, "66 adcx Gy,Ey", Feature::Adx | FlagUse{kCf, kCf, 0}),
    row(0xf6, "F3 adox Gy,Ey", Feature::Adx | FlagUse{kOf, kOf, 0}),
};
static_assert(unique(kTable));

}  // namespace

std::span<const Row> map_0f38_rows() { return kTable; }

}  // namespace rhea::x86::isa
