// SPDX-License-Identifier: GPL-2.0-or-later
#include "crypto/secret.h"

#include "crypto/cipher.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/host_file.h"

// g++ 12 takes the vector in a std::expected for one whose bytes lie beside it.
#pragma GCC diagnostic ignored "-Wfree-nonheap-object"

namespace rhea {
namespace crypto {

enum class SecretFormat : u8 { Raw, Base64 };

}  // namespace crypto

template <>
struct EnumTraits<crypto::SecretFormat> {
  static constexpr std::string_view kType = "QCryptoSecretFormat";
  static constexpr std::array<std::string_view, 2> kNames = {"raw", "base64"};
};

namespace crypto {
namespace {

constexpr u64 kLargestFile = 64 * KiB;

/// A secret. Its bytes are not shown to anybody who asks for the property.
class Secret final : public UserObject {
 public:
  static constexpr std::string_view kName = "secret";

  static void describe(Schema<Secret>& s) {
    s.help("a password or key, for others to name by its id");
    s.property("data", &Secret::data_, "").help("the secret itself; others see it in ps");
    s.property("file", &Secret::file_, "").help("a file with the secret");
    s.property("format", &Secret::format_, SecretFormat::Raw).help("how it is written");
    s.property("keyid", &Secret::key_id_, "")
        .help("another secret, the key of 32 bytes that this one is encrypted with (AES-256-CBC)");
    s.property("iv", &Secret::iv_, "").help("the initialization vector of that, in base64");
  }

  const std::vector<u8>& bytes() const { return bytes_; }

 protected:
  Result<> complete() override {
    if (data_.empty() && file_.empty()) return fail("Must provide 'file' or 'data' to load secret");
    if (!data_.empty() && !file_.empty()) return fail("'file' and 'data' are mutually exclusive");
    std::vector<u8> written(data_.begin(), data_.end());
    // Nobody reads it back.
    data_.clear();
    if (!file_.empty()) written = TRY(read_file(file_, kLargestFile, ReadFrom::Everywhere));
    if (format_ == SecretFormat::Base64) {
      written = TRY(
          named(decode_base64({reinterpret_cast<const char*>(written.data()), written.size()})));
    }
    bytes_ = key_id_.empty() ? std::move(written) : TRY(decrypt(written));
    return {};
  }

 private:
  Result<std::vector<u8>> decrypt(std::span<const u8> written) {
    if (iv_.empty()) return fail("IV is required to decrypt secret");
    const auto key = TRY(secret_bytes(machine(), key_id_));
    const auto iv = decode_base64(iv_);
    if (!iv) return fail("iv '{}': {}", iv_, iv.error().message());
    return named(decrypt_aes256_cbc(key, *iv, written));
  }
  static Result<std::vector<u8>> named(Result<std::vector<u8>> bytes) {
    if (!bytes) return std::unexpected(std::move(bytes).error().within("secret"));
    return bytes;
  }

  std::string data_, file_, key_id_, iv_;
  SecretFormat format_{};
  std::vector<u8> bytes_;
};

const RegisterType<Secret> registration;

}  // namespace

Result<std::vector<u8>> secret_bytes(Machine& machine, const std::string& id) {
  const Object* object = machine.container(UserObject::kLinkRoot).child(id);
  if (object == nullptr) return fail("No secret with id '{}'", id);
  const auto* secret = dynamic_cast<const Secret*>(object);
  if (secret == nullptr) return fail("Object with id '{}' is not a secret", id);
  return secret->bytes();
}

}  // namespace crypto
}  // namespace rhea
