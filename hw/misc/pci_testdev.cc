// SPDX-License-Identifier: GPL-2.0-or-later
// The PCI device that kvm-unit-tests count accesses with (QEMU's docs/specs/pci-testdev).
#include "rhea/hw/pci.h"
#include "rhea/util/file_descriptor.h"

#include <sys/eventfd.h>

#include <array>
#include <bit>
#include <utility>

namespace rhea::hw {
namespace {

/// How a test's writes are heard of.
enum class Ear : u8 { Handler, AnyEvent, MatchingEvent };

struct Test {
  Ear ear;
  u8 data;
  std::string_view name;
};
constexpr unsigned kTests = 3;
constexpr u8 kMatching = 0xfa, kOther = 0xce;
constexpr std::array<std::array<Test, kTests>, 2> kAllTests = {{
    {{{.ear = Ear::Handler, .data = kMatching, .name = "mmio-no-eventfd"},
      {.ear = Ear::AnyEvent, .data = kOther, .name = "mmio-wildcard-eventfd"},
      {.ear = Ear::MatchingEvent, .data = kMatching, .name = "mmio-datamatch-eventfd"}}},
    {{{.ear = Ear::Handler, .data = kMatching, .name = "portio-no-eventfd"},
      {.ear = Ear::AnyEvent, .data = kOther, .name = "portio-wildcard-eventfd"},
      {.ear = Ear::MatchingEvent, .data = kMatching, .name = "portio-datamatch-eventfd"}}},
}};

// The header at the start of both BARs.
enum Header : u8 { kTest = 0, kWidth = 1, kOffset = 4, kData = 8, kCount = 12, kText = 16 };
constexpr u8 kByteWidth = 1;

/// Not hardware: one BAR of memory and one of ports, where a number written to the first byte
/// starts a test: writes of `data` to `offset` are counted, or signal an eventfd and are not.
/// State: the test and its count. Missing: nothing.
class PciTestdev final : public PciDevice {
 public:
  static constexpr std::string_view kName = "pci-testdev";
  static constexpr PciIdentity kPci{.vendor = 0x1b36, .device = 0x0005, .klass = 0x00ff00};
  static void describe(Schema<PciTestdev>& s) {
    s.help("test device of kvm-unit-tests: counts writes to memory and ports");
    s.property("membar", &PciTestdev::membar_, u64{0})
        .as_size()
        .help("size of a third BAR without anything in it; 0: none");
    s.state("running", &PciTestdev::running_);
    s.state("in-ports", &PciTestdev::in_ports_).range(0, 1);
    s.state("test", &PciTestdev::test_).range(0, kTests - 1);
    s.state("count", &PciTestdev::count_);
  }

  Result<> realize() override {
    constexpr u64 kLargest = u64{1} << 40;
    if (membar_ != 0 && (!std::has_single_bit(membar_) || membar_ < 4096 || membar_ > kLargest))
      return fail("'membar' of {} bytes is no power of two from 4K to 1T", membar_);
    TRY(PciDevice::realize());
    event_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event_) return fail("cannot make an eventfd: {}", errno_text(errno));
    on_unrealize([this] {
      stop();
      event_ = {};
    });
    memory_.init_io(*this, "pci-testdev-mmio", kBarSize[0],
                    io<&PciTestdev::read, &PciTestdev::write<0>>({.min = 1, .max = 4}, kBytes));
    ports_.init_io(*this, "pci-testdev-portio", kBarSize[1],
                   io<&PciTestdev::read, &PciTestdev::write<1>>({.min = 1, .max = 4}, kBytes));
    TRY(bar(0, memory_));
    TRY(bar(1, ports_, BarKind::Io));
    if (membar_ == 0) return {};
    nothing_.init_container(this, "pci-testdev-membar", membar_);
    TRY(bar(2, nothing_, BarKind::MemoryPrefetch64));
    return {};
  }
  void reset(ResetKind) override {
    stop();
    count_ = 0;
    test_ = in_ports_ = 0;
  }
  Result<> post_load(unsigned) override {
    const bool running = std::exchange(running_, false);
    stop();
    if (running) listen();
    return {};
  }

 private:
  static constexpr AccessSizes kBytes{.min = 1, .max = 1};
  static constexpr std::array<u64, 2> kBarSize = {4096, 256};

  const Test& test() const { return kAllTests[in_ports_][test_]; }
  Region& region() { return in_ports_ != 0 ? ports_ : memory_; }
  u32 target() const {
    return static_cast<u32>(kBarSize[in_ports_] / 2 + in_ports_ * kTests + test_);
  }

  void listen() {
    running_ = true;
    if (test().ear == Ear::Handler) return;
    heard_ = {.offset = target(),
              .size = kByteWidth,
              .match = test().ear == Ear::MatchingEvent,
              .value = test().data,
              .fd = event_.get()};
    listening_ = &region();
    listening_->add_eventfd(heard_);
  }
  void stop() {
    if (listening_ != nullptr) listening_->remove_eventfd(heard_);
    listening_ = nullptr;
    running_ = false;
  }

  template <u8 Ports>
  void write(u64 offset, u64 value, unsigned) {
    if (offset == kTest) {
      stop();
      if (value >= kTests) return;
      in_ports_ = Ports;
      test_ = static_cast<u8>(value);
      count_ = 0;
      listen();
    } else if (running_ && Ports == in_ports_ && offset == target() &&
               (test().ear == Ear::AnyEvent || value == test().data)) {
      ++count_;
    }
  }

  u64 read(u64 offset, unsigned) {
    if (!running_) return 0;
    const auto byte = [&](u32 value, u8 field) { return value >> (8 * (offset - field)) & 0xff; };
    if (offset == kTest) return in_ports_ * kTests + test_;
    if (offset == kWidth) return kByteWidth;
    if (offset < kOffset) return 0;
    if (offset < kData) return byte(target(), kOffset);
    if (offset < kCount) return byte(test().data, kData);
    if (offset < kText) return byte(count_, kCount);
    const std::string_view name = test().name;
    return offset - kText < name.size() ? static_cast<u8>(name[offset - kText]) : 0;
  }

  u64 membar_{};
  bool running_{false};
  u8 in_ports_{0}, test_{0};
  u32 count_{0};
  FileDescriptor event_;
  IoEventFd heard_;
  Region* listening_{};
  Region memory_, ports_, nothing_;
};

const RegisterType<PciTestdev> registration;

}  // namespace
}  // namespace rhea::hw
