// SPDX-License-Identifier: GPL-2.0-or-later
// Which file system a path is on, by what the kernel says is mounted.
#include "util/mount_point.h"

#include <gtest/gtest.h>

namespace rhea {
namespace {

constexpr std::string_view kMounts =
    "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "30 22 0:26 / /mnt/nfs rw shared:1 - nfs server:/ rw\n"
    "31 30 0:27 / /mnt/nfs/deep rw - tmpfs tmpfs rw\n"
    "32 22 0:28 / /mnt/my\\040disk rw - vfat /dev/sdb1 rw\n";

std::string found(std::string_view path, std::string_view folder = "/home") {
  return mount_point_of(path, folder, kMounts);
}

TEST(MountPoint, IsTheDeepestFolderAboveThePath) {
  EXPECT_EQ(found("/home/a"), "/");
  EXPECT_EQ(found("/mnt/nfs/a/b"), "/mnt/nfs");
  EXPECT_EQ(found("/mnt/nfs/deep/b"), "/mnt/nfs/deep");
  EXPECT_EQ(found("/mnt/nfs"), "/mnt/nfs");
}

TEST(MountPoint, IsNotAFolderWhoseNameBeginsLikeIt) { EXPECT_EQ(found("/mnt/nfsroot/a"), "/"); }

TEST(MountPoint, OfRelativePathsIsThatOfTheFolder) {
  EXPECT_EQ(found("a", "/mnt/nfs"), "/mnt/nfs");
  EXPECT_EQ(found("../../home/a", "/mnt/nfs"), "/");
}

TEST(MountPoint, MayHaveBlanksInItsName) { EXPECT_EQ(found("/mnt/my disk/a"), "/mnt/my disk"); }

TEST(MountPoint, IsTheRootWhenNothingIsKnown) {
  EXPECT_EQ(mount_point_of("/a", "/", ""), "/");
  EXPECT_EQ(mount_point_of("a", "", "garbage\n\n1 2 3\n"), "/");
}

TEST(MountPoint, IsAskedOfTheKernel) { EXPECT_EQ(mount_point_of("/proc/self/x"), "/proc"); }

}  // namespace
}  // namespace rhea
