// SPDX-License-Identifier: GPL-2.0-or-later
// The tables firmware gets, placed and linked by the script as firmware would.
#include "hw/i386/acpi_tables.h"
#include "hw/i386/smbios.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <numeric>

namespace rhea::hw {
namespace {

u32 get32(const std::vector<u8>& data, std::size_t at) {
  u32 v = 0;
  std::memcpy(&v, data.data() + at, 4);
  return v;
}

u8 sum(const std::vector<u8>& data, std::size_t at, std::size_t count) {
  return std::accumulate(data.begin() + static_cast<std::ptrdiff_t>(at),
                         data.begin() + static_cast<std::ptrdiff_t>(at + count), u8{0},
                         [](u8 a, u8 b) { return static_cast<u8>(a + b); });
}

/// Runs the loader script; the tables lie at kBase, the RSDP elsewhere.
struct Loaded {
  static constexpr u32 kBase = 0x7fe0000;
  std::map<std::string, std::vector<u8>> files;
  explicit Loaded(const AcpiTables& made) {
    files["etc/acpi/tables"] = made.tables;
    files["etc/acpi/rsdp"] = made.rsdp;
    for (std::size_t at = 0; at < made.loader.size(); at += 128) step(made.loader, at);
  }
  void step(const std::vector<u8>& script, std::size_t at) {
    const std::string name(reinterpret_cast<const char*>(&script[at + 4]));
    if (get32(script, at) == 2) {
      const u32 offset = get32(script, at + 116);
      const u32 value = get32(files[name], offset) + kBase;
      std::memcpy(files[name].data() + offset, &value, 4);
    } else if (get32(script, at) == 3) {
      const u32 offset = get32(script, at + 60), start = get32(script, at + 64),
                length = get32(script, at + 68);
      files[name][offset] = 0;
      files[name][offset] = static_cast<u8>(-sum(files[name], start, length));
    }
  }
  const std::vector<u8>& tables() { return files["etc/acpi/tables"]; }
  std::string signature(u32 address) {
    return {reinterpret_cast<const char*>(&tables()[address - kBase]), 4};
  }
};

/// What the RSDT lists; each table sums to zero.
std::string listed(Loaded& loaded) {
  const u32 rsdt = get32(loaded.files["etc/acpi/rsdp"], 16);
  EXPECT_EQ(loaded.signature(rsdt), "RSDT");
  std::string found;
  for (u32 at = rsdt + 36; at < rsdt + get32(loaded.tables(), rsdt - Loaded::kBase + 4); at += 4) {
    const u32 table = get32(loaded.tables(), at - Loaded::kBase);
    found += loaded.signature(table) + " ";
    EXPECT_EQ(sum(loaded.tables(), table - Loaded::kBase,
                  get32(loaded.tables(), table - Loaded::kBase + 4)),
              0);
  }
  return found;
}

TEST(AcpiTables, TheRsdpLeadsToEveryTableAndAllSumToZero) {
  Loaded loaded(build_acpi_tables({.cpus = 2, .max_cpus = 2, .topology = {}}));
  const auto& rsdp = loaded.files["etc/acpi/rsdp"];
  ASSERT_EQ(rsdp.size(), 20u);
  EXPECT_EQ(sum(rsdp, 0, 20), 0);
  EXPECT_EQ(listed(loaded), "FACP APIC SSDT ");
}

TEST(AcpiTables, DevicesThatNotEveryMachineHasBringTheirOwn) {
  AcpiConfig config;
  config.devices = {.panic_port = u16{0x510}, .hpet_block = 0x8086'a201U, .generation = true};
  const AcpiTables made = build_acpi_tables(config);
  Loaded loaded(made);
  EXPECT_EQ(listed(loaded), "FACP APIC SSDT HPET SSDT SSDT SSDT ");
  const std::string text(loaded.tables().begin(), loaded.tables().end());
  const auto port = text.find("PEPO") + 5;
  EXPECT_EQ(get32(loaded.tables(), port), 0x510u);
  const auto address = text.find("VGIA") + 5;
  EXPECT_EQ(get32(loaded.tables(), address), Loaded::kBase) << "linked";
  const std::string script(made.loader.begin(), made.loader.end());
  EXPECT_NE(script.find("etc/vmgenid_addr"), std::string::npos);
}

TEST(AcpiTables, TheFadtPointsToFacsAndDsdtAndHasRevisionThreeSize) {
  Loaded loaded(build_acpi_tables({}));
  const u32 rsdt = get32(loaded.files["etc/acpi/rsdp"], 16);
  const u32 fadt = get32(loaded.tables(), rsdt + 36 - Loaded::kBase) - Loaded::kBase;
  EXPECT_EQ(get32(loaded.tables(), fadt + 4), 244u);
  EXPECT_EQ(loaded.signature(get32(loaded.tables(), fadt + 36)), "FACS");
  EXPECT_EQ((get32(loaded.tables(), fadt + 36)) % 64, 0u);
  EXPECT_EQ(loaded.signature(get32(loaded.tables(), fadt + 40)), "DSDT");
  EXPECT_EQ(get32(loaded.tables(), fadt + 76), 0x608u) << "PM timer port";
}

TEST(AcpiTables, TheMadtListsEachCpu) {
  Loaded one(build_acpi_tables({.cpus = 1, .max_cpus = 1, .topology = {}}));
  Loaded four(build_acpi_tables({.cpus = 4, .max_cpus = 4, .topology = {}}));
  const auto madt_size = [](Loaded& l) {
    const u32 rsdt = get32(l.files["etc/acpi/rsdp"], 16);
    const u32 madt = get32(l.tables(), rsdt + 40 - Loaded::kBase) - Loaded::kBase;
    return get32(l.tables(), madt + 4);
  };
  EXPECT_EQ(madt_size(four) - madt_size(one), 3u * 8);
}

TEST(AcpiTables, TheMadtSaysWhetherThereAre8259s) {
  const auto flags = [](bool pic) {
    AcpiConfig config;
    config.has_pic = pic;
    Loaded l(build_acpi_tables(config));
    const u32 rsdt = get32(l.files["etc/acpi/rsdp"], 16);
    return get32(l.tables(), get32(l.tables(), rsdt + 40 - Loaded::kBase) - Loaded::kBase + 40);
  };
  EXPECT_EQ(flags(true), 1U);
  EXPECT_EQ(flags(false), 0U);
}

TEST(Smbios, TheAnchorSumsToZeroAndCountsItsStructures) {
  const SmbiosTables made = build_smbios({.ram_size = 128 * MiB, .low_ram = 128 * MiB}).value();
  EXPECT_EQ(sum(made.anchor, 0, 0x1f), 0);
  EXPECT_EQ(sum(made.anchor, 0x10, 0x0f), 0);
  unsigned count = 0;
  std::size_t at = 0;
  while (at + 4 <= made.tables.size()) {
    ++count;
    at += made.tables[at + 1];
    while (made.tables[at] != 0 || made.tables[at + 1] != 0) ++at;
    at += 2;
  }
  EXPECT_EQ(at, made.tables.size());
  EXPECT_EQ(made.anchor[0x1c], count);
}

}  // namespace
}  // namespace rhea::hw
