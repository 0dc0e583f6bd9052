// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/moody_disk.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace rhea::test {
namespace {

class MoodyNode final : public BlockNode {
 public:
  explicit MoodyNode(std::shared_ptr<MoodyDisk> disk) : disk_(std::move(disk)) {}
  std::string_view format() const override { return "raw"; }
  const std::string& filename() const override { return name_; }
  u64 size() const override { return disk_->bytes.size(); }
  bool read_only() const override { return false; }
  Result<> read(u64 offset, std::span<u8> data) override {
    TRY(ask_host(offset, data.size(), 1));
    if (!fits(offset, data.size())) return fail("read beyond the end");
    std::memcpy(data.data(), disk_->bytes.data() + offset, data.size());
    return {};
  }
  // What fails may have been written in part.
  Result<> write(u64 offset, std::span<const u8> data) override {
    if (!fits(offset, data.size())) return fail("write beyond the end");
    const auto host = ask_host(offset, data.size(), 2);
    const std::size_t count = host ? data.size() : data.size() / 2;
    std::memcpy(disk_->bytes.data() + offset, data.data(), count);
    return host;
  }
  Result<> flush() override { return ask_host(0, 0, 3); }

 private:
  bool fits(u64 offset, std::size_t length) const {
    return offset <= size() && length <= size() - offset;
  }
  Result<> ask_host(u64 offset, u64 length, u64 kind) const {
    const MoodyDisk::Mood mood = disk_->mood;
    const u64 chance = ((offset / 512 * 8 + kind) * 0x9e37'79b9'7f4a'7c15 ^
                        (length + mood.seed) * 0xff51'afd7'ed55'8ccd) >>
                       40;
    if (mood.is_late && chance % 16 == 0)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    if (mood.fails_one_in == 0 || chance % mood.fails_one_in != 0) return {};
    return fail("{}", errno_text(mood.is_full ? ENOSPC : EIO));
  }

  std::shared_ptr<MoodyDisk> disk_;
  std::string name_{"moody"};
};

}  // namespace

std::shared_ptr<BlockNode> medium_of(std::shared_ptr<MoodyDisk> disk) {
  return std::make_shared<MoodyNode>(std::move(disk));
}

std::shared_ptr<MoodyDisk> make_moody_disk(Bench& bench, std::string id, u64 bytes) {
  auto disk = std::make_shared<MoodyDisk>();
  disk->bytes.resize(bytes);
  auto& drive =
      bench.machine().container("/drives").add_child(std::move(id), create<BlockBackend>());
  drive.insert(medium_of(disk));
  return disk;
}

}  // namespace rhea::test
