// SPDX-License-Identifier: GPL-2.0-or-later
// Machine code as text, by Zydis.
#include "target/x86/cpu_state.h"

#include <Zydis/Zydis.h>

#include <algorithm>

namespace rhea::x86 {
namespace {

constexpr std::size_t kLongest = 15;

ZydisMachineMode machine_mode(unsigned bits) {
  if (bits == 64) return ZYDIS_MACHINE_MODE_LONG_64;
  return bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_REAL_16;
}

std::string line(GuestVirt address, std::span<const u8> bytes, const char* text) {
  std::string hex;
  for (const u8 byte : bytes) hex += fmt::format("{:02x} ", byte);
  return fmt::format("0x{:08x}:  {:<24} {}\n", address.value, hex, text);
}

}  // namespace

std::string disassemble(std::span<const u8> code, GuestVirt address, unsigned bits,
                        unsigned count) {
  std::string text;
  for (; count > 0 && !code.empty(); --count) {
    ZydisDisassembledInstruction instruction;
    const std::size_t offered = std::min(code.size(), kLongest);
    const ZyanStatus status = ZydisDisassembleIntel(machine_mode(bits), address.value, code.data(),
                                                    offered, &instruction);
    std::size_t length = 1;
    if (ZYAN_SUCCESS(status)) {
      length = instruction.info.length;
      text += line(address, code.first(length), instruction.text);
    } else {
      text += line(address, code.first(1), "(bad)");
    }
    code = code.subspan(length);
    address = address + length;
  }
  return text;
}

bool is_instruction(std::span<const u8> code, unsigned bits) {
  ZydisDecoder decoder;
  ZydisDecodedInstruction instruction;
  const ZydisMachineMode mode = machine_mode(bits);
  const ZydisStackWidth width = bits == 64   ? ZYDIS_STACK_WIDTH_64
                                : bits == 32 ? ZYDIS_STACK_WIDTH_32
                                             : ZYDIS_STACK_WIDTH_16;
  return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, mode, width)) &&
         ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, nullptr, code.data(),
                                                    std::min(code.size(), kLongest), &instruction));
}

}  // namespace rhea::x86
