// SPDX-License-Identifier: GPL-2.0-or-later
// KVM's memory slots follow the flat view: split, merged, moved, read-only and back, within the
// limit.
#include "tests/accel/guest.h"

#include <stdexcept>

namespace rhea::test {
namespace {

class KvmSlots : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
  static GuestOptions options(std::vector<int> hidden = {}) {
    if (!GetParam()) hidden.push_back(KVM_CAP_USER_MEMORY2);
    return {.vm = {}, .hidden = std::move(hidden)};
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, KvmSlots, testing::Values(true, false),
                         [](const auto& way) { return way.param ? "Region2" : "Region"; });

/// Slots as "first-last rw".
std::vector<std::string> slots(Guest& guest) {
  std::vector<std::string> texts;
  for (const auto& [gpa, slot] : guest.vm().slots().slots())
    texts.push_back(fmt::format("{:x}-{:x} {}", gpa, slot->last(), slot->readonly ? "ro" : "rw"));
  return texts;
}
using Texts = std::vector<std::string>;

u32 load(Guest& guest, u32 address) {
  guest.clear_log();
  guest.order_and_wait({1, address});
  const auto values = guest.written_to(0x5f4);
  return values.empty() ? 0xdeadbeef : static_cast<u32>(values.back());
}

TEST_P(KvmSlots, DevicesSplitMemory) {
  Guest guest(options());
  EXPECT_EQ(slots(guest), (Texts{"0-cffff rw", "d2000-1fffff rw"}));
}

TEST_P(KvmSlots, ThereAreNoneBeforeTheBoardIsReady) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  Region ram;
  auto vm = kvm::Vm::create(machine, kvm::System::open().value(), {}).value();
  ram.init_ram(nullptr, "pc.ram", MiB).value();
  machine.system_memory().add(0, ram);
  EXPECT_TRUE(vm->slots().slots().empty());
  vm->board_ready().value();
  EXPECT_EQ(vm->slots().slots().size(), 1u);
}

TEST_P(KvmSlots, MemoryMergesWhenADeviceGoes) {
  Guest guest(options());
  Region device;
  const DomainGuard guard(&guest.machine().lock());
  device.init_io(nullptr, "device", 0x1000, RegionOps{}, nullptr);
  guest.machine().system_memory().add(0x100000, device, 1);
  EXPECT_EQ(slots(guest), (Texts{"0-cffff rw", "d2000-fffff rw", "101000-1fffff rw"}));
  guest.machine().system_memory().remove(device);
  EXPECT_EQ(slots(guest), (Texts{"0-cffff rw", "d2000-1fffff rw"}));
}

TEST_P(KvmSlots, PartsOfPagesStayExits) {
  Guest guest(options());
  Region device;
  {
    const DomainGuard guard(&guest.machine().lock());
    device.init_io(nullptr, "device", 0x10, RegionOps{}, nullptr);
    guest.machine().system_memory().add(0x100800, device, 1);
  }
  EXPECT_EQ(slots(guest), (Texts{"0-cffff rw", "d2000-fffff rw", "101000-1fffff rw"}));
  const u32 mark = 0x12345678;
  std::memcpy(guest.memory() + 0x100400, &mark, sizeof mark);
  guest.start_puppet();
  EXPECT_EQ(load(guest, 0x100400), mark);
  guest.order_and_wait({2, 0x100c00, 0xcafe});
  EXPECT_EQ(guest.peek<u32>(0x100c00), 0xcafeU);
  guest.pause();
  const DomainGuard guard(&guest.machine().lock());
  guest.machine().system_memory().remove(device);
}

TEST_P(KvmSlots, MovedMemoryIsSeenAtItsNewPlace) {
  Guest guest(options());
  Region bar;
  {
    const DomainGuard guard(&guest.machine().lock());
    ASSERT_TRUE(bar.init_ram(nullptr, "bar", 64 * KiB));
    guest.machine().system_memory().add(0xe0000000, bar);
  }
  const u32 mark = 0xabcd1234;
  std::memcpy(bar.host() + 0x100, &mark, sizeof mark);
  guest.start_puppet();
  EXPECT_EQ(load(guest, 0xe0000100), mark);
  {
    const DomainGuard guard(&guest.machine().lock());
    bar.set_address(0xd0000000);
  }
  EXPECT_EQ(load(guest, 0xd0000100), mark);
  EXPECT_EQ(load(guest, 0xe0000100), 0xffffffffU);
  EXPECT_EQ(slots(guest).back(), "d0000000-d000ffff rw");
  guest.pause();
  const DomainGuard guard(&guest.machine().lock());
  guest.machine().system_memory().remove(bar);
}

TEST_P(KvmSlots, ReadOnlyFlipsAndFlipsBack) {
  Guest guest(options());
  Region shadow;
  {
    const DomainGuard guard(&guest.machine().lock());
    shadow.init_alias(nullptr, "shadow", guest.ram(), 0x100000, 0x10000);
    guest.machine().system_memory().add(0x100000, shadow, 1);
    shadow.set_readonly(true);
  }
  EXPECT_EQ(slots(guest),
            (Texts{"0-cffff rw", "d2000-fffff rw", "100000-10ffff ro", "110000-1fffff rw"}));
  guest.start_puppet();
  guest.order_and_wait({2, 0x100000, 0x1111});
  EXPECT_EQ(guest.peek<u32>(0x100000), 0U);
  {
    const DomainGuard guard(&guest.machine().lock());
    shadow.set_readonly(false);
  }
  guest.order_and_wait({2, 0x100000, 0x2222});
  EXPECT_EQ(guest.peek<u32>(0x100000), 0x2222U);
  {
    const DomainGuard guard(&guest.machine().lock());
    shadow.set_readonly(true);
  }
  guest.order_and_wait({2, 0x100000, 0x3333});
  EXPECT_EQ(guest.peek<u32>(0x100000), 0x2222U);
  EXPECT_EQ(load(guest, 0x100000), 0x2222U);
  guest.pause();
  const DomainGuard guard(&guest.machine().lock());
  guest.machine().system_memory().remove(shadow);
}

struct Flash {
  std::vector<u64> writes;
  u64 read(u64, unsigned) { return 0x55; }
  void write(u64 offset, u64, unsigned) { writes.push_back(offset); }
};

TEST_P(KvmSlots, RomDeviceIsReadDirectlyOnlyInReadMode) {
  Guest guest(options());
  Flash flash;
  Region region;
  {
    const DomainGuard guard(&guest.machine().lock());
    ASSERT_TRUE(region.init_rom_device(nullptr, "flash", 0x10000, io<&Flash::read, &Flash::write>(),
                                       &flash));
    guest.machine().system_memory().add(0xf0000000, region);
  }
  const u32 mark = 0x600df00d;
  std::memcpy(region.host() + 8, &mark, sizeof mark);
  EXPECT_EQ(slots(guest).back(), "f0000000-f000ffff ro");
  guest.start_puppet();
  EXPECT_EQ(load(guest, 0xf0000008), mark);
  guest.order_and_wait({2, 0xf0000020, 1});
  EXPECT_EQ(flash.writes, (std::vector<u64>{0x20}));
  {
    const DomainGuard guard(&guest.machine().lock());
    region.set_romd_mode(false);
  }
  EXPECT_EQ(slots(guest).back(), "d2000-1fffff rw");
  EXPECT_EQ(load(guest, 0xf0000008), 0x55U);
  guest.pause();
  const DomainGuard guard(&guest.machine().lock());
  guest.machine().system_memory().remove(region);
}

TEST_P(KvmSlots, WithoutReadOnlyMemoryRomIsReachedThroughExits) {
  Guest guest(options({KVM_CAP_READONLY_MEM}));
  Region rom;
  {
    const DomainGuard guard(&guest.machine().lock());
    ASSERT_TRUE(rom.init_rom(nullptr, "rom", 0x1000));
    guest.machine().system_memory().add(0xf0000000, rom);
  }
  rom.host()[0] = 0x77;
  EXPECT_EQ(slots(guest).back(), "d2000-1fffff rw");
  guest.start_puppet();
  EXPECT_EQ(load(guest, 0xf0000000), 0x77U);
  guest.pause();
  const DomainGuard guard(&guest.machine().lock());
  guest.machine().system_memory().remove(rom);
}

TEST_P(KvmSlots, BeyondTheLimitMemoryIsReachedThroughExits) {
  Guest guest(options({KVM_CAP_NR_MEMSLOTS}));
  std::array<Region, 40> holes;
  {
    const DomainGuard guard(&guest.machine().lock());
    const Transaction transaction(guest.machine().map());
    for (std::size_t i = 0; i < holes.size(); ++i) {
      holes[i].init_io(nullptr, "hole", 0x1000, RegionOps{}, nullptr);
      guest.machine().system_memory().add(0x100000 + i * 0x2000, holes[i], 1);
    }
  }
  EXPECT_EQ(guest.vm().slots().limit(), 32U);
  EXPECT_EQ(slots(guest).size(), 32U);
  const u32 mark = 0x0ddba11;
  std::memcpy(guest.memory() + 0x1f0000, &mark, sizeof mark);
  guest.start_puppet();
  EXPECT_EQ(load(guest, 0x1f0000), mark);
  guest.pause();
  const DomainGuard guard(&guest.machine().lock());
  const Transaction transaction(guest.machine().map());
  for (Region& hole : holes) guest.machine().system_memory().remove(hole);
}

TEST_P(KvmSlots, CodeStaysUnderARunningProcessorWhileItsSlotIsCut) {
  Guest guest(options());
  Region device;
  {
    const DomainGuard guard(&guest.machine().lock());
    device.init_io(nullptr, "device", 0x1000, RegionOps{}, nullptr);
  }
  guest.start_real(GUEST(loop));
  for (unsigned i = 0; i < 30; ++i) {
    const DomainGuard guard(&guest.machine().lock());
    guest.machine().system_memory().add(0x10000, device, 1);
    guest.machine().system_memory().remove(device);
  }
  const u32 before = guest.peek<u32>(0x3000);
  EXPECT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) != before; }));
  EXPECT_EQ(guest.machine().run_state(), RunState::Running);
  EXPECT_EQ(slots(guest), (Texts{"0-cffff rw", "d2000-1fffff rw"}));
}

TEST(KvmGuestMemfd, HoldsTheGuestsMemoryWhereOffered) {
  SKIP_WITHOUT_KVM();
  std::unique_ptr<Guest> guest;
  try {
    guest = std::make_unique<Guest>(GuestOptions{.vm = {.guest_memfd = true}, .hidden = {}});
  } catch (const std::runtime_error& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_NE(guest->vm().slots().to_text().find("guest-memfd pc.ram"), std::string::npos);
  guest->start_puppet();
  guest->order_and_wait({2, 0x100000, 0x2222});
  EXPECT_EQ(guest->peek<u32>(0x100000), 0x2222U);
  // Such a slot cannot log: it becomes an ordinary one of the same memory.
  {
    const DomainGuard guard(&guest->machine().lock());
    guest->ram().set_log(DirtyClient::Migration, true);
  }
  guest->order_and_wait({2, 0x101000, 0x3333});
  EXPECT_EQ(guest->peek<u32>(0x101000), 0x3333U);
  EXPECT_EQ(guest->peek<u32>(0x100000), 0x2222U);
  guest->pause();
}

TEST(KvmGuestMemfd, IsRefusedWhereNotOffered) {
  SKIP_WITHOUT_KVM();
  Machine machine;
  const DomainGuard guard(&machine.lock());
  auto system = kvm::System::open();
  (*system)->hide(KVM_CAP_GUEST_MEMFD);
  const auto vm = kvm::Vm::create(machine, std::move(*system), {.guest_memfd = true});
  ASSERT_FALSE(vm);
  EXPECT_EQ(vm.error().message(), "guest-memfd=on: this host's KVM has no guest_memfd");
}

}  // namespace
}  // namespace rhea::test
