// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: drives and their media.
#include "monitor/hmp/command.h"

#include <array>

namespace rhea::hmp {
namespace {

using qmp::Json;

// By its name, else by what is in it, else by the device that it is in.
void print_name(Context& context, const Json& drive) {
  const auto name = drive["device"].get<std::string>();
  const auto node = drive.contains("inserted") ? drive["inserted"]["node-name"].get<std::string>()
                                               : std::string();
  if (!name.empty())
    context.print("{}{}", name, node.empty() ? "" : fmt::format(" ({})", node));
  else
    context.print("{}", !node.empty() ? node : drive.value("qdev", "<anonymous>"));
}

// Three digits, in the largest unit of which there is about one.
std::string size_text(u64 bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  return fmt::format("{:.3g} {}", size, kUnits[unit]);
}

void print_cache(Context& context, const Json& medium) {
  const Json& cache = medium["cache"];
  context.print("    Cache mode:       {}{}{}\n",
                cache["writeback"].get<bool>() ? "writeback" : "writethrough",
                cache["direct"].get<bool>() ? ", direct" : "",
                cache["no-flush"].get<bool>() ? ", ignore flushes" : "");
  if (const auto detect = medium["detect_zeroes"].get<std::string>(); detect != "off")
    context.print("    Detect zeroes:    {}\n", detect);
}

void print_image(Context& context, const Json& image) {
  const u64 size = image["virtual-size"].get<u64>();
  context.print("\nImages:\nimage: {}\nfile format: {}\nvirtual size: {} ({} bytes)\n",
                image["filename"].get<std::string>(), image["format"].get<std::string>(),
                size_text(size), size);
  context.print("disk size: {}\n", image.contains("actual-size")
                                       ? size_text(image["actual-size"].get<u64>())
                                       : "unavailable");
}

std::string file_text(const Json& medium) {
  return fmt::format("{} ({}{})", medium["file"].get<std::string>(),
                     medium["drv"].get<std::string>(),
                     medium["ro"].get<bool>() ? ", read-only" : "");
}

void print_drive(Context& context, const Json& drive, bool verbose) {
  print_name(context, drive);
  const bool inserted = drive.contains("inserted");
  context.print(": {}\n", inserted ? file_text(drive["inserted"]) : "[not inserted]");
  if (drive.contains("qdev"))
    context.print("    Attached to:      {}\n", drive["qdev"].get<std::string>());
  if (const auto status = drive.value("io-status", std::string("ok")); status != "ok")
    context.print("    I/O status:       {}\n", status);
  if (drive["removable"].get<bool>()) {
    const bool open = drive.contains("tray_open") && drive["tray_open"].get<bool>();
    context.print("    Removable device: {}locked, tray {}\n",
                  drive["locked"].get<bool>() ? "" : "not ", open ? "open" : "closed");
  }
  if (!inserted) return;
  print_cache(context, drive["inserted"]);
  if (verbose) print_image(context, drive["inserted"]["image"]);
}

void print_node(Context& context, const Json& node, bool verbose) {
  context.print("{}: {}\n", node["node-name"].get<std::string>(), file_text(node));
  print_cache(context, node);
  if (verbose) print_image(context, node["image"]);
}

Result<> block(Context& context, Arguments& arguments) {
  bool nodes = arguments.flag('n');
  const bool verbose = arguments.flag('v');
  nodes = nodes || arguments.flag('n');
  const auto wanted = TRY(arguments.optional_text());
  TRY(arguments.end());
  if (wanted && wanted->starts_with('-'))
    return arguments.wrong(fmt::format("unsupported option {}", *wanted));
  const char* name = nodes ? "node-name" : "device";
  bool first = true;
  for (const Json& one : TRY(context.call(nodes ? "query-named-block-nodes" : "query-block"))) {
    if (wanted && one[name] != *wanted) continue;
    if (!std::exchange(first, false)) context.print("\n");
    if (nodes)
      print_node(context, one, verbose);
    else
      print_drive(context, one, verbose);
  }
  return {};
}

Result<> eject(Context& context, Arguments& arguments) {
  Json request = {{"force", arguments.flag('f')}};
  request["device"] = TRY(arguments.text());
  TRY(arguments.end());
  TRY(context.call("eject", request));
  return {};
}

Result<> change(Context& context, Arguments& arguments) {
  Json request;
  request["device"] = TRY(arguments.text());
  request["force"] = arguments.flag('f');
  request["filename"] = TRY(arguments.text("filename"));
  if (const auto format = TRY(arguments.optional_text())) request["format"] = *format;
  if (const auto mode = TRY(arguments.optional_text())) request["read-only-mode"] = *mode;
  TRY(arguments.end());
  TRY(context.call("blockdev-change-medium", request));
  return {};
}

Result<> block_resize(Context& context, Arguments& arguments) {
  Json request;
  request["device"] = TRY(arguments.text());
  const std::string size = TRY(arguments.text("size"));
  TRY(arguments.end());
  const auto bytes = parse_size(size, MiB);
  if (!bytes) return arguments.wrong(fmt::format("invalid size '{}'", size));
  request["size"] = *bytes;
  TRY(context.call("block_resize", request));
  return {};
}

Result<> blockstats(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  constexpr const char* kShown[] = {
      "rd_bytes",         "wr_bytes",         "rd_operations",    "wr_operations",
      "flush_operations", "wr_total_time_ns", "rd_total_time_ns", "flush_total_time_ns",
      "rd_merged",        "wr_merged"};
  for (const Json& drive : TRY(context.call("query-blockstats"))) {
    const auto name = drive["device"].get<std::string>();
    context.print("{}:", name.empty() ? drive.value("qdev", "") : name);
    for (const char* counter : kShown)
      context.print(" {}={}", counter, drive["stats"][counter].get<u64>());
    context.print("\n");
  }
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"eject", "[-f] device", "eject a removable medium", &eject}),
    RegisterHmpCommand({"change", "device [-f] filename [format [read-only-mode]]",
                        "change a removable medium", &change}),
    RegisterHmpCommand({"block_resize", "device size", "resize a block image", &block_resize}),
};
const RegisterInfo infos[] = {
    RegisterInfo(
        {"block", "[-n] [-v] [device]",
         "show info of one block device or all block devices (-n: named nodes; -v: details)",
         &block}),
    RegisterInfo({"blockstats", "", "show block device statistics", &blockstats}),
};

}  // namespace
}  // namespace rhea::hmp
