// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: drives and their media.
#include "monitor/hmp/command.h"

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

void print_drive(Context& context, const Json& drive) {
  print_name(context, drive);
  if (drive.contains("inserted")) {
    const Json& medium = drive["inserted"];
    context.print(": {} ({}{})\n", medium["file"].get<std::string>(),
                  medium["drv"].get<std::string>(), medium["ro"].get<bool>() ? ", read-only" : "");
  } else {
    context.print(": [not inserted]\n");
  }
  if (drive.contains("qdev"))
    context.print("    Attached to:      {}\n", drive["qdev"].get<std::string>());
  if (const auto status = drive.value("io-status", std::string("ok")); status != "ok")
    context.print("    I/O status:       {}\n", status);
  if (drive["removable"].get<bool>()) {
    const bool open = drive.contains("tray_open") && drive["tray_open"].get<bool>();
    context.print("    Removable device: {}locked, tray {}\n",
                  drive["locked"].get<bool>() ? "" : "not ", open ? "open" : "closed");
  }
  if (!drive.contains("inserted")) return;
  const Json& cache = drive["inserted"]["cache"];
  context.print("    Cache mode:       {}{}{}\n",
                cache["writeback"].get<bool>() ? "writeback" : "writethrough",
                cache["direct"].get<bool>() ? ", direct" : "",
                cache["no-flush"].get<bool>() ? ", ignore flushes" : "");
  if (const auto detect = drive["inserted"]["detect_zeroes"].get<std::string>(); detect != "off")
    context.print("    Detect zeroes:    {}\n", detect);
}

Result<> block(Context& context, Arguments& arguments) {
  const auto wanted = TRY(arguments.optional_text());
  TRY(arguments.end());
  bool first = true;
  for (const Json& drive : TRY(context.call("query-block"))) {
    if (wanted && drive["device"] != *wanted) continue;
    if (!std::exchange(first, false)) context.print("\n");
    print_drive(context, drive);
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
        {"block", "[device]", "show info of one block device or all block devices", &block}),
    RegisterInfo({"blockstats", "", "show block device statistics", &blockstats}),
};

}  // namespace
}  // namespace rhea::hmp
