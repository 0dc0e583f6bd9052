// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: the debugger's server.
#include "monitor/hmp/command.h"
#include "rhea/softmmu/debugger_link.h"

namespace rhea::hmp {
namespace {

Result<> gdbserver(Context& context, Arguments& arguments) {
  const std::string device = TRY(arguments.optional_text()).value_or("tcp::1234");
  TRY(arguments.end());
  const auto& serve = context.machine.service<DebuggerLink>().serve;
  if (!serve) return fail("this machine has no server for a debugger");
  if (auto result = serve(device); !result)
    context.print("Could not open gdbserver on device '{}': {}\n", device,
                  result.error().message());
  else if (device == "none")
    context.print("Disabled gdbserver\n");
  else
    context.print("Waiting for gdb connection on device '{}'\n", device);
  return {};
}

Result<> gdb_layout(Context& context, Arguments& arguments) {
  const std::string layout = TRY(arguments.optional_text()).value_or("");
  TRY(arguments.end());
  const auto& choose = context.machine.service<DebuggerLink>().choose_layout;
  if (!choose) return fail("this machine has no server for a debugger");
  const auto chosen = TRY(choose(layout));
  context.print("the next debugger to connect is told: {}\n", chosen);
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"gdbserver", "[device]",
                        "start gdbserver on given device (default 'tcp::1234'), stop with 'none'",
                        &gdbserver}),
    RegisterHmpCommand({"gdb_layout", "[auto|x86-64|i386|i8086]",
                        "which registers the next debugger to connect is told of (auto: by the "
                        "processor's mode)",
                        &gdb_layout}),
};

}  // namespace
}  // namespace rhea::hmp
