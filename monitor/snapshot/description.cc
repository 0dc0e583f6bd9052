// SPDX-License-Identifier: GPL-2.0-or-later
// What machine a snapshot is of.
#include "monitor/snapshot/description.h"

#include "accel/accelerator.h"
#include "accel/cpu_device.h"
#include "block/overlay.h"
#include "rhea/block/block_backend.h"
#include "rhea/qom/registry.h"
#include "target/x86/cpuid_bits.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea::snapshot {
namespace {

constexpr u64 kFormat = 1;

void save_texts(const std::vector<std::string>& texts, StateWriter& out) {
  out.number(texts.size(), 4);
  for (const std::string& text : texts) out.text(text);
}

Result<std::vector<std::string>> load_texts(StateReader& in) {
  std::vector<std::string> texts;
  for (u64 left = TRY(in.number(4)); left > 0; --left) texts.push_back(TRY(in.text()));
  return texts;
}

Result<bool> load_flag(StateReader& in) { return TRY(in.number(1)) != 0; }

std::string model_of(const accel::CpuDevice& cpu) {
  const std::string& type = cpu.type().name;
  return type.substr(0, type.size() - accel::kCpuTypeSuffix.size());
}

std::vector<std::string> features_of(const accel::CpuDevice& cpu) {
  std::vector<std::string> names;
  for (const x86::CpuidBit& bit : x86::cpuid_bits()) {
    const std::string name(x86::tool_name(bit));
    if (const auto value = cpu.get(name); value && to_text(*value) == "true") names.push_back(name);
  }
  return names;
}

// A drive that nobody can put anything into has none of the guest's state.
std::string medium_text(const DriveDescription& drive) {
  return drive.inserted ? fmt::format("{} bytes", drive.size) : std::string("no medium");
}

Result<> check_drive(const DriveDescription& saved, const DriveDescription& here) {
  if (saved.inserted != here.inserted || saved.size != here.size)
    return fail("drive '{}' has {} in the snapshot, and {} in this machine", saved.name,
                medium_text(saved), medium_text(here));
  if (saved.writable && !here.writable)
    return fail("drive '{}' was written to in the snapshot: start this machine with -snapshot",
                saved.name);
  return {};
}

Result<> check_cpus(const Description& saved, const Description& here) {
  if (saved.cpus != here.cpus)
    return fail("the snapshot has {} processors, this machine {}", saved.cpus, here.cpus);
  if (saved.cpu_model != here.cpu_model)
    return fail("the snapshot's processor is '{}', this machine's is '{}' (-cpu)", saved.cpu_model,
                here.cpu_model);
  std::vector<std::string> absent;
  for (const std::string& name : saved.cpu_features)
    if (std::ranges::find(here.cpu_features, name) == here.cpu_features.end())
      absent.push_back(name);
  if (!absent.empty())
    return fail("the snapshot's processor has '{}', which this machine's has not",
                fmt::join(absent, ","));
  return {};
}

}  // namespace

void Description::save(StateWriter& out) const {
  out.number(kFormat, 4);
  out.number(cpus, 4);
  out.text(cpu_model);
  save_texts(cpu_features, out);
  out.text(enum_name(state));
  out.number(drives.size(), 4);
  for (const DriveDescription& drive : drives) {
    out.text(drive.name);
    out.number(drive.inserted, 1);
    out.number(drive.size, 8);
    out.number(drive.writable, 1);
  }
}

Result<Description> Description::load(StateReader& in) {
  const u64 format = TRY(in.number(4));
  if (format != kFormat)
    return fail("the snapshot is of format {}, this Rhea knows {}", format, kFormat);
  Description d;
  d.cpus = static_cast<u32>(TRY(in.number(4)));
  d.cpu_model = TRY(in.text());
  d.cpu_features = TRY(load_texts(in));
  const std::string state = TRY(in.text());
  const auto names = EnumTraits<RunState>::kNames;
  const auto found = std::ranges::find(names, state);
  if (found == names.end()) return fail("the snapshot is of an unknown run state");
  d.state = static_cast<RunState>(found - names.begin());
  for (u64 left = TRY(in.number(4)); left > 0; --left) {
    DriveDescription drive;
    drive.name = TRY(in.text());
    drive.inserted = TRY(load_flag(in));
    drive.size = TRY(in.number(8));
    drive.writable = TRY(load_flag(in));
    d.drives.push_back(std::move(drive));
  }
  if (!in.at_end()) return fail("the snapshot's description is longer than known");
  return d;
}

Description describe(Machine& machine) {
  const auto& accel = machine.service<accel::AccelService>();
  Description d;
  d.cpus = static_cast<u32>(accel.vcpu_count());
  d.state = machine.run_state();
  if (d.cpus != 0) {
    d.cpu_model = model_of(accel.cpu_device(0));
    d.cpu_features = features_of(accel.cpu_device(0));
  }
  for (const BlockBackend* drive : drives(machine))
    d.drives.push_back({.name = drive->name(),
                        .inserted = drive->inserted(),
                        .size = drive->size(),
                        .writable = block::Overlay::of(drive->medium().get()) != nullptr});
  return d;
}

Result<> check_disks(Machine& machine) {
  for (const BlockBackend* drive : drives(machine))
    if (drive->inserted() && !drive->read_only() &&
        block::Overlay::of(drive->medium().get()) == nullptr)
      return fail(
          "drive '{}' writes to '{}', which a snapshot does not hold: start Rhea with "
          "-snapshot",
          drive->shown_name(), drive->filename());
  return {};
}

Result<> check_fits(const Description& saved, const Description& here) {
  TRY(check_cpus(saved, here));
  for (const DriveDescription& drive : saved.drives) {
    const auto it = std::ranges::find(here.drives, drive.name, &DriveDescription::name);
    if (it == here.drives.end())
      return fail("drive '{}' is in the snapshot, but not in this machine", drive.name);
    TRY(check_drive(drive, *it));
  }
  for (const DriveDescription& drive : here.drives)
    if (std::ranges::find(saved.drives, drive.name, &DriveDescription::name) == saved.drives.end())
      return fail("drive '{}' is in this machine, but not in the snapshot", drive.name);
  return {};
}

}  // namespace rhea::snapshot
