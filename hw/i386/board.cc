// SPDX-License-Identifier: GPL-2.0-or-later
// -machine, and building the board that it names.
#include "hw/i386/board.h"

#include "accel/accelerator.h"
#include "rhea/util/keyval.h"
#include "rhea/util/option.h"
#include "softmmu/boot_options.h"
#include "softmmu/smp_option.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

struct BoardName {
  std::string_view name;
  std::string_view type;
  std::string_view alias_of;
};

constexpr std::array kBoards = {
    BoardName{.name = "pc", .type = "pc-i440fx-7.2-machine", .alias_of = "pc-i440fx-7.2"},
    BoardName{.name = "pc-i440fx-7.2", .type = "pc-i440fx-7.2-machine", .alias_of = {}},
};

void print_boards() {
  fmt::print("Supported machines are:\n");
  for (const BoardName& board : kBoards) {
    const TypeInfo* type = find_type(board.type);
    fmt::print(
        "{:<20} {}{}\n", board.name, type->help,
        board.alias_of.empty() ? " (default)" : fmt::format(" (alias of {})", board.alias_of));
  }
}

Result<const BoardName*> find_board(Machine& machine) {
  const std::string& name = machine.service<BoardService>().type;
  const auto it = std::ranges::find(kBoards, name, &BoardName::name);
  if (it == kBoards.end())
    return fail("-machine {}: unsupported machine type; -machine help lists them", name);
  return &*it;
}

// What -smp and -boot say can be said here, too: smp.cpus=2, boot.order=d.
KeyValues take_group(KeyValues& options, std::string_view prefix) {
  KeyValues group;
  const auto all = options.all();
  for (const auto& [key, value] : all)
    if (key.starts_with(prefix)) {
      group.add(key.substr(prefix.size()), value);
      options.take(key);
    }
  return group;
}

Result<> machine_option(Machine& machine, const std::string& text) {
  if (text == "help" || text == "?") {
    print_boards();
    throw ExitRequest{};
  }
  auto& service = machine.service<BoardService>();
  KeyValues options = TRY(KeyValues::parse(text, "type", Words::Required));
  if (const auto type = options.take("type")) service.type = *type;
  if (const auto accel = options.take("accel"))
    machine.service<accel::AccelService>().add_candidates(*accel);
  // The kernel's interrupt controllers are the accelerator's business, wherever they are asked for.
  if (const auto irqchip = options.take("kernel-irqchip"))
    machine.add_global("kvm-accel", "kernel-irqchip", *irqchip);
  TRY(machine.service<SmpRequest>().add(take_group(options, "smp.")));
  TRY(machine.service<BootOptions>().add(take_group(options, "boot.")));
  for (const auto& property : options.all()) service.properties.push_back(property);
  return {};
}

const RegisterAbstractType<Board, Object> board_registration;
const RegisterOption option{
    {.name = "machine",
     .argument = "[type=]name[,prop=value...]",
     .help = "the board (help lists them); accel=, kernel-irqchip= and the board's properties",
     .phase = StartPhase::Config,
     .apply = &machine_option}};
const RegisterOption short_option{{.name = "M",
                                   .argument = "name",
                                   .help = "the same as -machine",
                                   .phase = StartPhase::Config,
                                   .apply = &machine_option}};

}  // namespace

Result<> choose_board(Machine& machine) {
  TRY(find_board(machine));
  return machine.service<SmpRequest>().settle(machine.config, false);
}

Result<> build_board(Machine& machine) {
  auto& service = machine.service<BoardService>();
  const BoardName& board = *TRY(find_board(machine));
  std::unique_ptr<Object> object = TRY(machine.make(board.type));
  for (const auto& [key, value] : service.properties) TRY(object->set(key, value));
  service.board = static_cast<Board*>(object.get());
  machine.container("/machine").add_child("board", std::move(object));
  return service.board->build();
}

}  // namespace rhea::hw
