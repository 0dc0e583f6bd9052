// SPDX-License-Identifier: GPL-2.0-or-later
// The options -nic and -net: cards of the board, and the back ends they lead to.
#include "net/backend.h"
#include "net/nic_requests.h"
#include "rhea/util/known_names.h"
#include "rhea/util/option.h"
#include "softmmu/default_devices.h"
#include "util/decimal.h"

#include <algorithm>
#include <cstdio>

namespace rhea::net {
namespace {

void print_models() {
  std::string text = "Supported NIC models:\n";
  for (const std::string_view model : nic_models()) text += fmt::format("{}\n", model);
  std::fputs(text.c_str(), stdout);
}

Result<std::string> take_model(KeyValues& options) {
  std::string model = options.take("model").value_or("");
  if (model == "help" || model == "?") {
    print_models();
    throw ExitRequest{0};
  }
  if (model == "virtio") model = "virtio-net-pci";
  const std::vector<std::string_view> models = nic_models();
  if (model.empty() || std::ranges::find(models, model) != models.end()) return model;
  return fail("{}", with_remark("Unsupported NIC model: " + model,
                                about_unknown(NameKind::Device, model, models)));
}

Result<MacAddress> take_mac(KeyValues& options, std::string_view key) {
  const std::optional<std::string> text = options.take(key);
  if (!text) return MacAddress{};
  const auto mac = MacAddress::parse(*text);
  if (!mac) return fail("invalid syntax for ethernet address: '{}'", *text);
  return *mac;
}

/// Ids that nobody can write, as '#' begins none.
std::string next_id(Machine& machine) {
  for (unsigned n = 0;; ++n)
    if (std::string id = fmt::format("#net{}", n); find_netdev(machine, id) == nullptr) return id;
}

Result<> add_nic(Machine& machine, const std::string& argument) {
  machine.service<DefaultDevices>().network = false;
  KeyValues options = TRY(KeyValues::parse(argument, "type", Words::Flags));
  const std::string type = options.take("type").value_or("user");
  if (type == "none") return options.expect_empty("-nic none");
  if (type == "help" || type == "?" || options.find("help") != nullptr) {
    std::fputs((backends_help() + "\n").c_str(), stdout);
    print_models();
    throw ExitRequest{0};
  }
  NicRequest request{.option = "-nic " + argument};
  request.model = TRY(take_model(options));
  request.mac = TRY(take_mac(options, "mac"));
  if (const auto id = options.take("id"))
    request.netdev = TRY(checked_netdev_id(machine, *id));
  else
    request.netdev = next_id(machine);
  const std::string id = request.netdev;
  TRY(machine.service<NicRequests>().add(std::move(request)));
  TRY(open_netdev(machine, id, type, std::move(options)));
  return {};
}

Result<> add_net_card(Machine& machine, const std::string& argument, KeyValues options) {
  NicRequest request{.option = "-net " + argument,
                     .netdev = options.take("netdev").value_or(""),
                     .name = options.take("name").value_or(""),
                     .address = options.take("addr").value_or("")};
  request.model = TRY(take_model(options));
  request.mac = TRY(take_mac(options, "macaddr"));
  if (const auto text = options.take("vectors")) {
    const auto vectors = decimal<unsigned>(*text);
    if (!vectors || *vectors > 0x7ffffff)
      return fail("Parameter 'vectors' expects a number, not '{}'", *text);
    request.vectors = *vectors;
  }
  request.on_hub = request.netdev.empty();
  TRY(options.expect_empty("-net nic"));
  return machine.service<NicRequests>().add(std::move(request));
}

Result<> add_net(Machine& machine, const std::string& argument) {
  machine.service<DefaultDevices>().network = false;
  KeyValues options = TRY(KeyValues::parse(argument, "type", Words::Flags));
  const std::string type = options.take("type").value_or("");
  if (type == "none") return options.expect_empty("-net none");
  if (type == "nic") return add_net_card(machine, argument, std::move(options));
  const auto named = options.take("name");
  const auto id = options.find("id") != nullptr ? options.take("id") : named;
  const std::string own = id ? TRY(checked_netdev_id(machine, *id)) : next_id(machine);
  TRY(open_netdev(machine, own, type, std::move(options)));
  machine.service<NicRequests>().add_to_hub(own);
  return {};
}

const RegisterOption options[] = {
    RegisterOption{{.name = "nic",
                    .argument = "[type,][model=m][,mac=addr][,prop=value...]|none",
                    .help = "a network card of the board and its back end (default: user), as\n"
                            "-netdev has it; none: no card (model=help lists cards)",
                    .phase = StartPhase::Backends,
                    .apply = &add_nic}},
    RegisterOption{{.name = "net",
                    .argument = "nic[,netdev=id][,macaddr=addr][,model=m][,addr=a]|type[,...]|none",
                    .help = "the old spelling: a network card (on a -netdev), and the back end of\n"
                            "the card that has none; none: no card",
                    .phase = StartPhase::Backends,
                    .apply = &add_net}},
};

}  // namespace
}  // namespace rhea::net
