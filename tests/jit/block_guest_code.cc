// SPDX-License-Identifier: GPL-2.0-or-later
// The block guest's code.
#include "target/x86/decode/decode.h"
#include "tests/jit/block_guest.h"

#include <algorithm>

namespace rhea::test {
namespace {

/// How often each of families_ is drawn, of 100.
constexpr std::array<unsigned, 8> kFamilyWeights{58, 3, 9, 8, 6, 4, 3, 9};

/// Of the mode that code is generated for.
unsigned bits_of(WildMode mode) {
  return mode == WildMode::Long ? 64 : mode <= WildMode::Protected16 ? 16 : 32;
}

void append(std::vector<u8>& to, u64 value, unsigned size) {
  for (unsigned n = 0; n < size; ++n) to.push_back(static_cast<u8>(value >> 8 * n));
}

}  // namespace

// 16-bit addresses have BX, BP, SI and DI alone.
void BlockGuest::choose_pointers() {
  const unsigned bits = bits_of(mode_);
  constexpr std::array<u8, 4> kNarrow{x86::Rbx, x86::Rbp, x86::Rsi, x86::Rdi};
  kept_ = one_in(8) ? 0 : 1 << x86::Rsp;
  for (u8& pointer : pointers_) {
    do pointer = bits == 16 ? kNarrow[below(4)] : static_cast<u8>(below(bits == 64 ? 16 : 8));
    while (pointer == x86::Rsp);
    if (!one_in(6)) kept_ |= static_cast<u16>(1U << pointer);
  }
}

std::vector<u8> BlockGuest::move_pointer() {
  std::vector<u8> bytes;
  const u8 reg = pointers_[below(3)];
  if (bits_of(mode_) == 64) bytes.push_back(0x48 | reg >> 3);
  bytes.insert(bytes.end(), {0x83, static_cast<u8>(0xc0 | (reg & 7))});  // ADD
  bytes.push_back(static_cast<u8>(random_()));
  return bytes;
}

// So that a repeated instruction does not take its time.
std::vector<u8> BlockGuest::small_count() {
  return {0x6a, static_cast<u8>(below(40)), 0x59};  // PUSH; POP rCX
}

std::vector<u8> BlockGuest::one_instruction() {
  std::vector<u8> bytes;
  if (one_in(24)) return move_pointer();
  if (one_in(12)) return small_count();
  u64 drawn = below(100);
  unsigned family = 0;
  while (drawn >= kFamilyWeights[family]) drawn -= kFamilyWeights[family++];
  const auto& rows = families_[family];
  x86::isa::GenerateMode how{.code_bits = static_cast<u8>(bits_of(mode_)), .avoid = kept_};
  if (!one_in(3)) how.base = pointers_[below(3)];
  how.amd = vcpu_->model().is_amd();
  while (bytes.empty()) generate(*rows[below(rows.size())], random_, how, bytes);
  if (one_in(200)) bytes[below(bytes.size())] ^= static_cast<u8>(1U << below(8));
  return bytes;
}

unsigned BlockGuest::size_of(End end) const {
  const unsigned wide = bits_of(mode_) == 16 ? 2 : 4;
  switch (end) {
    case End::Jump:
    case End::Call: return 1 + wide;
    case End::Condition: return 2 + wide;
    case End::Return: return 1;
    case End::Loop: return 2;
    case End::Register:
    case End::Indirect: return 1 + wide + 2;
    case End::None: return 0;
  }
  return 0;
}

// To a block nearby, or any other.
std::vector<u8> BlockGuest::end_of(const Body& body, u64 at, std::span<const Body> all) {
  std::vector<u8> bytes;
  const unsigned wide = bits_of(mode_) == 16 ? 2 : 4;
  const auto self = static_cast<u64>(&body - all.data());
  const u64 next = one_in(3) ? below(all.size()) : (self + below(6)) % all.size();
  const u64 target = all[next].at, behind = at + size_of(body.end);
  const u64 base = mode_ <= WildMode::Protected16 ? kCode : 0;
  switch (body.end) {
    case End::Jump: bytes = {0xe9}; break;
    case End::Call: bytes = {0xe8}; break;
    case End::Condition: bytes = {0x0f, static_cast<u8>(0x80 | below(16))}; break;
    case End::Return: return {0xc3};
    case End::Loop: {
      const u64 distance = body.at - behind;
      return {static_cast<u8>(0xe0 | below(4)),
              static_cast<u8>(static_cast<i64>(distance) >= -128 ? distance : below(20))};
    }
    case End::Register:
    case End::Indirect:  // MOV EAX; JMP or CALL rAX
      bytes = {0xb8};
      append(bytes, target - base, wide);
      bytes.insert(bytes.end(), {0xff, body.end == End::Register ? u8{0xe0} : u8{0xd0}});
      return bytes;
    case End::None: return {};
  }
  append(bytes, target - behind, wide);
  return bytes;
}

void BlockGuest::put(u64 at, const std::vector<u8>& bytes) {
  const std::size_t number = pieces_.size();
  pieces_.push_back({.at = at, .length = static_cast<unsigned>(bytes.size())});
  const bool nothing = number < left_out_.size() && left_out_[number];
  for (std::size_t n = 0; n < bytes.size(); ++n) code_[at - kCode + n] = nothing ? 0x90 : bytes[n];
}

void BlockGuest::fill_code() {
  device_trace_ = 0;
  choose_pointers();
  std::vector<Body> all;
  u64 at = kCode + below(16);
  while (at < kCode + kCodeBytes - 0x500) {
    Body body{.at = at, .instructions = {}, .end = static_cast<End>(below(8))};
    const u64 most = one_in(4) ? 64 : 12;
    for (u64 n = 1 + below(most); n > 0; --n) {
      body.instructions.push_back(one_instruction());
      at += body.instructions.back().size();
    }
    at += size_of(body.end);
    all.push_back(std::move(body));
  }
  code_.assign(kCodeBytes, 0xf4);
  pieces_.clear();
  code_starts_.clear();
  for (const Body& body : all) {
    code_starts_.push_back(body.at);
    u64 here = body.at;
    for (const std::vector<u8>& instruction : body.instructions) {
      put(here, instruction);
      here += instruction.size();
    }
    if (const std::vector<u8> end = end_of(body, here, all); !end.empty()) put(here, end);
  }
  static_cast<void>(machine_.memory().write(kCode, code_));
}

}  // namespace rhea::test
