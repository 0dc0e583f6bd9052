// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/random_frame.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace rhea::test {
namespace {

class Maker {
 public:
  Maker(const MacAddress& card, std::mt19937_64& random) : card_(&card), random_(&random) {}

  FrameBytes make() {
    destination();
    add({0x52, 0x54, 0, 0xab, 0xcd, static_cast<u8>(dice(4))});
    if (dice(4) == 0) add({0x81, 0x00, static_cast<u8>(dice(16)), static_cast<u8>(dice(256))});
    contents();
    frame_.resize(std::max(frame_.size() + length(), std::size_t{14}));
    for (std::size_t n = headers_; n < frame_.size(); ++n) frame_[n] = static_cast<u8>(dice(256));
    return std::move(frame_);
  }

 private:
  u64 dice(u64 sides) { return (*random_)() % sides; }
  void add(std::initializer_list<u8> bytes) { frame_.insert(frame_.end(), bytes); }

  void destination() {
    switch (dice(8)) {
      case 0: return add({0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
      case 1: return add({0x01, 0x00, 0x5e, 0x00, 0x00, static_cast<u8>(dice(256))});
      case 2: return add({0x01, 0x80, 0xc2, 0x00, 0x00, 0x01});
      case 3: return add({0x52, 0x54, 0x00, 0x99, 0x99, 0x99});
      default: frame_.assign(card_->bytes.begin(), card_->bytes.end());
    }
  }

  void contents() {
    const u8 protocol = dice(2) == 0 ? 6 : 17;
    const auto size = static_cast<u8>(28 + dice(100));
    switch (dice(6)) {
      case 0:
      case 1:
        add({0x08, 0x00, 0x45, 0, 0, size, 0, 1, static_cast<u8>(dice(4) << 5), 0, 64});
        add({protocol, 0, 0, 10, 0, 2, 2, 10, 0, 2, 15, 0, 53, 4, 0, 0, 20, 0, 0});
        break;
      case 2: add({0x86, 0xdd, 0x60, 0, 0, 0, 0, size, protocol, 64}); break;
      case 3: add({0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1}); break;
      case 4: add({0x88, 0x08, 0x00, 0x01, 0x00, static_cast<u8>(dice(3))}); break;
      default: add({static_cast<u8>(dice(256)), static_cast<u8>(dice(256))});
    }
    headers_ = frame_.size();
  }

  std::size_t length() {
    switch (dice(16)) {
      case 0: return 0;
      case 1: return 1400 + dice(200);
      case 2: return dice(17'000);
      default: return dice(200);
    }
  }

  const MacAddress* card_;
  std::mt19937_64* random_;
  FrameBytes frame_;
  std::size_t headers_{0};
};

}  // namespace

FrameBytes random_frame(const MacAddress& card, std::mt19937_64& random) {
  return Maker(card, random).make();
}

}  // namespace rhea::test
