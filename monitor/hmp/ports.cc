// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: reading and writing I/O ports.
#include "monitor/hmp/command.h"

namespace rhea::hmp {
namespace {

struct PortFormat {
  unsigned size;
  char suffix;
};

// The letters of the sizes count as in memory: w is four bytes; there are no 64-bit ports.
Result<PortFormat> take_format(Context& context, Arguments& arguments) {
  const MemoryFormat format = TRY(arguments.format(context.view.format));
  if (format.size > 0) context.view.format.size = format.size;
  switch (format.size) {
    case 1: return PortFormat{.size = 1, .suffix = 'b'};
    case 2: return PortFormat{.size = 2, .suffix = 'w'};
    default: return PortFormat{.size = 4, .suffix = 'l'};
  }
}

Result<> in(Context& context, Arguments& arguments) {
  const PortFormat format = TRY(take_format(context, arguments));
  const u64 port = TRY(arguments.number()) & 0xffff;
  TRY(arguments.end());
  TRY(context.machine.may_change());
  const u64 value = context.machine.io().load(port, format.size);
  context.print("port{}[{:#06x}] = {:#0{}x}\n", format.suffix, port, value, format.size * 2 + 2);
  return {};
}

Result<> out(Context& context, Arguments& arguments) {
  const PortFormat format = TRY(take_format(context, arguments));
  const u64 port = TRY(arguments.number()) & 0xffff;
  const u64 value = TRY(arguments.number());
  TRY(arguments.end());
  TRY(context.machine.may_change());
  context.machine.io().store(port, value, format.size);
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"i", "/fmt addr", "I/O port read", &in}),
    RegisterHmpCommand({"o", "/fmt addr value", "I/O port write", &out}),
};

}  // namespace
}  // namespace rhea::hmp
