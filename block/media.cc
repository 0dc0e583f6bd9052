// SPDX-License-Identifier: GPL-2.0-or-later
// Trays and what lies in them.
#include "block/media.h"

#include "block/block_service.h"

#include <filesystem>
#include <system_error>

namespace rhea::block {
namespace {

Result<> check_removable(const BlockBackend& drive, std::string_view who) {
  if (!drive.removable()) return fail("Device '{}' is not removable", who);
  return {};
}

bool has_tray(const BlockBackend& drive) {
  return drive.media() != nullptr && drive.media()->has_tray();
}

Result<> check_open(const BlockBackend& drive, std::string_view who) {
  if (has_tray(drive) && !drive.media()->tray_open())
    return fail("Tray of device '{}' is not open", who);
  return {};
}

// Tells the device, and whoever listens.
void move_tray(BlockBackend& drive, bool open) {
  drive.media()->medium_changed(!open);
  drive.machine().service<BlockService>().tray_moved(drive, open);
}

}  // namespace

Result<TrayAnswer> open_tray(BlockBackend& drive, std::string_view who, bool force) {
  TRY(check_removable(drive, who));
  if (!has_tray(drive)) return TrayAnswer::NoTray;
  MediaDevice& media = *drive.media();
  if (media.tray_open()) return TrayAnswer::Open;
  const bool locked = media.medium_locked();
  if (locked) media.eject_requested(force);
  if (locked && !force) return TrayAnswer::Locked;
  move_tray(drive, true);
  return TrayAnswer::Open;
}

Result<> need_open_tray(BlockBackend& drive, std::string_view who, bool force) {
  if (TRY(open_tray(drive, who, force)) == TrayAnswer::Locked)
    return fail(
        "Device '{}' is locked and force was not specified, wait for tray to open and try again",
        who);
  return {};
}

Result<> close_tray(BlockBackend& drive, std::string_view who) {
  TRY(check_removable(drive, who));
  if (has_tray(drive) && drive.media()->tray_open()) move_tray(drive, false);
  return {};
}

Result<> check_removable_now(const BlockBackend& drive, std::string_view who) {
  TRY(check_removable(drive, who));
  return check_open(drive, who);
}

Result<> remove_medium(BlockBackend& drive, std::string_view who) {
  TRY(check_removable_now(drive, who));
  if (!drive.inserted()) return {};
  drive.set_medium(nullptr);
  if (drive.media() != nullptr && !has_tray(drive)) drive.media()->medium_changed(false);
  return {};
}

Result<> check_insertable(const BlockBackend& drive, std::string_view who) {
  TRY(check_removable_now(drive, who));
  if (drive.inserted()) return fail("There already is a medium in device '{}'", who);
  return {};
}

Result<> insert_medium(BlockBackend& drive, std::string_view who, std::shared_ptr<BlockNode> node) {
  TRY(check_insertable(drive, who));
  drive.set_medium(std::move(node));
  if (drive.media() != nullptr && !has_tray(drive)) drive.media()->medium_changed(true);
  return {};
}

bool is_same_file(const std::string& medium, std::string_view filename) {
  constexpr std::string_view kProtocol = "file:";
  if (medium.empty()) return false;
  if (filename.starts_with(kProtocol)) filename.remove_prefix(kProtocol.size());
  std::error_code ignored;  // a file that is not there is not the same
  return std::filesystem::equivalent(medium, filename, ignored);
}

void guest_moved_tray(const BlockBackend& drive, bool open) {
  drive.machine().service<BlockService>().tray_moved(drive, open);
}

}  // namespace rhea::block
