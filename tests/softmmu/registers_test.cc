// SPDX-License-Identifier: GPL-2.0-or-later
// Declared registers: what a table makes of accesses, resets, snapshots, names and traces.
#include "rhea/softmmu/registers.h"

#include "rhea/hw/isa.h"
#include "rhea/util/trace.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea {

enum class RegisterMode : u8 { Slow, Fast, Warp };
template <>
struct EnumTraits<RegisterMode> {
  static constexpr std::string_view kType = "RegisterMode";
  static constexpr std::array<std::string_view, 3> kNames = {"slow", "fast", "warp"};
};

namespace test {
namespace {

using testing::HasSubstr;

constexpr u16 kPort = 0x300;

/// One register of each sort.
class RegisterDevice final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "test-registers";
  static void describe(Schema<RegisterDevice>& s) {
    s.help("one register of each sort");
    s.state("note", &RegisterDevice::note_);
    s.state("mode", &RegisterDevice::mode_);
    s.registers(&RegisterDevice::ports_, [](auto reg) {
       return reg.bank(
           {.size = 0x60, .sizes = {.min = 1, .max = 8}},
           reg("ID", 0x00, 4).constant(0xcafe'0001).help("who it is"),
           reg("CONTROL", 0x04, &RegisterDevice::control_)
               .writable(0x7f)
               .reset(0x11)
               .field("ON", 0x01)
               .field("MODE", 0x06, names_of<RegisterMode>)
               .field("LEVEL", 0x70)
               .after_write(&RegisterDevice::controlled),
           reg("EVENTS", 0x08, &RegisterDevice::events_).write_1_clears(0xff0f).writable(0x0010),
           reg("ERRORS", 0x0a, &RegisterDevice::errors_).read_clears(0x0f).reset(0x03),
           reg("COMMAND", 0x0c, 4).write_by(&RegisterDevice::command),
           reg("ANSWER", 0x0c, 4).read_by(&RegisterDevice::answer),
           reg("COUNTER", 0x10, 4).read_by(&RegisterDevice::count),
           reg("KEPT", 0x14, &RegisterDevice::kept_).keeps_at_reset(),
           reg("EXACT", 0x18, &RegisterDevice::exact_).reach(Reach::Exact),
           reg("START", 0x20, &RegisterDevice::start_).reach(Reach::FromStart),
           reg("LATCH", 0x28, &RegisterDevice::latch_).reach(Reach::Anywhere),
           reg("LOCKED", 0x2c, &RegisterDevice::locked_).locked_while(&RegisterDevice::is_on),
           reg("PEEKED", 0x30, &RegisterDevice::peeked_)
               .read_only()
               .after_read(&RegisterDevice::was_read),
           reg("DATA", 0x34, &RegisterDevice::data_)
               .stride(4)
               .after_write(&RegisterDevice::data_written),
           reg.range("WINDOW", 0x50, 0x10, &RegisterDevice::read_window,
                     &RegisterDevice::write_window));
     }).at_port(kPort);
  }

  u32 last_written{}, last_before{}, commanded{}, reads{}, window_offset{};
  unsigned last_index{};

 private:
  void controlled(u32 written, u32 before) {
    last_written = written;
    last_before = before;
  }
  void command(u32 value) { commanded = value; }
  u32 answer() const { return 0x600d; }
  u32 count() { return ++reads; }
  bool is_on() const { return (control_ & 1) != 0; }
  void was_read() { ++peeked_; }
  void data_written(unsigned index, u16 written) {
    last_index = index;
    last_written = written;
  }
  u64 read_window(u64 offset, unsigned size) { return offset | size << 8; }
  void write_window(u64 offset, u64 value, unsigned) { window_offset = u32(offset + value); }

  u32 control_{};
  u16 events_{0xffff}, errors_{};
  u32 kept_{}, exact_{}, latch_{}, locked_{}, peeked_{};
  u64 start_{};
  std::array<u16, 4> data_{};
  u32 note_{7};
  RegisterMode mode_{RegisterMode::Fast};
  RegisterBank ports_;
};

/// Registers behind a BAR of ports, and an interrupt pin, without a realize() of its own.
class RegisterPciDevice final : public PciDevice {
 public:
  static constexpr std::string_view kName = "test-register-bar";
  static constexpr PciIdentity kPci{.vendor = 0x1b36, .device = 0x7e59, .interrupt_pin = 2};
  static void describe(Schema<RegisterPciDevice>& s) {
    s.help("one register behind a BAR of ports");
    s.registers(&RegisterPciDevice::bank_, [](auto reg) {
       return reg("ONLY", 0, &RegisterPciDevice::only_);
     }).port_bar(2);
  }

 private:
  u16 only_{};
  RegisterBank bank_;
};

const RegisterType<RegisterDevice> registration;
const RegisterType<RegisterPciDevice> pci_registration;

class DeclaredRegisters : public testing::Test {
 protected:
  DeclaredRegisters()
      : device(static_cast<RegisterDevice&>(bench.add("test-registers", {}, "isa.0"))) {}
  u64 read(u64 reg, unsigned size = 4) { return bench.in(static_cast<u16>(kPort + reg), size); }
  void write(u64 reg, u64 value, unsigned size = 4) {
    bench.out(static_cast<u16>(kPort + reg), value, size);
  }
  std::string get(std::string_view name) { return to_text(*device.get(name)); }
  Bench bench;
  RegisterDevice& device;
};

TEST_F(DeclaredRegisters, AConstantIgnoresWrites) {
  write(0x00, 0);
  EXPECT_EQ(read(0x00), 0xcafe'0001u);
}

TEST_F(DeclaredRegisters, OnlyWritableBitsChange) {
  write(0x04, 0xffff'ffff);
  EXPECT_EQ(read(0x04), 0x7fu);
}

TEST_F(DeclaredRegisters, AnEffectHearsWhatWasWrittenAndWhatWasBefore) {
  write(0x04, 0x8000'0022);
  EXPECT_EQ(device.last_written, 0x8000'0022u);
  EXPECT_EQ(device.last_before, 0x11u);
}

TEST_F(DeclaredRegisters, ResetGivesTheDeclaredValues) {
  write(0x04, 0x22);
  write(0x14, 0x1234);
  bench.reset();
  EXPECT_EQ(read(0x04), 0x11u);
  EXPECT_EQ(read(0x14), 0x1234u) << "keeps_at_reset";
}

TEST_F(DeclaredRegisters, OnesClearEventsAndOtherBitsAreWritten) {
  ASSERT_TRUE(bench.load([&] {
    write(0x08, 0x10, 2);
    return bench.save();
  }()));
  EXPECT_EQ(read(0x08, 2), 0x10u);
  write(0x08, 0, 2);
  EXPECT_EQ(read(0x08, 2), 0u);
}

TEST_F(DeclaredRegisters, AReadClearsWhatItShows) {
  EXPECT_EQ(read(0x0a, 2), 3u);
  EXPECT_EQ(read(0x0a, 2), 0u);
}

TEST_F(DeclaredRegisters, TwoRowsShareAnOffsetWhenOneIsReadAndOneWritten) {
  write(0x0c, 0x55);
  EXPECT_EQ(device.commanded, 0x55u);
  EXPECT_EQ(read(0x0c), 0x600du);
}

TEST_F(DeclaredRegisters, BytesOfARegisterChangeAlone) {
  write(0x14, 0x1122'3344);
  write(0x15, 0xee, 1);
  write(0x16, 0xaabb, 2);
  EXPECT_EQ(read(0x14), 0xaabb'ee44u);
  EXPECT_EQ(read(0x15, 1), 0xeeu);
}

TEST_F(DeclaredRegisters, ABytesWriteClearsOnlyItsOwnEvents) {
  write(0x09, 0xff, 1);
  EXPECT_EQ(read(0x08, 2), 0u);
  EXPECT_EQ(get("EVENTS"), "0");
}

TEST_F(DeclaredRegisters, AWideAccessReachesAllItCovers) {
  write(0x10, 0x1234'5678'0000'0000, 8);
  EXPECT_EQ(read(0x14), 0x1234'5678u);
  EXPECT_EQ(read(0x10, 8), 0x1234'5678'0000'0001u);
}

TEST_F(DeclaredRegisters, AnExactRegisterTakesNothingElse) {
  write(0x18, 0x1111'1111);
  write(0x18, 0x22, 1);
  write(0x18, 0x3333'3333'3333'3333, 8);
  EXPECT_EQ(read(0x18), 0x1111'1111u);
  EXPECT_EQ(read(0x18, 2), 0xffffu);
}

TEST_F(DeclaredRegisters, ANarrowAccessFromTheStartIsExtended) {
  write(0x20, ~u64{0}, 8);
  write(0x20, 0x1234'5678, 4);
  EXPECT_EQ(read(0x20, 8), 0x1234'5678u);
  write(0x24, 1, 4);
  EXPECT_EQ(read(0x20, 8), 0x1234'5678u);
  EXPECT_EQ(read(0x24, 4), 0xffff'ffffu);
}

TEST_F(DeclaredRegisters, ALatchIsOneRegisterWhereverItIsTouched) {
  write(0x2a, 0x77, 1);
  EXPECT_EQ(read(0x28), 0x77u);
}

TEST_F(DeclaredRegisters, ALockedRegisterKeepsItsValue) {
  write(0x04, 0x00);
  write(0x2c, 5);
  write(0x04, 0x01);
  write(0x2c, 6);
  EXPECT_EQ(read(0x2c), 5u);
}

TEST_F(DeclaredRegisters, AnArrayHasAStrideAndAnIndex) {
  write(0x3c, 0x1234, 2);
  EXPECT_EQ(device.last_index, 2u);
  EXPECT_EQ(device.last_written, 0x1234u);
  EXPECT_EQ(read(0x3c, 2), 0x1234u);
  EXPECT_EQ(read(0x3e, 2), 0xffffu) << "between two of them";
  write(0x3d, 0xaa, 1);
  EXPECT_EQ(get("DATA[2]"), "43572") << "0xaa34";
}

TEST_F(DeclaredRegisters, ARangeHasHandlersOfItsOwn) {
  EXPECT_EQ(read(0x54), 0x404u);
  write(0x58, 0x100);
  EXPECT_EQ(device.window_offset, 0x108u);
}

TEST_F(DeclaredRegisters, NothingReadsAsAllOnes) { EXPECT_EQ(read(0x48), 0xffff'ffffu); }

TEST_F(DeclaredRegisters, LookingHasNoConsequences) {
  EXPECT_EQ(get("ERRORS"), "3");
  EXPECT_EQ(get("PEEKED"), "0");
  EXPECT_EQ(get("ANSWER"), "24589") << "0x600d, from a const function";
  EXPECT_FALSE(device.get("COUNTER")) << "its function counts";
  EXPECT_EQ(read(0x0a, 2), 3u);
  EXPECT_EQ(read(0x30), 0u);
  EXPECT_EQ(get("PEEKED"), "1");
}

TEST_F(DeclaredRegisters, ADeclarationMapsABarOfPorts) {
  auto& pci = static_cast<PciDevice&>(bench.add("test-register-bar", {{"addr", "4"}}));
  bench.config_write(4 << 3, pci::kBar0 + 8, 0xc000, 4);
  bench.config_write(4 << 3, pci::kCommand, pci::kCommandIo, 2);
  bench.outw(0xc000, 0x1234);
  EXPECT_EQ(bench.inw(0xc000), 0x1234u);
  EXPECT_EQ(pci.bar_info(2)->kind, BarKind::Io);
  EXPECT_EQ(pci.bar_info(2)->size, 4u);
  EXPECT_EQ(bench.config_read(4 << 3, pci::kInterruptPin, 1), 2u);
}

TEST_F(DeclaredRegisters, WhatIsMappedIsTakenOutWithTheDevice) {
  ASSERT_TRUE(device.set_realized(false));
  EXPECT_EQ(read(0x00), 0xffff'ffffu);
  ASSERT_TRUE(device.set_realized(true));
  EXPECT_EQ(read(0x00), 0xcafe'0001u);
}

TEST_F(DeclaredRegisters, StateFieldsCanBeRead) {
  EXPECT_EQ(get("note"), "7");
  EXPECT_EQ(get("mode"), "fast");
}

TEST_F(DeclaredRegisters, ASnapshotHasThemAll) {
  write(0x04, 0x25);
  write(0x20, 0x0123'4567'89ab'cdef, 8);
  write(0x34, 0xbeef, 2);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(read(0x04), 0x25u);
  EXPECT_EQ(read(0x20, 8), 0x0123'4567'89ab'cdefu);
  EXPECT_EQ(read(0x34, 2), 0xbeefu);
}

TEST_F(DeclaredRegisters, ALoadOfBitsThatAreNotThereIsRefused) {
  const TypeInfo& type = *find_type("test-registers");
  const auto field = std::ranges::find(type.state.fields, "CONTROL", &StateField::name);
  ASSERT_NE(field, type.state.fields.end());
  StateWriter out;
  out.number(0x80, 4);
  StateReader in(out.data());
  const auto loaded = field->load(static_cast<Object*>(&device), in, *field);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message(), "register CONTROL has bits that it cannot have: 0x80");
  EXPECT_EQ(read(0x04), 0x11u) << "the old value stays";
}

TEST_F(DeclaredRegisters, TheTypeListsThem) {
  const auto found = find_register(*find_type("test-registers"), "CONTROL");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->row->offset, 4u);
  EXPECT_EQ(found->row->width, 4u);
  EXPECT_EQ(found->row->writable, 0x7fu);
  EXPECT_EQ(found->row->reset, 0x11u);
  EXPECT_EQ(fields_text(*found->row, 0x35), "ON MODE=warp LEVEL=0x3");
  EXPECT_FALSE(find_register(*find_type("test-registers"), "DATA[4]"));
}

class RegisterTraces : public DeclaredRegisters {
 protected:
  RegisterTraces() {
    switch_to(true);
    testing::internal::CaptureStderr();
  }
  ~RegisterTraces() override { switch_to(false); }
  static void switch_to(bool on) {
    for (trace::EventBase* event : trace::events())
      if (event->name() == "test-registers_registers") event->enable(on);
  }
};

TEST_F(RegisterTraces, NameRegistersAndFields) {
  write(0x04, 0x13);
  read(0x04);
  read(0x48);
  write(0x00, 5);
  write(0x48, 6);
  write(0x15, 0xee, 1);
  write(0x38, 0x1234, 2);
  read(0x51, 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "test-registers: CONTROL <- 0x13 [ON MODE=fast LEVEL=0x1]\n"
            "test-registers: CONTROL -> 0x13 [ON MODE=fast LEVEL=0x1]\n"
            "test-registers: 0x48 -> 0xffffffff\n"
            "test-registers: ID <- 0x5\n"
            "test-registers: 0x48 <- 0x6\n"
            "test-registers: KEPT <- 0xee00 of bits 0xff00\n"
            "test-registers: DATA[1] <- 0x1234\n"
            "test-registers: WINDOW+0x1 -> 0x101\n");
}

}  // namespace
}  // namespace test
}  // namespace rhea
