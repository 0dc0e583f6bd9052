// SPDX-License-Identifier: GPL-2.0-or-later
// Choosing a display: the registry, -display, and none.
#include "rhea/ui/display.h"

#include "rhea/ui/console.h"
#include "rhea/util/known_names.h"
#include "rhea/util/log.h"
#include "rhea/util/option.h"
#include "ui/terminal.h"
#include "ui/vnc/servers.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea {

namespace vnc = ui::vnc;

namespace {

std::vector<const RegisterDisplay*>& registered() {
  static std::vector<const RegisterDisplay*> all;
  return all;
}

/// Shows nothing; pictures come from screendump.
class NoDisplay final : public DisplayBackend {
 public:
  Result<> start() override { return {}; }
};

Result<std::unique_ptr<DisplayBackend>> make_none(Machine&, KeyValues&) {
  return std::make_unique<NoDisplay>();
}

const RegisterDisplay none{{.name = "none", .help = "no display", .make = &make_none}};

void print_types() {
  fmt::print("Available display backend types:\n");
  for (const DisplayType* type : display_types()) fmt::print("{}\n", type->name);
}

}  // namespace

RegisterDisplay::RegisterDisplay(const DisplayType& type) : type_(type) {
  registered().push_back(this);
}

std::vector<const DisplayType*> display_types() {
  std::vector<const DisplayType*> types;
  for (const RegisterDisplay* one : registered()) types.push_back(&one->type());
  std::ranges::sort(types, {}, &DisplayType::name);
  return types;
}

// Starting waits for the main loop, so that an error of a later option is not printed over by a
// display.
Displays::Displays(Machine& machine) : machine_(&machine) {
  machine.on_machine_ready([this] { machine_->loop().defer([this] { start(); }); });
}

void Displays::shutdown() { backend_.reset(); }

Result<> Displays::select(std::string_view text) {
  // As if -vnc had been given.
  if (constexpr std::string_view kServer = "vnc="; text.starts_with(kServer)) {
    name_ = "vnc";
    backend_ = std::make_unique<NoDisplay>();
    return machine_->service<vnc::Servers>().add(text.substr(kServer.size()));
  }
  KeyValues options = TRY(KeyValues::parse(text, "type", Words::Required));
  const std::string name = options.take("type").value_or("");
  const auto types = display_types();
  const auto found = std::ranges::find(types, name, &DisplayType::name);
  if (found == types.end()) {
    std::vector<std::string_view> names;
    names.reserve(types.size());
    for (const DisplayType* type : types) names.push_back(type->name);
    return fail("{}", with_remark(fmt::format("unknown display '{}'; there are: {}", name,
                                              fmt::join(names, ", ")),
                                  about_unknown(NameKind::Display, name, names)));
  }
  auto backend = TRY((*found)->make(*machine_, options));
  TRY(options.expect_empty(name));
  name_ = name;
  backend_ = std::move(backend);
  return {};
}

// Why the program's own terminal cannot show it, or what it is used for already; empty: it can.
std::string Displays::why_no_terminal() const {
  if (const auto there = ui::Terminal::available(); !there) return there.error().message();
  for (const auto& chardev : machine_->container("/chardevs").children())
    if (chardev->type().name == "chardev-stdio")
      return fmt::format("the terminal is in use by the character device '{}'", chardev->name());
  return {};
}

void Displays::choose() {
  const std::string why = why_no_terminal();
  if (why.empty())
    RHEA_ASSERT(select("curses"));
  else
    report_info(
        fmt::format("the guest's screen is not shown: {}; -display curses shows it in a terminal, "
                    "'screendump' in a monitor saves a picture, -display none silences this line",
                    why));
}

void Displays::start() {
  if (by_default_ && !selected() && machine_->config.graphics &&
      !machine_->service<Consoles>().all().empty())
    choose();
  if (!backend_) return;
  auto result = backend_->start();
  if (result) return;
  report_error(fmt::format("-display {}: {}", name_, result.error().message()));
  backend_.reset();
  machine_->exit(1);
}

namespace {

Result<> apply_display(Machine& machine, const std::string& argument) {
  if (argument == "help") {
    print_types();
    throw ExitRequest{};
  }
  auto result = machine.service<Displays>().select(argument);
  if (!result) return std::unexpected(std::move(result).error().within("-display"));
  return {};
}

const RegisterOption option{{.name = "display",
                             .argument = "type[,key=value...]",
                             .help = "what shows the guest's screen; help lists the types",
                             .phase = StartPhase::Config,
                             .apply = &apply_display}};

}  // namespace
}  // namespace rhea
