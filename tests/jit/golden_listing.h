// SPDX-License-Identifier: GPL-2.0-or-later
// A translated block's host code as lines to read and compare.
#pragma once

#include "target/x86/translate/translator.h"

#include <string>
#include <vector>

namespace rhea::test {

/// A block in a buffer.
struct ListedBlock {
  std::span<const u8> buffer;
  std::size_t begin{};  ///< of the block in the buffer, to which all of `made` is relative
  const x86::translating::Translator::Result& made;
  const x86::translating::StateLayout& layout;
  const x86::translating::Runtime& runtime;
  std::vector<std::string> guest;  ///< its instructions
};

std::string list_block(const ListedBlock& block);

}  // namespace rhea::test
