// SPDX-License-Identifier: GPL-2.0-or-later
// Devices and the drives they are given.
#include "block/blockdev.h"

namespace rhea {
namespace {

Result<std::shared_ptr<BlockNode>> take_node(const BlockBackend& named, DriveUse use) {
  auto node = TRY(
      named.machine().service<block::NamedNodes>().acquire(named.name(), use != DriveUse::Read));
  if (use == DriveUse::Write && node->read_only()) {
    node->release();
    return fail("Block node is read-only");
  }
  return node;
}

}  // namespace

BlockBackend& add_anonymous_drive(Machine& machine) {
  std::string name;
  for (unsigned n = 0; name.empty() || find_drive(machine, name) != nullptr; ++n)
    name = fmt::format("#drive{}", n);
  return machine.container(BlockBackend::kLinkRoot)
      .add_child(std::move(name), create<BlockBackend>());
}

void remove_drive(BlockBackend& drive) { drive.parent()->remove_child(drive); }

Result<> take_drive(BlockBackend*& drive, Device& device, DriveUse use, MediaDevice* media) {
  if (drive == nullptr) {
    drive = &add_anonymous_drive(device.machine());
  } else if (drive->is_node()) {
    auto node = TRY(take_node(*drive, use));
    drive = &add_anonymous_drive(device.machine());
    drive->set_medium(std::move(node));
  } else if (use == DriveUse::Write && drive->inserted() && drive->medium()->details().fell_back) {
    return fail("Drive '{}': '{}' cannot be written by this user", drive->name(),
                drive->filename());
  } else if (use == DriveUse::Write && drive->inserted() && drive->read_only()) {
    return fail("Block node is read-only");
  }
  TRY(drive->attach(device, media));
  device.on_unrealize([&drive] {
    drive->detach();
    if (drive->anonymous()) remove_drive(*std::exchange(drive, nullptr));
  });
  return {};
}

}  // namespace rhea
