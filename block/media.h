// SPDX-License-Identifier: GPL-2.0-or-later
// Changing media: opening a tray (or asking the guest to), taking out, putting in, closing.
#pragma once

#include "rhea/block/block_backend.h"

#include <string_view>

namespace rhea::block {

// `who` is the drive as the user named it, for errors. On the main loop, under the machine's lock.

enum class TrayAnswer : u8 {
  Open,
  NoTray,
  Locked,  ///< the guest has been asked, and it may open the tray some time
};

/// Opens the tray. One that the guest has locked stays closed unless `force`.
Result<TrayAnswer> open_tray(BlockBackend& drive, std::string_view who, bool force);
/// The same, for those who cannot go on without an open tray.
Result<> need_open_tray(BlockBackend& drive, std::string_view who, bool force);
Result<> close_tray(BlockBackend& drive, std::string_view who);
/// Whether a medium could be put in.
Result<> check_insertable(const BlockBackend& drive, std::string_view who);
/// Whether the medium could be taken out: the tray must be open, if there is one.
Result<> check_removable_now(const BlockBackend& drive, std::string_view who);
/// Waits for what the disk is at: BlockService::when_quiet() first.
Result<> remove_medium(BlockBackend& drive, std::string_view who);
Result<> insert_medium(BlockBackend& drive, std::string_view who, std::shared_ptr<BlockNode> node);

/// Whether a drive's medium (empty: none) is this very file: it is locked against being opened once
/// more. Asks the file systems, so not on the main thread.
bool is_same_file(const std::string& medium, std::string_view filename);

/// The guest's own doing: whoever listens hears of it.
void guest_moved_tray(const BlockBackend& drive, bool open);

}  // namespace rhea::block
