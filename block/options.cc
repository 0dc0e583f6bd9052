// SPDX-License-Identifier: GPL-2.0-or-later
// The drives' command-line options.
#include "block/block_service.h"
#include "block/blockdev.h"
#include "block/drive.h"
#include "rhea/util/json_keyval.h"
#include "rhea/util/option.h"

namespace rhea::block {
namespace {

Result<> in_option(std::string_view option, Result<BlockBackend*> made) {
  if (!made) return std::unexpected(std::move(made).error().within(option));
  return {};
}

Result<> drive(Machine& machine, const std::string& argument) {
  return in_option(fmt::format("-drive {}", argument), create_drive(machine, argument));
}

// Keys and values, or JSON.
Result<> blockdev(Machine& machine, const std::string& argument) {
  auto options = parse_json_or_keyval(argument, "driver");
  Result<> added;
  if (options)
    added = machine.service<NamedNodes>().add(std::move(*options));
  else
    added = std::unexpected(std::move(options).error());
  if (!added)
    return std::unexpected(std::move(added).error().within(fmt::format("-blockdev {}", argument)));
  return {};
}

// -hda, -cdrom and so on take a file name as it is, commas and all.
template <DriveInterface Interface, unsigned Index, bool Cdrom = false>
Result<> short_form(Machine& machine, const std::string& argument) {
  DriveOptions options;
  options.interface = Interface;
  options.index = Index;
  options.cdrom = Cdrom;
  options.image.filename = argument;
  options.image.read_only = Cdrom;
  options.image.auto_read_only = true;
  TRY(add_drive(machine, std::move(options)));
  return {};
}

// The first one holds the firmware, the second what it keeps.
Result<> pflash(Machine& machine, const std::string& argument) {
  DriveOptions options;
  options.interface = DriveInterface::Pflash;
  options.image.filename = argument;
  options.image.format = "raw";
  options.image.auto_read_only = true;
  TRY(add_drive(machine, std::move(options)));
  return {};
}

Result<> snapshot(Machine& machine, const std::string&) {
  machine.service<BlockService>().set_snapshot_all();
  return {};
}

constexpr auto kIde = DriveInterface::Ide;
constexpr auto kFloppy = DriveInterface::Floppy;
constexpr auto kPhase = StartPhase::Backends;

const RegisterOption drive_option{
    {.name = "drive",
     .argument = "[file=file][,if=type][,bus=n][,unit=m][,media=d][,index=i][,format=f]",
     .help = "use 'file' as a drive image; also [,id=name][,readonly=on|off][,snapshot=on|off]\n"
             "[,serial=text][,cache=writethrough|writeback|none|directsync|unsafe]\n"
             "[,aio=threads|native|io_uring][,discard=ignore|unmap]\n"
             "[,detect-zeroes=on|off|unmap][,offset=n][,size=n][,node-name=n]",
     .phase = kPhase,
     .apply = &drive}};
// Before the drives, which may not take a node's name.
const RegisterOption blockdev_option{
    {.name = "blockdev",
     .argument = "[driver=]driver[,node-name=n][,read-only=on|off][,discard=ignore|unmap][,...]",
     .help =
         "a block node for drive=n of a device, as keys and values or JSON:\n"
         "file,filename=f[,aio=threads|native|io_uring][,locking=on|off|auto], host_device, or\n"
         "raw,file=node[,offset=n][,size=n]; all: [,auto-read-only=on|off]\n"
         "[,cache.direct=on|off][,cache.no-flush=on|off][,detect-zeroes=on|off|unmap]",
     .phase = kPhase,
     .apply = &blockdev}};
const RegisterOption hda_option{{.name = "hda",
                                 .argument = "file",
                                 .help = "hard disk 0 image",
                                 .phase = kPhase,
                                 .apply = &short_form<kIde, 0>}};
const RegisterOption hdb_option{{.name = "hdb",
                                 .argument = "file",
                                 .help = "hard disk 1 image",
                                 .phase = kPhase,
                                 .apply = &short_form<kIde, 1>}};
const RegisterOption hdc_option{{.name = "hdc",
                                 .argument = "file",
                                 .help = "hard disk 2 image",
                                 .phase = kPhase,
                                 .apply = &short_form<kIde, 2>}};
const RegisterOption hdd_option{{.name = "hdd",
                                 .argument = "file",
                                 .help = "hard disk 3 image",
                                 .phase = kPhase,
                                 .apply = &short_form<kIde, 3>}};
const RegisterOption cdrom_option{{.name = "cdrom",
                                   .argument = "file",
                                   .help = "CD-ROM image (IDE 1 master)",
                                   .phase = kPhase,
                                   .apply = &short_form<kIde, 2, true>}};
const RegisterOption fda_option{{.name = "fda",
                                 .argument = "file",
                                 .help = "floppy disk 0 image",
                                 .phase = kPhase,
                                 .apply = &short_form<kFloppy, 0>}};
const RegisterOption fdb_option{{.name = "fdb",
                                 .argument = "file",
                                 .help = "floppy disk 1 image",
                                 .phase = kPhase,
                                 .apply = &short_form<kFloppy, 1>}};
const RegisterOption pflash_option{{.name = "pflash",
                                    .argument = "file",
                                    .help = "flash image: the firmware, then its variables",
                                    .phase = kPhase,
                                    .apply = &pflash}};
const RegisterOption snapshot_option{{.name = "snapshot",
                                      .argument = "",
                                      .help = "write to temporary files instead of the disk images",
                                      .phase = StartPhase::Config,
                                      .apply = &snapshot}};

}  // namespace
}  // namespace rhea::block
