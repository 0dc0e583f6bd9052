// SPDX-License-Identifier: GPL-2.0-or-later
// The user network's TFTP folder: what is in it, and nothing else.
#include "tests/net/user_bench.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace rhea::test {
namespace {

using testing::StartsWith;

const std::string kData("\0\3\0\1", 4), kFailed("\0\5", 2);

class UserFiles : public UserNet {
 protected:
  UserFiles() {
    std::filesystem::create_directories(folder / "boot");
    std::ofstream(folder / "boot" / "kernel") << "the kernel";
    std::ofstream(outside) << "a secret";
    std::filesystem::create_symlink("boot/kernel", folder / "link");
    std::filesystem::create_symlink(outside, folder / "absolute");
    std::filesystem::create_symlink("../" + outside.filename().string(), folder / "out");
    EXPECT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
    start("tftp=" + folder.string());
    EXPECT_TRUE(guest->arp());
  }
  ~UserFiles() override {
    std::filesystem::remove_all(folder);
    std::filesystem::remove(outside);
  }
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("rhea-tftp-{}", ::getpid());
  std::filesystem::path outside = folder.string() + "-outside";
};

TEST_F(UserFiles, AFileIsSent) {
  EXPECT_EQ(guest->tftp_read("boot/kernel"), kData + "the kernel");
  EXPECT_EQ(guest->tftp_read("/boot/kernel", 2001), kData + "the kernel");
}

TEST_F(UserFiles, ALinkThatStaysInTheFolderIsFollowed) {
  EXPECT_EQ(guest->tftp_read("link"), kData + "the kernel");
}

TEST_F(UserFiles, ALinkOutOfTheFolderIsNot) {
  EXPECT_THAT(guest->tftp_read("absolute").value_or(""), StartsWith(kFailed));
  EXPECT_THAT(guest->tftp_read("out", 2001).value_or(""), StartsWith(kFailed));
}

TEST_F(UserFiles, NoNameLeadsOutOfTheFolder) {
  EXPECT_THAT(guest->tftp_read("../" + outside.filename().string()).value_or(""),
              StartsWith(kFailed));
  EXPECT_THAT(guest->tftp_read("boot/../../" + outside.filename().string(), 2001).value_or(""),
              StartsWith(kFailed));
}

TEST_F(UserFiles, AFifoIsNoFileAndStopsNothing) {
  EXPECT_THAT(guest->tftp_read("fifo").value_or(""), StartsWith(kFailed));
  EXPECT_EQ(guest->tftp_read("boot/kernel", 2001), kData + "the kernel");
}

TEST_F(UserFiles, AFolderIsNoFile) {
  EXPECT_THAT(guest->tftp_read("boot").value_or(""), StartsWith(kFailed));
}

TEST_F(UserNet, WithoutAFolderThereIsNoFile) {
  GuestStack& stack = start();
  ASSERT_TRUE(stack.arp());
  EXPECT_THAT(stack.tftp_read("etc/passwd").value_or(""), StartsWith(kFailed));
}

TEST_F(UserNet, AFolderThatIsNotThereIsNamed) {
  EXPECT_THAT(error("tftp=/no/such/folder"), testing::HasSubstr("/no/such/folder"));
}

}  // namespace
}  // namespace rhea::test
