// SPDX-License-Identifier: GPL-2.0-or-later
// -object secret: where it comes from and how it is written.
#include "crypto/secret.h"

#include "rhea/softmmu/machine.h"
#include "softmmu/user_objects.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace rhea::crypto {
namespace {

// Made with openssl enc -aes-256-cbc: "letmein", the key 00 01 02 …, the IV 00 01 02 ….
constexpr const char* kKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr const char* kIv = "AAECAwQFBgcICQoLDA0ODw==";
constexpr const char* kEncrypted = "SI4JuWqmJF8bjD9IJ662eg==";

class SecretTest : public testing::Test {
 protected:
  using Properties = std::vector<std::pair<std::string, Value>>;

  std::string add(const std::string& id, const Properties& properties) {
    const auto made = add_user_object(machine_, "secret", properties, id);
    return made ? "" : made.error().message();
  }
  std::string text(const std::string& id) {
    const auto bytes = secret_bytes(machine_, id);
    return bytes ? std::string(bytes->begin(), bytes->end()) : bytes.error().message();
  }

  Machine machine_;
};

TEST_F(SecretTest, IsItsDataOrAFile) {
  const std::string path = testing::TempDir() + "/secret." + std::to_string(getpid());
  std::ofstream(path) << "from a file";
  EXPECT_EQ(add("a", {{"data", "open sesame"}}), "");
  EXPECT_EQ(add("b", {{"file", path}}), "");
  EXPECT_EQ(text("a"), "open sesame");
  EXPECT_EQ(text("b"), "from a file");
  unlink(path.c_str());
}

TEST_F(SecretTest, MayBeBase64AndEncrypted) {
  EXPECT_EQ(add("a", {{"data", "b3BlbiBzZXNhbWU="}, {"format", "base64"}}), "");
  EXPECT_EQ(text("a"), "open sesame");
  EXPECT_EQ(add("key", {{"data", kKey}, {"format", "base64"}}), "");
  EXPECT_EQ(add("b", {{"data", kEncrypted}, {"format", "base64"}, {"keyid", "key"}, {"iv", kIv}}),
            "");
  EXPECT_EQ(text("b"), "letmein");
}

TEST_F(SecretTest, ErrorsSayWhatIsWrong) {
  EXPECT_EQ(add("a", {}), "Must provide 'file' or 'data' to load secret");
  EXPECT_EQ(add("a", {{"data", "x"}, {"file", "y"}}), "'file' and 'data' are mutually exclusive");
  EXPECT_EQ(add("a", {{"data", "?"}, {"format", "base64"}}), "secret: not valid base64");
  EXPECT_EQ(add("a", {{"data", "x"}, {"keyid", "none"}, {"iv", kIv}}), "No secret with id 'none'");
  EXPECT_EQ(add("short", {{"data", "x"}}), "");
  EXPECT_EQ(add("a", {{"data", "x"}, {"keyid", "short"}, {"iv", kIv}}),
            "secret: the key has 1 bytes, not 32");
  EXPECT_EQ(text("a"), "No secret with id 'a'");
}

TEST_F(SecretTest, IsNotShown) {
  ASSERT_EQ(add("a", {{"data", "open sesame"}}), "");
  const Object* object = machine_.container("/objects").child("a");
  EXPECT_EQ(to_text(*object->get("data")), "");
}

TEST_F(SecretTest, ObjectsComeAndGoByTheirIds) {
  ASSERT_EQ(add("a", {{"data", "x"}}), "");
  EXPECT_EQ(add("a", {{"data", "x"}}),
            "attempt to add duplicate property 'a' to object (type 'container')");
  EXPECT_EQ(add("1a", {{"data", "x"}}), "Parameter 'id' expects an identifier");
  EXPECT_TRUE(remove_user_object(machine_, "a"));
  EXPECT_EQ(remove_user_object(machine_, "a").error().message(), "object 'a' not found");
  EXPECT_EQ(add_user_object(machine_, "iothreads", {}, "t").error().message(),
            "invalid object type: iothreads; did you mean 'iothread'?");
  EXPECT_EQ(add_user_object(machine_, "throttle-group", {}, "t").error().message(),
            "invalid object type: throttle-group; QEMU has this; Rhea has not yet");
}

}  // namespace
}  // namespace rhea::crypto
