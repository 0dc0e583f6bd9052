// SPDX-License-Identifier: GPL-2.0-or-later
// A realize() that fails half way is undone by the core, wherever that is.
#include "rhea/block/block_backend.h"
#include "rhea/chardev/chardev_port.h"
#include "rhea/hw/isa.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/deferred.h"
#include "rhea/softmmu/suspension.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rhea::test {
namespace {

/// What anybody told a device that was never there.
std::vector<std::string>* told_by_failing;

/// A part that is a device itself.
class FailingPart final : public Device {
 public:
  static constexpr std::string_view kName = "test-failing-part";
  static void describe(Schema<FailingPart>& s) { s.board_only(); }
  Result<> realize() override {
    timer_.init(machine().virtual_clock(), [] { told_by_failing->emplace_back("part"); });
    timer_.arm_in(1000);
    window_.init_container(this, "part", 4);
    machine().system_io().add(0x600, window_);
    return {};
  }

 private:
  Timer timer_;
  Region window_;
};

/// Uses one of each, and fails before the step that `fail-at` names; it undoes nothing itself.
template <class Base>
class Failing : public Base {
 public:
  template <class Self>
  static void describe_steps(Schema<Self>& s) {
    s.help("fails to realize");
    s.property("fail-at", &Failing::fail_at_, u32{0});
    s.link("chardev", &Failing::chardev_);
    s.link("drive", &Failing::drive_);
    BootIndex::declare(s, "bootindex", &Failing::boot_index_);
  }

 protected:
  Result<> use_all() {
    Machine& machine = this->machine();
    TRY(step());
    timer_.init(machine.virtual_clock(), [this] { hear("timer"); });
    timer_.arm_in(1000);
    TRY(step());
    later_.init(machine.loop(), [this] { hear("deferred"); });
    later_.schedule();
    TRY(step());
    TRY(chardev_.attach({.can_receive = [] { return std::size_t{16}; },
                         .receive = [this](std::span<const u8>) { hear("chardev"); },
                         .event = [this](ChardevEvent) { hear("event"); },
                         .can_send = {}}));
    TRY(step());
    TRY(take_drive(drive_, *this, DriveUse::Read));
    TRY(step());
    auto buffer = std::make_shared<std::vector<u8>>(512);
    drive_->read(0, *buffer, [this, buffer](const Result<>&) { hear("drive"); });
    TRY(step());
    TRY(boot_index_.join(*this));
    TRY(step());
    machine.on_powerdown([this] { hear("power button"); }, this);
    machine.service<Suspension>().observe({.suspended = [this] { hear("suspended"); }}, this);
    TRY(step());
    TRY(ram_.init_ram(this, "failing.ram", 4096));
    machine.system_memory().add(0xf000'0000, ram_);
    TRY(step());
    ports_.init_io(*this, "failing", 4, io<&Failing::read, &Failing::write>());
    machine.system_io().add(0x500, ports_);
    TRY(step());
    TRY(static_cast<Device&>(this->add_child("part", create<FailingPart>())).set_realized(true));
    return step();
  }
  Result<> step() {
    return ++steps_ == fail_at_ ? Result<>(fail("it fails at step {}", steps_)) : Result<>();
  }
  void begin() { steps_ = 0; }

 private:
  void hear(const std::string& what) { told_by_failing->push_back(what); }
  u64 read(u64, unsigned) { return 0; }
  void write(u64, u64, unsigned) { hear("write"); }

  u32 fail_at_{}, steps_{};
  ChardevPort chardev_;
  BlockBackend* drive_{};
  BootIndex boot_index_;
  Timer timer_;
  Deferred later_;
  Region ram_, ports_;
};

class FailingIsa final : public Failing<IsaDevice> {
 public:
  static constexpr std::string_view kName = "test-failing-isa";
  static void describe(Schema<FailingIsa>& s) { describe_steps(s); }

  Result<> realize() override {
    begin();
    TRY(connect_isa_irq(irq_, 5));
    irq_.raise();
    TRY(step());
    window_.init_container(this, "window", 4);
    add_port(0x700, window_);
    memory_.init_container(this, "memory", 4096);
    add_memory(0xe000'0000, memory_);
    return use_all();
  }

 private:
  IrqOutput irq_;
  Region window_, memory_;
};

class FailingPci final : public Failing<PciDevice> {
 public:
  static constexpr std::string_view kName = "test-failing-pci";
  static constexpr PciIdentity kPci{
      .vendor = 0x1b36, .device = 0x7e58, .klass = 0xff0000, .interrupt_pin = 1};
  static void describe(Schema<FailingPci>& s) { describe_steps(s); }

  Result<> realize() override {
    begin();
    TRY(PciDevice::realize());
    TRY(step());
    set_intx(true);
    TRY(step());
    registers_.init_container(this, "registers", 4096);
    TRY(bar(0, registers_));
    TRY(step());
    TRY(add_msix_bar(4, 1));
    add_power_management();
    return use_all();
  }

 private:
  Region registers_;
};

const RegisterType<FailingPart> failing_part_registration;
const RegisterType<FailingIsa> failing_isa_registration;
const RegisterType<FailingPci> failing_pci_registration;

struct FailingStep {
  std::string type;
  u32 step;
};

class RealizeFails : public testing::TestWithParam<FailingStep> {
 protected:
  RealizeFails() {
    told_by_failing = &told_;
    chardev_ = &FakeChardev::make(bench_, "fake0");
    make_fake_disk(bench_, "disk0", 4096);
    untouched_ = bench_.machine().map().flat_text();
  }
  Machine& machine() { return bench_.machine(); }
  Result<Device*> plug(u32 fail_at) {
    return machine().plug(GetParam().type,
                          {{"chardev", std::string("fake0")},
                           {"drive", std::string("disk0")},
                           {"bootindex", std::string("1")},
                           {"fail-at", u64{fail_at}}},
                          "x");
  }
  /// Everything that could call the device.
  void stir() {
    chardev_->say("x");
    chardev_->tell(ChardevEvent::Break);
    bench_.advance(1'000'000);
    machine().request_powerdown();
    for (int i = 0; i < 20; ++i) machine().loop().iterate(false);
    bench_.outb(0x500, 1);
  }

  std::vector<std::string> told_;
  Bench bench_;
  FakeChardev* chardev_;
  std::string untouched_;
};

TEST_P(RealizeFails, AndNothingIsLeft) {
  const auto failed = plug(GetParam().step);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), fmt::format("it fails at step {}", GetParam().step));
  EXPECT_EQ(machine().map().flat_text(), untouched_);
  EXPECT_FALSE(chardev_->attached());
  EXPECT_EQ(find_drive(machine(), "disk0")->device(), nullptr);
  EXPECT_EQ(machine().virtual_clock().next_expiry_ns(), -1);
  EXPECT_TRUE(machine().service<BootOrder>().file(false).empty());
  EXPECT_FALSE(bench_.irq(5));
  EXPECT_FALSE(bench_.intx(0));
  stir();
  EXPECT_EQ(told_, std::vector<std::string>());
}

TEST_P(RealizeFails, AndTheNextOneMaySucceed) {
  ASSERT_FALSE(plug(GetParam().step));
  const auto again = plug(0);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_TRUE(chardev_->attached());
  ASSERT_TRUE(machine().unplug(**again));
  EXPECT_EQ(machine().map().flat_text(), untouched_);
  EXPECT_FALSE(chardev_->attached());
  EXPECT_EQ(machine().virtual_clock().next_expiry_ns(), -1);
}

TEST_P(RealizeFails, AndTheSameDeviceCanBeRealizedAfterwards) {
  auto& waiting = machine().container("/waiting");
  auto& device = static_cast<Device&>(waiting.add_child("x", *machine().make(GetParam().type)));
  ASSERT_TRUE(machine().find_bus(device.type().bus)->attach(device));
  ASSERT_TRUE(device.set("fail-at", u64{GetParam().step}));
  ASSERT_FALSE(device.set_realized(true));
  ASSERT_TRUE(device.set("fail-at", u64{0}));
  const auto realized = device.set_realized(true);
  ASSERT_TRUE(realized) << realized.error().message();
  EXPECT_NE(device.child("part"), nullptr);
  ASSERT_TRUE(device.set_realized(false));
  EXPECT_EQ(device.child("part"), nullptr);
  EXPECT_EQ(machine().map().flat_text(), untouched_);
}

std::vector<FailingStep> failing_steps() {
  std::vector<FailingStep> all;
  for (u32 step = 1; step <= 12; ++step) all.push_back({"test-failing-isa", step});
  for (u32 step = 1; step <= 14; ++step) all.push_back({"test-failing-pci", step});
  return all;
}
INSTANTIATE_TEST_SUITE_P(EachStep, RealizeFails, testing::ValuesIn(failing_steps()),
                         [](const auto& tested) {
                           const bool isa = tested.param.type == "test-failing-isa";
                           return fmt::format("{}{}", isa ? "Isa" : "Pci", tested.param.step);
                         });

}  // namespace
}  // namespace rhea::test
