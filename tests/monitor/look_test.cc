// SPDX-License-Identifier: GPL-2.0-or-later
// Looking at page tables and interrupt controllers through the human monitor.
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class LookTest : public MonitorTest {
 protected:
  void SetUp() override { add_fake_cpus(machine(), 2); }
  x86::CpuState& cpu() { return machine().service<FakeCpuState>().state; }
  void enter_long_mode(u64 cr3) {
    cpu().cr0 = u64{1} << 31 | 1;
    cpu().cr4 = 1 << 5;
    cpu().efer = 1 << 8 | 1 << 10;
    cpu().cr3 = cr3;
  }
  void entry(u64 table, u64 index, u64 value) { bench_.store(table + index * 8, value, 8); }
};

TEST_F(LookTest, without_paging_nothing_is_mapped) {
  EXPECT_EQ(hmp("info tlb"), "PG disabled\n");
  EXPECT_EQ(hmp("info mem"), "PG disabled\n");
}

TEST_F(LookTest, long_mode_tables) {
  enter_long_mode(0x1000);
  entry(0x1000, 0, 0x2007);
  entry(0x1000, 511, 0x2007);  // the kernel's half, the same tables
  entry(0x2000, 0, 0x3007);
  entry(0x3000, 0, 0x4003);                 // no user
  entry(0x3000, 1, 0x8000'0000'0020'00e7);  // 2 MiB, NX, dirty, accessed
  entry(0x4000, 1, 0x5161);
  entry(0x4000, 2, 0x6161);
  EXPECT_EQ(hmp("info tlb"),
            "0000000000001000: 0000000000005000 -G-DA----\n"
            "0000000000002000: 0000000000006000 -G-DA----\n"
            "0000000000200000: 0000000000200000 X-PDA--UW\n"
            "ffffff8000001000: 0000000000005000 -G-DA----\n"
            "ffffff8000002000: 0000000000006000 -G-DA----\n"
            "ffffff8000200000: 0000000000200000 X-PDA--UW\n");
  EXPECT_EQ(hmp("info mem"),
            "0000000000001000-0000000000003000 0000000000002000 -r-\n"
            "0000000000200000-0000000000400000 0000000000200000 urw\n"
            "ffffff8000001000-ffffff8000003000 0000000000002000 -r-\n"
            "ffffff8000200000-ffffff8000400000 0000000000200000 urw\n");
}

TEST_F(LookTest, tables_of_32_bits) {
  cpu().cr0 = u64{1} << 31 | 1;
  cpu().cr3 = 0x1000;
  bench_.store(0x1000, 0x2007, 4);
  bench_.store(0x1004, 0x0040'0083, 4);
  bench_.store(0x2004, 0x5005, 4);
  // Without PSE the second entry leads to a table where no memory is.
  EXPECT_EQ(hmp("info tlb"), "0000000000001000: 0000000000005000 -------U-\n");
  cpu().cr4 = 1 << 4;
  EXPECT_EQ(hmp("info tlb"),
            "0000000000001000: 0000000000005000 -------U-\n"
            "0000000000400000: 0000000000400000 --P-----W\n");
}

// Every entry leads back to the one table: 2^36 pages.
TEST_F(LookTest, tables_without_end_are_told_of_in_part) {
  enter_long_mode(0x1000);
  for (u64 i = 0; i < 512; ++i) entry(0x1000, i, 0x1003);
  const std::string pages = hmp("info tlb");
  EXPECT_LT(pages.size(), 9 * MiB);
  EXPECT_TRUE(pages.ends_with("(there is more)\n"));
  EXPECT_THAT(hmp("info mem"), HasSubstr("(there is more)\n"));
}

TEST_F(LookTest, guest_memory_on_the_host) {
  EXPECT_THAT(hmp("gpa2hva 0x1000"), StartsWith("Host virtual address for 0x1000 (pc.ram) is 0x"));
  EXPECT_EQ(hmp("gpa2hva 0xfffffffff"), "No memory is mapped at address 0xfffffffff\n");
  EXPECT_EQ(hmp("gpa2hpa 0xfffffffff"), "No memory is mapped at address 0xfffffffff\n");
  bench_.store(0x1000, 1, 1);
  EXPECT_THAT(hmp("gpa2hpa 0x1000"),
              testing::AnyOf(StartsWith("Host physical address for 0x1000 (pc.ram) is 0x"),
                             testing::Eq("Page frame number is hidden from this user\n")));
}

TEST_F(LookTest, roms) {
  Region rom;
  ASSERT_TRUE(rom.init_rom(nullptr, "test.rom", 64 * KiB));
  machine().system_memory().add(0xffff'0000, rom);
  EXPECT_EQ(hmp("info roms"), "addr=00000000ffff0000 size=0x010000 mem=rom name=\"test.rom\"\n");
}

TEST_F(LookTest, interrupt_controllers) {
  bench_.add("isa-i8259");
  bench_.outb(0x21, 0xfb);
  EXPECT_EQ(hmp("info pic"),
            "pic0: irr=00 imr=fb isr=00 hprio=0 irq_base=00 rr_sel=0 elcr=00 fnm=0\n"
            "pic1: irr=00 imr=00 isr=00 hprio=0 irq_base=00 rr_sel=0 elcr=00 fnm=0\n");
  EXPECT_EQ(hmp("info irq"), "IRQ statistics for isa-i8259:\n");
}

TEST_F(LookTest, interrupts_are_counted_as_they_rise) {
  Device& pic = bench_.add("isa-i8259");
  Device& ioapic = bench_.add("ioapic");
  pic.gpio_in("", 4).set(true);
  pic.gpio_in("", 4).set(true);
  pic.gpio_in("", 4).set(false);
  pic.gpio_in("", 4).set(true);
  ioapic.gpio_in("", 17).set(true);
  EXPECT_EQ(hmp("info irq"),
            "IRQ statistics for isa-i8259:\n 4: 2\nIRQ statistics for ioapic:\n17: 1\n");
}

TEST_F(LookTest, io_apic_entries) {
  bench_.add("ioapic");
  bench_.store(0xfec0'0000, 0x14, 4);
  bench_.store(0xfec0'0010, 0xa931, 4);
  bench_.store(0xfec0'0000, 0x15, 4);
  bench_.store(0xfec0'0010, 0x0300'0000, 4);
  const std::string text = hmp("info pic");
  EXPECT_THAT(text, StartsWith("ioapic0: ver=0x20 id=0x00 sel=0x15 (redir[2])\n"));
  EXPECT_THAT(text, HasSubstr("  pin 2  0x030000000000a931 dest=3 vec=49  active-lo level        "
                              "lowest logical\n"));
  EXPECT_THAT(text, HasSubstr("  pin 3  0x0000000000010000 dest=0 vec=0   active-hi edge  masked "
                              "fixed  physical\n"));
  EXPECT_TRUE(text.ends_with("  IRR       (none)\n  Remote IRR (none)\n"));
}

TEST_F(LookTest, local_apic) {
  EXPECT_EQ(hmp("info lapic"), "CPU has no local APIC\n");
  auto& page = cpu().lapic;
  page.assign(1024, 0);
  page[0x80] = 0x20;  // TPR
  page[0xf1] = 1;     // enabled
  page[0xf0] = 0xff;
  page[0x110] = 2;  // ISR: vector 33
  page[0x190] = 2;  // level
  page[0x322] = 3;  // LVTT: masked, periodic
  page[0x320] = 0xec;
  const std::string text = hmp("info lapic 1");
  EXPECT_THAT(text, StartsWith("dumping local APIC state for CPU 1 \n\nLVT0\t 0x00000000"));
  EXPECT_THAT(text, HasSubstr("LVTT\t 0x000300ec active-hi edge  masked          periodic     Fixed"
                              "  (vec 236)\n"));
  EXPECT_THAT(text, HasSubstr("SPIV\t 0x000001ff APIC enabled, focus=off, spurious vec 255\n"));
  EXPECT_THAT(text, HasSubstr("ISR\t 33(level) \nIRR\t (none)\n"));
  EXPECT_THAT(text, HasSubstr("TPR 0x20"));
  EXPECT_EQ(hmp("info lapic 9"), "No CPU available\n");
}

}  // namespace
}  // namespace rhea::test
