// SPDX-License-Identifier: GPL-2.0-or-later
// Machine code as text, by Zydis.
#include "target/x86/cpu_state.h"

#include <Zydis/Zydis.h>

#include <algorithm>

namespace rhea::x86 {
namespace {

constexpr std::size_t kLongest = 15;

/// AT&T syntax as GNU's and QEMU's users know it.
class Disassembler {
 public:
  explicit Disassembler(unsigned bits) {
    if (bits == 64)
      ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    else if (bits == 32)
      ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
    else
      ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16);
    ZydisFormatterInit(&formatter_, ZYDIS_FORMATTER_STYLE_ATT);
    ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
    for (const auto padding :
         {ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_FORMATTER_PROP_ADDR_PADDING_RELATIVE,
          ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_FORMATTER_PROP_IMM_PADDING})
      ZydisFormatterSetProperty(&formatter_, padding, ZYDIS_PADDING_DISABLED);
  }

  /// The instruction's text and its length; 0 where there is none.
  std::pair<std::string, std::size_t> operator()(std::span<const u8> code, u64 address) const {
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    char text[128];
    const std::size_t offered = std::min(code.size(), kLongest);
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeFull(&decoder_, code.data(), offered, &instruction, operands)) ||
        !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter_, &instruction, operands,
                                                      instruction.operand_count_visible, text,
                                                      sizeof text, address, ZYAN_NULL)))
      return {"(bad)", 0};
    return {text, instruction.length};
  }

 private:
  ZydisDecoder decoder_{};
  ZydisFormatter formatter_{};
};

std::string hex(std::span<const u8> bytes) {
  std::string text;
  for (const u8 byte : bytes) text += fmt::format("{:02x} ", byte);
  return text;
}

// Bytes beyond the eighth come in a line of their own; operands stand below each other.
std::string line(GuestVirt address, std::span<const u8> bytes, std::string_view instruction) {
  constexpr std::size_t kBytesOfLine = 8;
  const auto space = instruction.find(' ');
  const std::string_view mnemonic = instruction.substr(0, space);
  const std::string_view operands =
      space == std::string_view::npos ? "" : instruction.substr(space + 1);
  const std::size_t first = std::min(bytes.size(), kBytesOfLine);
  std::string text = fmt::format("0x{:08x}:  {:<24} {:<8} {}\n", address.value,
                                 hex(bytes.first(first)), mnemonic, operands);
  if (bytes.size() > first)
    text += fmt::format("0x{:08x}:  {}\n", address.value + first, hex(bytes.subspan(first)));
  return text;
}

}  // namespace

std::string disassemble(std::span<const u8> code, GuestVirt address, unsigned bits,
                        unsigned count) {
  const Disassembler decode(bits);
  std::string text;
  for (; count > 0 && !code.empty(); --count) {
    const auto [instruction, length] = decode(code, address.value);
    const std::size_t used = std::max<std::size_t>(length, 1);
    text += line(address, code.first(used), instruction);
    code = code.subspan(used);
    address = address + used;
  }
  return text;
}

bool is_instruction(std::span<const u8> code, unsigned bits) {
  return Disassembler(bits)(code, 0).second != 0;
}

}  // namespace rhea::x86
