// SPDX-License-Identifier: GPL-2.0-or-later
// -machine and -m: what QEMU's users say that is so anyway, and what is refused with its words.
#include "accel/accelerator.h"
#include "hw/i386/board.h"
#include "rhea/util/option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

/// "ok", or why this option is refused; the memory that there is then.
struct Given {
  explicit Given(std::string_view option, const std::string& text) {
    Machine machine;
    const DomainGuard guard(&machine.lock());
    const auto applied = find_option(option)->apply(machine, text);
    said = applied ? "ok" : applied.error().message();
    memory = machine.config.ram_size;
  }
  std::string said;
  u64 memory{};
};

std::string built(const std::string& text) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  machine.service<accel::AccelService>().add_candidates("qtest");
  EXPECT_TRUE(machine.service<accel::AccelService>().select());
  if (auto applied = find_option("machine")->apply(machine, text); !applied)
    return applied.error().message();
  if (auto built = hw::build_board(machine); !built) return built.error().message();
  return "ok";
}

TEST(MachineOption, DefaultsMayBeSaid) {
  EXPECT_EQ(built("pc,nvdimm=off,sata=off,i8042=on,usb=off,hpet=off,vmport=auto,hmat=off"), "ok");
}

TEST(MachineOption, WhatIsNotThereCannotBeSwitchedOn) {
  EXPECT_THAT(built("pc,nvdimm=on"), HasSubstr("'nvdimm' is not there"));
  EXPECT_THAT(built("pc,i8042=off"), HasSubstr("'i8042' is always there"));
}

TEST(MachineOption, PropertiesOfArraysAreKnownByName) {
  EXPECT_THAT(built("pc,sgx-epc.0.memdev=m"),
              HasSubstr("'pc-i440fx-7.2-machine.sgx-epc.0.memdev' not found; QEMU has this; Rhea "
                        "has not yet: leave it out: there is no SGX"));
}

TEST(MachineOption, AWrongIrqchipIsThisOptionsFault) {
  EXPECT_EQ(Given("machine", "pc,kernel-irqchip=maybe").said,
            "-machine kernel-irqchip: 'maybe' is not one of on, off, split");
}

TEST(MachineOption, SaysTheMemoryAsWell) {
  EXPECT_EQ(Given("machine", "pc,memory.size=256M").memory, 256 * MiB);
  EXPECT_THAT(Given("machine", "pc,memory.size=256M,memory.max-size=1G").said,
              HasSubstr("QEMU has this; Rhea has not yet"));
  EXPECT_EQ(Given("machine", "pc,memory.sise=256M").said,
            "-machine memory: unknown parameter 'sise'; did you mean 'size'?");
}

TEST(MemoryOption, TakesAMostThatIsWhatThereIs) {
  const Given given("m", "64,slots=0,maxmem=64M");
  EXPECT_EQ(given.said, "ok");
  EXPECT_EQ(given.memory, 64 * MiB);
}

TEST(MemoryOption, RefusesWhatCannotBeWithQemusWords) {
  EXPECT_THAT(Given("m", "64,slots=2").said, HasSubstr("slots specified but no max-size"));
  EXPECT_THAT(
      Given("m", "1G,maxmem=512M").said,
      HasSubstr("invalid value of maxmem: maximum memory size (0x20000000) must be at least "
                "the initial memory size (0x40000000)"));
  EXPECT_THAT(Given("m", "1G,slots=2,maxmem=1G").said,
              HasSubstr("memory slots were specified but maximum memory size (0x40000000) is equal "
                        "to the initial memory size (0x40000000)"));
  EXPECT_THAT(Given("m", "64,maxmem=x").said, HasSubstr("maxmem: "));
}

TEST(MemoryOption, KnowsPluggingByName) {
  EXPECT_EQ(
      Given("m", "1G,slots=2,maxmem=2G").said,
      "-m 1G,slots=2,maxmem=2G: slots and maxmem: QEMU has this; Rhea has not yet: leave them "
      "out, the guest keeps the memory it begins with");
}

}  // namespace
}  // namespace rhea::test
