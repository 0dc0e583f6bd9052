// SPDX-License-Identifier: GPL-2.0-or-later
// The general decoder: any instruction, straight from the rows of the instruction table.
#pragma once

#include "target/x86/decode/decode.h"

namespace rhea::x86::decoding {

/// As x86::decode(), which for the usual instructions has something faster (Plans).
DecodeStatus decode_by_rows(std::span<const u8> bytes, const DecodeMode& mode, Insn& insn);

}  // namespace rhea::x86::decoding
