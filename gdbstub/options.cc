// SPDX-License-Identifier: GPL-2.0-or-later
// The options -gdb and -s.
#include "gdbstub/server.h"
#include "rhea/util/option.h"

namespace rhea::gdbstub {
namespace {

Result<> listen_on(Machine& machine, const std::string& device) {
  machine.service<Server>().request(device);
  return {};
}
Result<> listen_on_default(Machine& machine, const std::string&) {
  machine.service<Server>().request(std::string(Server::kDefaultDevice));
  return {};
}

const RegisterOption options[] = {
    RegisterOption({.name = "gdb",
                    .argument = "dev",
                    .help = "wait for a debugger (gdb's \"target remote\") on a character device;\n"
                            "as for -serial, e.g. tcp:localhost:1234, unix:PATH,server=on; or none",
                    .phase = StartPhase::Monitors,
                    .apply = &listen_on}),
    RegisterOption({.name = "s",
                    .argument = "",
                    .help = "short for -gdb tcp::1234",
                    .phase = StartPhase::Monitors,
                    .apply = &listen_on_default}),
};

}  // namespace
}  // namespace rhea::gdbstub
