// SPDX-License-Identifier: GPL-2.0-or-later
// The device "vmgenid", as firmware sets it up and a guest that was restored hears of it.
#include "hw/acpi/vm_generation.h"
#include "rhea/softmmu/snapshot.h"
#include "tests/board/firmware_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

constexpr std::string_view kGuid = "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87";
constexpr u64 kGuidPlace = 0x8'0028;
constexpr u16 kGpePorts = 0xafe0, kGenerationEvent = 1 << 5;

const hw::VmGeneration& plug_vmgenid(Pc& pc, std::string_view guid) {
  const auto plugged = pc.machine().plug("vmgenid", {{"guid", std::string(guid)}});
  EXPECT_TRUE(plugged) << plugged.error().message();
  pc.machine().reset_now(ShutdownCause::None, ResetKind::Cold);
  return dynamic_cast<const hw::VmGeneration&>(**plugged);
}

/// What firmware does with the pointer that it is told to write.
void link_vmgenid(Pc& pc) {
  write_fw_cfg_file(pc, "etc/vmgenid_addr",
                    std::array<u8, 8>{static_cast<u8>(kGuidPlace), 0, 0x08, 0, 0, 0, 0, 0});
}

std::vector<u8> saved_state(const hw::VmGeneration& device) {
  StateWriter out;
  save_object(const_cast<hw::VmGeneration&>(device), out);
  return out.take();
}

void load_state(const hw::VmGeneration& device, const std::vector<u8>& state) {
  StateReader in(state);
  ASSERT_TRUE(load_object(const_cast<hw::VmGeneration&>(device), in));
}

TEST(VmGenId, FirmwareGetsTheNumberWithItsFirstPartsLittleEndian) {
  Pc pc;
  plug_vmgenid(pc, kGuid);
  const auto file = fw_cfg_file(pc, "etc/vmgenid_guid");
  ASSERT_EQ(file.size(), 4096u);
  EXPECT_EQ(std::vector<u8>(file.begin() + 40, file.begin() + 56),
            (std::vector<u8>{0xaf, 0x6e, 0x4e, 0x32, 0xd1, 0xd1, 0xf6, 0x4b, 0xbf, 0x41, 0xb9, 0xbb,
                             0x6c, 0x91, 0xfb, 0x87}));
  EXPECT_EQ(fw_cfg_file(pc, "etc/vmgenid_addr"), std::vector<u8>(8));
}

TEST(VmGenId, AutomaticOnesDiffer) {
  Pc one, other;
  const std::string first = plug_vmgenid(one, "auto").text();
  EXPECT_NE(first, plug_vmgenid(other, "auto").text());
  EXPECT_EQ(first[14], '4');
  EXPECT_THAT("89ab", HasSubstr(std::string(1, first[19])));
}

TEST(VmGenId, ANumberThatIsNoneIsRefused) {
  Pc pc;
  EXPECT_EQ(pc.machine().plug("vmgenid", {{"guid", "324e6eaf"}}).error().message(),
            "Property 'vmgenid.guid': '324e6eaf' is neither auto nor a UUID");
}

TEST(VmGenId, IsThereOnce) {
  Pc pc;
  plug_vmgenid(pc, "auto");
  EXPECT_EQ(pc.machine().plug("vmgenid", {}).error().message(),
            "at most one vmgenid device is permitted");
}

TEST(VmGenId, ARestoredGuestFindsAnotherNumberAndHasAnEvent) {
  Pc original;
  const auto& before = plug_vmgenid(original, kGuid);
  link_vmgenid(original);
  Pc pc;
  const auto& device = plug_vmgenid(pc, "00112233-4455-6677-8899-aabbccddeeff");
  load_state(device, saved_state(before));
  EXPECT_EQ(pc.machine().memory().load(kGuidPlace, 8), 0u) << "its memory is not there yet";
  pc.machine().resume();
  EXPECT_EQ(pc.machine().memory().load(kGuidPlace, 8), 0x6677'4455'0011'2233u);
  EXPECT_EQ(pc.machine().memory().load(kGuidPlace + 8, 8), 0xffee'ddcc'bbaa'9988u);
  EXPECT_EQ(pc.machine().io().load(kGpePorts, 2) & kGenerationEvent, kGenerationEvent);
}

TEST(VmGenId, AnAutomaticNumberIsAnotherAfterALoad) {
  Pc pc;
  const auto& device = plug_vmgenid(pc, "auto");
  link_vmgenid(pc);
  const std::string before = device.text();
  load_state(device, saved_state(device));
  EXPECT_NE(device.text(), before);
}

TEST(VmGenId, AGuestThatOnlyPausedHearsNothing) {
  Pc pc;
  plug_vmgenid(pc, kGuid);
  link_vmgenid(pc);
  pc.machine().resume();
  pc.machine().pause();
  pc.machine().resume();
  EXPECT_EQ(pc.machine().memory().load(kGuidPlace, 8), 0u);
  EXPECT_EQ(pc.machine().io().load(kGpePorts, 2), 0u);
}

TEST(VmGenId, AResetForgetsWhereItLies) {
  Pc pc;
  const auto& device = plug_vmgenid(pc, kGuid);
  link_vmgenid(pc);
  pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_EQ(fw_cfg_file(pc, "etc/vmgenid_addr"), std::vector<u8>(8));
  load_state(device, saved_state(device));
  pc.machine().resume();
  EXPECT_EQ(pc.machine().io().load(kGpePorts, 2), 0u);
}

TEST(VmGenId, ItsTableIsThereWithItAlone) {
  Pc without, with({}, [](Machine& machine) {
    machine.on_machine_ready([&machine] { ASSERT_TRUE(machine.plug("vmgenid", {})); });
  });
  const auto text = [](Pc& pc, std::string_view file) {
    const auto bytes = fw_cfg_file(pc, file);
    return std::string(bytes.begin(), bytes.end());
  };
  EXPECT_THAT(text(with, "etc/acpi/tables"), HasSubstr("VM_Gen_Counter"));
  EXPECT_THAT(text(with, "etc/table-loader"), HasSubstr("etc/vmgenid_addr"));
  EXPECT_THAT(text(without, "etc/table-loader"), testing::Not(HasSubstr("vmgenid")));
}

}  // namespace
}  // namespace rhea::test
