// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: file descriptors that clients pass.
#include "monitor/hmp/command.h"

namespace rhea::hmp {
namespace {

Result<> getfd(Context& context, Arguments& arguments) {
  qmp::Json request;
  request["fdname"] = TRY(arguments.text("fdname"));
  TRY(arguments.end());
  TRY(context.call("getfd", request));
  return {};
}

Result<> closefd(Context& context, Arguments& arguments) {
  qmp::Json request;
  request["fdname"] = TRY(arguments.text("fdname"));
  TRY(arguments.end());
  TRY(context.call("closefd", request));
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"getfd", "fdname",
                        "names a file descriptor that came with this line (SCM_RIGHTS)", &getfd}),
    RegisterHmpCommand(
        {"closefd", "fdname", "closes a file descriptor that getfd has named", &closefd}),
};

}  // namespace
}  // namespace rhea::hmp
