// SPDX-License-Identifier: GPL-2.0-or-later
#include "crypto/cipher.h"

#include <glib.h>
#include <gnutls/crypto.h>

#include <algorithm>
#include <memory>
#include <string>

namespace rhea::crypto {
namespace {

constexpr std::size_t kKeySize = 32, kBlockSize = 16;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct FreeBytes {
  void operator()(guchar* bytes) const { g_free(bytes); }
};
struct EndCipher {
  void operator()(gnutls_cipher_hd_t handle) const { gnutls_cipher_deinit(handle); }
};
using Cipher = std::unique_ptr<std::remove_pointer_t<gnutls_cipher_hd_t>, EndCipher>;

// The library has these as bytes that it may write to, and does not.
gnutls_datum_t datum(std::span<const u8> bytes) {
  return {.data = const_cast<u8*>(bytes.data()),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
          .size = static_cast<unsigned>(bytes.size())};
}

}  // namespace

Result<std::vector<u8>> decode_base64(std::string_view text) {
  std::string plain;
  for (const char c : text)
    if (g_ascii_isspace(c) == 0) plain += c;
  const auto end = plain.find_first_not_of(kAlphabet);
  const std::size_t padding = end == std::string::npos ? 0 : plain.size() - end;
  if (plain.size() % 4 != 0 || padding > 2 ||
      plain.find_first_not_of('=', end == std::string::npos ? plain.size() : end) !=
          std::string::npos)
    return fail("not valid base64");
  gsize size = 0;
  const std::unique_ptr<guchar, FreeBytes> bytes(g_base64_decode(plain.c_str(), &size));
  return std::vector<u8>(bytes.get(), bytes.get() + size);
}

Result<std::vector<u8>> decrypt_aes256_cbc(std::span<const u8> key, std::span<const u8> iv,
                                           std::span<const u8> data) {
  if (key.size() != kKeySize) return fail("the key has {} bytes, not {}", key.size(), kKeySize);
  if (iv.size() != kBlockSize) return fail("the IV has {} bytes, not {}", iv.size(), kBlockSize);
  if (data.empty() || data.size() % kBlockSize != 0)
    return fail("what is encrypted has {} bytes: no whole number of blocks", data.size());
  const gnutls_datum_t key_datum = datum(key), iv_datum = datum(iv);
  gnutls_cipher_hd_t handle = nullptr;
  if (const int result =
          gnutls_cipher_init(&handle, GNUTLS_CIPHER_AES_256_CBC, &key_datum, &iv_datum);
      result < 0)
    return fail("AES: {}", gnutls_strerror(result));
  const Cipher cipher(handle);
  std::vector<u8> plain(data.size());
  if (const int result = gnutls_cipher_decrypt2(cipher.get(), data.data(), data.size(),
                                                plain.data(), plain.size());
      result < 0)
    return fail("AES: {}", gnutls_strerror(result));
  const std::size_t padding = plain.back();
  if (padding == 0 || padding > kBlockSize ||
      std::ranges::count(std::span(plain).last(padding), static_cast<u8>(padding)) !=
          static_cast<std::ptrdiff_t>(padding))
    return fail("decryption failed: the key or IV is another one");
  plain.resize(plain.size() - padding);
  return plain;
}

}  // namespace rhea::crypto
