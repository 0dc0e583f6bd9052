// SPDX-License-Identifier: GPL-2.0-or-later
// Base64, and AES-256 in CBC mode as secrets are handed over with it.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <span>
#include <string_view>
#include <vector>

namespace rhea::crypto {

/// White space is passed over; anything else that is not base64 is an error.
Result<std::vector<u8>> decode_base64(std::string_view text);
/// `key` has 32 bytes and `iv` 16; padding as PKCS #7 has it is taken off.
Result<std::vector<u8>> decrypt_aes256_cbc(std::span<const u8> key, std::span<const u8> iv,
                                           std::span<const u8> data);

}  // namespace rhea::crypto
