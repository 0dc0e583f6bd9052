// SPDX-License-Identifier: GPL-2.0-or-later
// Open-file-description locks on single bytes: byte 100+n says "I do n", byte 200+n "nobody else
// may".
#include "block/file_lock.h"

#include "rhea/util/types.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace rhea::block {
namespace {

constexpr off_t kDoing = 100;
constexpr off_t kForbidding = 200;
// The numbers of the permissions are part of the protocol between the programs.
constexpr unsigned kConsistentRead = 0, kWrite = 1, kResize = 3;
constexpr std::array<std::string_view, 4> kNames = {"consistent read", "write", "write unchanged",
                                                    "resize"};

struct flock one_byte(off_t start, short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = 1;
  return lock;
}

// Held by us as shared locks, so that everybody may hold the same one.
Result<> hold(int fd, off_t byte, unsigned permission) {
  struct flock lock = one_byte(byte + permission, F_RDLCK);
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0 || errno == EINVAL || errno == ENOLCK ||
      errno == ENOTSUP)
    return {};
  return fail("Failed to lock byte {}: {}", lock.l_start, errno_text(errno));
}

bool held_by_others(int fd, off_t byte, unsigned permission) {
  struct flock lock = one_byte(byte + permission, F_WRLCK);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace

Result<> lock_image(int fd, ImageUse use) {
  const unsigned doing =
      use == ImageUse::Write ? 1u << kConsistentRead | 1u << kWrite : 1u << kConsistentRead;
  const unsigned forbidding = 1u << kWrite | 1u << kResize;
  for (unsigned n = 0; n < kNames.size(); ++n) {
    if ((doing >> n & 1) != 0) TRY(hold(fd, kDoing, n));
    if ((forbidding >> n & 1) != 0) TRY(hold(fd, kForbidding, n));
  }
  for (unsigned n = 0; n < kNames.size(); ++n) {
    if ((doing >> n & 1) != 0 && held_by_others(fd, kForbidding, n))
      return fail("Failed to get \"{}\" lock", kNames[n]);
    if ((forbidding >> n & 1) != 0 && held_by_others(fd, kDoing, n))
      return fail("Failed to get shared \"{}\" lock", kNames[n]);
  }
  return {};
}

void unlock_image(int fd) {
  for (const off_t start : {kDoing, kForbidding}) {
    struct flock lock = one_byte(start, F_UNLCK);
    lock.l_len = kNames.size();
    ::fcntl(fd, F_OFD_SETLK, &lock);
  }
}

}  // namespace rhea::block
