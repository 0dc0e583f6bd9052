// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: trays and media.
#include "block/media.h"

#include "block/block_service.h"
#include "block/blockdev.h"
#include "monitor/long_work.h"
#include "monitor/qmp/command.h"

namespace rhea::qmp {
namespace {

/// A drive and how the client named it.
struct Named {
  BlockBackend* drive;
  std::string who;
};

// By the drive's name ("device") or its device's id or path ("id").
Result<Named> drive_argument(Context& context, const Json& arguments) {
  if (arguments.contains("device") == arguments.contains("id"))
    return fail("Need exactly one of 'device' and 'id'");
  const bool by_device = arguments.contains("id");
  const std::string& who = text_argument(arguments, by_device ? "id" : "device");
  for (BlockBackend* drive : drives(context.machine)) {
    const Device* user = drive->device();
    const bool found = by_device ? user != nullptr && (user->id() == who || user->path() == who)
                                 : drive->shown_name() == who;
    if (found && !who.empty()) return Named{.drive = drive, .who = who};
  }
  return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", who);
}

bool force_argument(const Json& arguments) { return argument<bool>(arguments, "force", false); }

using Work = std::function<Result<>(BlockBackend& drive, const std::string& who)>;

// Does `work` when the disk has done what it is at, then answers. One that takes long keeps this
// client waiting, and nobody else; what the guest asks of it meanwhile waits, and finds the medium
// that it has then.
Result<> when_quiet(Machine& machine, const Named& named, std::shared_ptr<Later> later, Work work) {
  return machine.service<block::BlockService>().when_quiet(
      *named.drive, [&machine, name = named.drive->name(), who = named.who,
                     later = std::move(later), work = std::move(work)] {
        BlockBackend* drive = find_drive(machine, name);
        if (drive == nullptr)
          return later->finish(fail(ErrorClass::DeviceNotFound, "Device '{}' not found", who));
        later->finish_work(work(*drive, who));
      });
}

Result<Json> when_quiet(Context& context, const Named& named, Work work) {
  context.later = std::make_shared<Later>();
  TRY(when_quiet(context.machine, named, context.later, std::move(work)));
  return Json();
}

Result<Json> eject(Context& context, const Json& arguments) {
  const auto named = TRY(drive_argument(context, arguments));
  TRY(block::need_open_tray(*named.drive, named.who, force_argument(arguments)));
  return when_quiet(context, named, &block::remove_medium);
}

// A guest that holds its tray is asked; that it has not answered yet is no error.
Result<Json> open_tray(Context& context, const Json& arguments) {
  const auto [drive, who] = TRY(drive_argument(context, arguments));
  TRY(block::open_tray(*drive, who, force_argument(arguments)));
  return Json();
}

Result<Json> close_tray(Context& context, const Json& arguments) {
  const auto [drive, who] = TRY(drive_argument(context, arguments));
  TRY(block::close_tray(*drive, who));
  return Json();
}

Result<Json> remove_medium(Context& context, const Json& arguments) {
  const auto named = TRY(drive_argument(context, arguments));
  TRY(block::check_removable_now(*named.drive, named.who));
  return when_quiet(context, named, &block::remove_medium);
}

// A node that blockdev-add made, for this drive alone.
Result<Json> insert_medium(Context& context, const Json& arguments) {
  auto& nodes = context.machine.service<block::NamedNodes>();
  const std::string& name = text_argument(arguments, "node-name");
  const auto [drive, who] = TRY(drive_argument(context, arguments));
  if (nodes.find(name) == nullptr) return fail("Node '{}' not found", name);
  TRY(block::check_insertable(*drive, who));
  const bool writes = drive->media() != nullptr && drive->media()->writes();
  auto node = TRY(nodes.acquire(name, writes));
  TRY(block::insert_medium(*drive, who, std::move(node)));
  return Json();
}

ImageOptions image_argument(const BlockBackend& drive, const Json& arguments) {
  const std::string mode = argument<std::string>(arguments, "read-only-mode", "retain");
  return {.filename = text_argument(arguments, "filename"),
          .format = argument<std::string>(arguments, "format", ""),
          .read_only = drive.is_cdrom() || mode == "read-only" ||
                       (mode == "retain" && drive.was_read_only())};
}

/// A change of medium under way.
struct Change {
  std::string drive, who;
  ImageOptions options;
  bool force{};
  std::string medium;  ///< the file in the drive, if there is one
  bool same{};         ///< it is the new one
  std::shared_ptr<BlockNode> image{};
  std::shared_ptr<Later> answer = std::make_shared<Later>();
};

// On a thread of its own: the image's file system may not answer.
Result<Json> open_next(Change& change) {
  change.same = block::is_same_file(change.medium, change.options.filename);
  ImageOptions options = change.options;
  if (change.same) {
    options.read_only = true;
    options.locking = false;
  }
  std::shared_ptr<BlockNode> image = TRY(open_image(options));
  if (!change.same) change.image = std::move(image);
  return Json();
}

// The file that was in the drive: its locks are free now. What cannot be opened again goes back in.
Result<> open_anew(BlockBackend& drive, const std::string& who, Change& change,
                   const std::shared_ptr<BlockNode>& old) {
  auto opened = open_image(change.options);
  if (opened) {
    change.image = std::move(*opened);
    return {};
  }
  if (old != nullptr) {
    TRY(old->acquire(!old->read_only()));
    TRY(block::insert_medium(drive, who, old));
    TRY(block::close_tray(drive, who));
  }
  return std::unexpected(std::move(opened).error());
}

Result<> put_in(Machine& machine, const std::shared_ptr<Change>& change) {
  // The load may have begun while the image was opened.
  TRY(machine.may_change());
  BlockBackend* drive = find_drive(machine, change->drive);
  if (drive == nullptr)
    return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", change->who);
  TRY(block::need_open_tray(*drive, change->who, change->force));
  return when_quiet(machine, {.drive = drive, .who = change->who}, change->answer,
                    [change](BlockBackend& found, const std::string& who) -> Result<> {
                      const std::shared_ptr<BlockNode> old = found.medium();
                      TRY(block::remove_medium(found, who));
                      if (change->image == nullptr) TRY(open_anew(found, who, *change, old));
                      TRY(block::insert_medium(found, who, std::move(change->image)));
                      return block::close_tray(found, who);
                    });
}

// The new image is opened first, so that the old one stays when there is something wrong with it.
// Only the image that is in the drive already has to go before it can be opened again.
Result<Json> change_medium(Context& context, const Json& arguments) {
  const auto [drive, who] = TRY(drive_argument(context, arguments));
  const ImageOptions options = image_argument(*drive, arguments);
  auto change = std::make_shared<Change>(Change{.drive = drive->name(),
                                                .who = who,
                                                .options = options,
                                                .force = force_argument(arguments),
                                                .medium = drive->filename()});
  Machine& machine = context.machine;
  const auto opened = TRY(machine.service<monitor::LongWork>().start(
      options.filename, [change](const std::stop_token&) { return open_next(*change); }));
  opened->on_finish([&machine, change](const Result<Json>& result) {
    if (!result) return change->answer->finish(result);
    if (auto put = put_in(machine, change); !put)
      change->answer->finish(std::unexpected(std::move(put).error()));
  });
  context.later = change->answer;
  return Json();
}

const RegisterQmpType types[] = {
    RegisterQmpType(
        {.name = "BlockdevChangeReadOnlyMode", .values = {"retain", "read-only", "read-write"}}),
};

constexpr Member kDevice{"device", "str", true}, kId{"id", "str", true},
    kForce{"force", "bool", true};

const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "eject", .arguments = {kDevice, kId, kForce}, .run = &eject}),
    RegisterQmpCommand(
        {.name = "blockdev-open-tray", .arguments = {kDevice, kId, kForce}, .run = &open_tray}),
    RegisterQmpCommand(
        {.name = "blockdev-close-tray", .arguments = {kDevice, kId}, .run = &close_tray}),
    // By the device's id only: with -blockdev a drive has no name.
    RegisterQmpCommand(
        {.name = "blockdev-remove-medium", .arguments = {{"id", "str"}}, .run = &remove_medium}),
    RegisterQmpCommand({.name = "blockdev-insert-medium",
                        .arguments = {{"id", "str"}, {"node-name", "str"}},
                        .run = &insert_medium}),
    RegisterQmpCommand({.name = "blockdev-change-medium",
                        .arguments = {kDevice,
                                      kId,
                                      {"filename", "str"},
                                      {"format", "str", true},
                                      kForce,
                                      {"read-only-mode", "BlockdevChangeReadOnlyMode", true}},
                        .run = &change_medium}),
};

}  // namespace
}  // namespace rhea::qmp
