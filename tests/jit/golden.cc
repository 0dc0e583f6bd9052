// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/jit/golden.h"

#include "rhea/util/error.h"
#include "target/x86/cpu_state.h"
#include "target/x86/decode/decode.h"
#include "target/x86/interp/bind.h"
#include "tests/jit/golden_listing.h"

#include <sstream>

namespace rhea::test {
namespace {

using namespace x86::translating;
using x86::Insn;

/// Where blocks begin in their page.
constexpr unsigned kPlace = 0x100;

std::vector<u8> bytes_of(const std::string& text) {
  std::vector<u8> bytes;
  std::istringstream words(text);
  for (std::string word; words >> word;)
    bytes.push_back(static_cast<u8>(std::stoul(word, nullptr, 16)));
  return bytes;
}

/// The instruction's text alone, of the disassembler's line.
std::string text_of(std::span<const u8> code, unsigned bits) {
  const std::string line = x86::disassemble(code, GuestVirt(kPlace), bits, 1);
  constexpr std::size_t kColumn = 38;  // behind address and bytes
  const std::string text = line.substr(kColumn, line.find('\n') - kColumn);
  return text.substr(0, text.find_last_not_of(" \n") + 1);
}

}  // namespace

Golden::Golden() : room_(64 * KiB), layout_(bench_.cpu) {
  Assembler a(room_);
  runtime_ = emit_runtime(a, layout_).runtime;
  shared_ = a.offset();
  set_mode("64");
  set_host("avx2");
}

void Golden::set_mode(std::string_view name) {
  if (name == "64")
    mode_ = {.code_bits = 64, .flat_data = true, .flat_code = true};
  else if (name == "32")
    mode_ = {.code_bits = 32, .flat_data = true, .flat_code = true, .wide_stack = true};
  else if (name == "32-segmented")
    mode_ = {.code_bits = 32, .wide_stack = true};
  else if (name == "16")
    mode_ = {.code_bits = 16};
  else
    RHEA_ASSERT(!"no such mode");
}

void Golden::set_host(std::string_view name) {
  RHEA_ASSERT(name == "avx2" || name == "baseline");
  const bool all = name == "avx2";
  host_ = {.bmi1 = all, .bmi2 = all, .lzcnt = all, .popcnt = all, .avx = all, .xsave = true};
}

std::string Golden::block(std::span<const u8> bytes) {
  const x86::DecodeMode how{.code_bits = mode_.code_bits,
                            .real_or_v86 = mode_.code_bits == 16,
                            .features = &bench_.model.features,
                            .amd = bench_.model.is_amd()};
  std::vector<Insn> insns;
  std::vector<std::string> texts;
  for (std::span<const u8> left = bytes; !left.empty(); left = left.subspan(insns.back().length)) {
    Insn insn;
    if (x86::decode(left, how, insn) != x86::DecodeStatus::Ok) return "(no instruction)\n";
    x86::interp::bind(insn);
    insns.push_back(insn);
    texts.push_back(text_of(left, mode_.code_bits));
  }
  if (insns.empty()) return "(no instruction)\n";
  const auto room = std::span<u8>(room_).subspan(shared_);
  Translator translator(room, layout_, runtime_, nullptr, host_);
  Translator::Result made;
  if (!translator.run(insns, kPlace, mode_, made)) return "(no room)\n";
  return list_block({.buffer = std::span(room_).first(shared_ + made.size),
                     .begin = shared_,
                     .made = made,
                     .layout = layout_,
                     .runtime = runtime_,
                     .guest = texts});
}

std::string Golden::remade(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string made;
  for (std::string line; std::getline(lines, line);) {
    const bool setting = line.starts_with("mode ") || line.starts_with("host ");
    if (line.starts_with("mode ")) set_mode(std::string_view(line).substr(5));
    if (line.starts_with("host ")) set_host(std::string_view(line).substr(5));
    if (line.starts_with("#") || setting) made += line + "\n";
    if (line.starts_with("> ")) made += "\n" + line + "\n" + block(bytes_of(line.substr(2)));
  }
  return made;
}

}  // namespace rhea::test
