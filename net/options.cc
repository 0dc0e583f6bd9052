// SPDX-License-Identifier: GPL-2.0-or-later
// The option -netdev.
#include "net/backend.h"
#include "rhea/util/json_keyval.h"
#include "rhea/util/option.h"
#include "softmmu/default_devices.h"

#include <cstdio>

namespace rhea::net {
namespace {

Result<> add_netdev(Machine& machine, const std::string& argument) {
  if (argument == "help" || argument == "?") {
    std::fputs(backends_help().c_str(), stdout);
    throw ExitRequest{0};
  }
  machine.service<DefaultDevices>().network = false;
  TRY(create_netdev(machine, argument));
  return {};
}

const RegisterOption netdev_option{
    {.name = "netdev",
     .argument = "type,id=id[,prop=value...]",
     .help = "a network back end (help lists them), for a card's netdev=id",
     .phase = StartPhase::Backends,
     .apply = &add_netdev}};

}  // namespace
}  // namespace rhea::net
