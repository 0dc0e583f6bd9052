// SPDX-License-Identifier: GPL-2.0-or-later
// Block drivers by name.
#include "block/drivers.h"

#include <algorithm>
#include <array>

namespace rhea::block {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kConvert = "qemu-img convert -O raw makes a raw image of it";
constexpr std::string_view kLater = "QEMU has this; Rhea has not yet";

// What QEMU 7.2 has besides raw, file and host_device.
constexpr std::array kForeignFormats = {"bochs"sv, "cloop"sv, "dmg"sv,  "luks"sv, "parallels"sv,
                                        "qcow"sv,  "qcow2"sv, "qed"sv,  "vdi"sv,  "vhdx"sv,
                                        "vmdk"sv,  "vpc"sv,   "vvfat"sv};
constexpr std::array kForeignProtocols = {
    "fat"sv,   "ftp"sv,      "ftps"sv, "gluster"sv,   "host_cdrom"sv, "http"sv,    "https"sv,
    "iscsi"sv, "json"sv,     "nbd"sv,  "nfs"sv,       "null-aio"sv,   "null-co"sv, "nvme"sv,
    "rbd"sv,   "blkdebug"sv, "ssh"sv,  "blkverify"sv, "sheepdog"sv,   "vxhs"sv};
constexpr std::array kForeignFilters = {"blklogwrites"sv,
                                        "blkreplay"sv,
                                        "compress"sv,
                                        "copy-before-write"sv,
                                        "copy-on-read"sv,
                                        "io_uring"sv,
                                        "nvme-io_uring"sv,
                                        "preallocate"sv,
                                        "quorum"sv,
                                        "replication"sv,
                                        "snapshot-access"sv,
                                        "throttle"sv,
                                        "virtio-blk-vfio-pci"sv,
                                        "virtio-blk-vhost-user"sv,
                                        "virtio-blk-vhost-vdpa"sv};

bool has(const auto& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

// "nbd+unix" is a kind of nbd.
std::string_view family(std::string_view protocol) {
  return protocol.substr(0, protocol.find('+'));
}

}  // namespace

Result<> check_node_driver(std::string_view driver) {
  if (driver == "raw" || driver == "file" || driver == "host_device") return {};
  if (has(kForeignFormats, driver))
    return fail("Block driver '{}': {}; {}", driver, kLater, kConvert);
  if (has(kForeignProtocols, driver) || has(kForeignFilters, driver))
    return fail("Block driver '{}': {}; there are raw, file and host_device", driver, kLater);
  return fail("Parameter 'driver' does not accept value '{}'", driver);
}

Result<> check_format(std::string_view format) {
  if (format == "raw") return {};
  if (has(kForeignFormats, format)) return fail("format '{}': {}; {}", format, kLater, kConvert);
  if (has(kForeignProtocols, format) || has(kForeignFilters, format))
    return fail("format '{}': {}; there is raw", format, kLater);
  return fail("Unknown driver '{}'", format);
}

Result<> check_protocol(std::string_view protocol) {
  if (has(kForeignProtocols, family(protocol)))
    return fail("protocol '{}': {}; files and block devices can be opened", protocol, kLater);
  return fail("Unknown protocol '{}'", protocol);
}

}  // namespace rhea::block
