// SPDX-License-Identifier: GPL-2.0-or-later
// The options -chardev, -serial and -parallel.
#include "chardev/backend.h"
#include "rhea/util/option.h"
#include "softmmu/default_devices.h"

#include <cstdio>

namespace rhea::chardev {
namespace {

Result<> add_chardev(Machine& machine, const std::string& argument) {
  if (argument == "help" || argument == "?") {
    std::string text = "Available chardev backend types: \n";
    for (const Backend* backend : all_backends()) {
      text += fmt::format("  {}\n", backend->name);
      if (!backend->alias.empty()) text += fmt::format("  {}\n", backend->alias);
    }
    std::fputs(text.c_str(), stdout);
    throw ExitRequest{0};
  }
  Chardev* made = TRY(create_chardev(machine, argument));
  announce(*made);
  return {};
}

/// One more port of a kind: "" where there is to be none.
Result<> add_port(Machine& machine, std::vector<std::string>& ports, std::string_view kind,
                  const std::string& argument) {
  if (argument == "none") {
    ports.emplace_back();
    return {};
  }
  if (argument.starts_with("chardev:")) {
    // Looked up when the port is made: the -chardev may come later on the command line.
    ports.push_back(argument.substr(8));
    return {};
  }
  const std::string id = fmt::format("{}{}", kind, ports.size());
  announce(*TRY(create_chardev_legacy(machine, id, argument)));
  ports.push_back(id);
  return {};
}

Result<> add_serial(Machine& machine, const std::string& argument) {
  auto& defaults = machine.service<DefaultDevices>();
  defaults.serial = false;
  if (argument.starts_with("mon:")) defaults.monitor = false;
  return add_port(machine, machine.config.serials, "serial", argument);
}

Result<> add_parallel(Machine& machine, const std::string& argument) {
  machine.service<DefaultDevices>().parallel = false;
  return add_port(machine, machine.config.parallels, "parallel", argument);
}

const RegisterOption chardev_option{
    {.name = "chardev",
     .argument = "backend,id=id[,prop=value...]",
     .help = "a character device (help lists them): null, stdio, file, pipe, pty, serial, socket,\n"
             "udp, vc, ringbuf; all take mux=on, logfile=PATH, logappend=on",
     .phase = StartPhase::Backends,
     .apply = &add_chardev}};
const RegisterOption serial_option{
    {.name = "serial",
     .argument = "dev",
     .help = "connect the next serial port to a character device: none, null, stdio, pty,\n"
             "file:PATH, pipe:PATH, /dev/PATH, unix:PATH[,server=on][,wait=off],\n"
             "tcp|telnet|websocket:HOST:PORT[,...], udp:HOST:PORT[@HOST:PORT], vc[:WxH],\n"
             "mon:DEV (shared with a monitor), chardev:ID",
     .phase = StartPhase::Backends,
     .apply = &add_serial}};
const RegisterOption parallel_option{{.name = "parallel",
                                      .argument = "dev",
                                      .help = "connect the next parallel port to a character "
                                              "device, as -serial does",
                                      .phase = StartPhase::Backends,
                                      .apply = &add_parallel}};

}  // namespace

void announce(const Chardev& chardev) {
  const std::string filename = chardev.filename();
  if (!filename.starts_with("pty:")) return;
  std::printf("char device redirected to %s (label %s)\n", filename.c_str() + 4,
              chardev.name().c_str());
  std::fflush(stdout);
}

}  // namespace rhea::chardev
