// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/vnc/servers.h"

#include "rhea/ui/display.h"
#include "rhea/util/option.h"

#include <algorithm>

namespace rhea::ui::vnc {

Servers::Servers(Machine& machine) : machine_(&machine) {
  machine.on_machine_ready([this] {
    ready_ = true;
    for (const auto& server : all_) server->start();
  });
}

Result<> Servers::add(std::string_view text) {
  auto options = TRY(Options::parse(text));
  if (!options) return {};
  if (find(options->id) != nullptr) {
    if (options->id != "default") return fail("there is a VNC server '{}' already", options->id);
    for (unsigned n = 2; find(options->id) != nullptr; ++n) options->id = fmt::format("vnc{}", n);
  }
  auto server = TRY(Server::listen(*machine_, std::move(*options),
                                   [this](const std::string& event, const Json& data) {
                                     for (const auto& observer : observers_) observer(event, data);
                                   }));
  if (ready_) server->start();
  all_.push_back(std::move(server));
  return {};
}

Server* Servers::find(std::optional<std::string_view> id) const {
  const auto found =
      std::ranges::find_if(all_, [&](const auto& server) { return !id || server->id() == *id; });
  return found == all_.end() ? nullptr : found->get();
}

namespace {

Result<> apply(Machine& machine, const std::string& text) {
  auto added = machine.service<Servers>().add(text);
  if (!added) return std::unexpected(std::move(added).error().within(fmt::format("-vnc {}", text)));
  return {};
}

// Whoever asks for a server wants no other display beside it.
void foresee(Machine& machine, const std::string& text) {
  if (text != "none" && !machine.service<Displays>().selected())
    if (!machine.service<Displays>().select("none")) return;
}

const RegisterOption option{
    {.name = "vnc",
     .argument = "display[,option...]",
     .help =
         "a VNC server for the screen: host:number, :number (port 5900 and up), unix:path or none\n"
         "to=, websocket=, password=on, password-secret=, share=, lossy=, id=",
     .phase = StartPhase::Backends,
     .apply = &apply,
     .foresee = &foresee}};

}  // namespace
}  // namespace rhea::ui::vnc
