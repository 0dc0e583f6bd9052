// SPDX-License-Identifier: GPL-2.0-or-later
// -machine, and building the board that it names.
#include "hw/i386/board.h"

#include "accel/accelerator.h"
#include "hw/i386/cpu_versions.h"
#include "rhea/chardev/chardev.h"
#include "rhea/util/keyval.h"
#include "rhea/util/known_names.h"
#include "rhea/util/log.h"
#include "rhea/util/option.h"
#include "softmmu/boot_options.h"
#include "softmmu/default_devices.h"
#include "softmmu/memory_option.h"
#include "softmmu/numa.h"
#include "softmmu/smp_option.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

namespace rhea::hw {
namespace {

/// A board that -machine can name; the pc boards of all releases are one type.
struct BoardName {
  std::string name;
  std::string_view type;
  std::string_view remark;
  BoardVersion version{};
};

constexpr std::string_view kPc = "pc-i440fx-7.2-machine", kMicrovm = "microvm-machine",
                           kNone = "none-machine";

std::vector<BoardName> make_names() {
  std::vector<BoardName> names;
  const BoardVersion newest = board_versions().front();
  names.push_back({.name = "pc", .type = kPc, .remark = " (alias of pc-i440fx-7.2)"});
  for (const BoardVersion& version : board_versions())
    names.push_back({.name = version.name(),
                     .type = kPc,
                     .remark = version == newest      ? " (default)"
                               : version.deprecated() ? " (deprecated)"
                                                      : "",
                     .version = version});
  names.push_back({.name = "microvm", .type = kMicrovm, .remark = "", .version = newest});
  names.push_back({.name = "none", .type = kNone, .remark = ""});
  return names;
}

// As -machine help lists them.
const std::vector<BoardName>& board_names() {
  static const std::vector<BoardName> names = make_names();
  return names;
}

void print_boards() {
  fmt::print("Supported machines are:\n");
  for (const BoardName& board : board_names())
    fmt::print("{:<20} {}{}\n", board.name, find_type(board.type)->help, board.remark);
}

Result<const BoardName*> find_board(Machine& machine) {
  const std::string& name = machine.service<BoardService>().type;
  const std::vector<BoardName>& names = board_names();
  const auto found = std::ranges::find(names, name, &BoardName::name);
  if (found != names.end()) return &*found;
  std::vector<std::string_view> own;
  for (const BoardName& board : names) own.emplace_back(board.name);
  return fail("{}", with_remark(fmt::format("-machine {}: unsupported machine type; -machine help "
                                            "lists them",
                                            name),
                                about_unknown(NameKind::Machine, name, own)));
}

void print_properties(const BoardName& board) {
  fmt::print("{}-machine options:\n", board.name == "pc" ? board.version.name() : board.name);
  for (const TypeInfo* type : find_type(board.type)->lineage())
    for (const Property& p : type->properties)
      fmt::print("  {}{}\n", fmt::format("{}=<{}>", p.name, p.type),
                 p.help.empty() ? "" : " - " + p.help);
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

// The kernel's interrupt controllers are the accelerator's business, wherever they are asked for.
Result<> take_irqchip(Machine& machine, KeyValues& options) {
  const auto irqchip = options.take("kernel-irqchip");
  if (!irqchip) return {};
  if (*irqchip != "on" && *irqchip != "off" && *irqchip != "split")
    return fail("-machine kernel-irqchip: '{}' is not one of on, off, split", *irqchip);
  machine.add_global("kvm-accel", "kernel-irqchip", *irqchip);
  return {};
}

Result<> machine_option(Machine& machine, const std::string& text) {
  if (text == "help" || text == "?") {
    print_boards();
    throw ExitRequest{};
  }
  auto& service = machine.service<BoardService>();
  KeyValues options = TRY(KeyValues::parse(text, "type", Words::Required));
  if (const auto type = options.take("type")) service.type = *type;
  if (options.take("help") || options.take("?")) service.wants_help = true;
  if (const auto accel = options.take("accel"))
    machine.service<accel::AccelService>().set_candidates(*accel);
  TRY(take_irqchip(machine, options));
  KeyValues memory = take_group(options, "memory.");
  TRY(machine.service<MemoryRequest>().set(machine.config, memory, "max-size", 1));
  TRY(memory.expect_empty("-machine memory"));
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

Result<Device*> Board::add(std::string_view type, Bus* bus, const Settings& settings,
                           std::string_view name, const std::string& id) {
  std::unique_ptr<Object> object = TRY(machine().make(type));
  if (!id.empty()) dynamic_cast<Device&>(*object).set_id(id);
  // Links are looked up from the machine's tree.
  Object& workshop = machine().container("/machine/unattached");
  Object& placed = workshop.add_child("device-in-making", std::move(object));
  for (const auto& [key, value] : settings)
    if (auto result = placed.set(key, value); !result) {
      workshop.remove_child(placed);
      return std::unexpected(std::move(result).error());
    }
  return machine().add_device(workshop.remove_child(placed), bus, name);
}

Result<> Board::add_serial_ports(Bus* isa, unsigned most) {
  auto& serials = machine().config.serials;
  if (serials.empty() && machine().service<DefaultDevices>().serial) {
    TRY(create_chardev_legacy(machine(), "serial0", "null"));
    serials.emplace_back("serial0");
  }
  if (serials.size() > most)
    return fail("-serial: there {} at most {} serial port{}", most == 1 ? "is" : "are", most,
                most == 1 ? "" : "s");
  for (std::size_t i = 0; i < serials.size(); ++i)
    if (!serials[i].empty())
      TRY(add("isa-serial", isa, {{"index", u64{i}}, {"chardev", serials[i]}}));
  return {};
}

Result<> Board::tell_of_unused_options() {
  const auto& boot = machine().service<BootOptions>();
  constexpr const char* kInstead =
      "this board has no order of drives; bootindex= of a device says what is booted";
  if (!boot.once.empty()) return fail("-boot once={}: {}", boot.once, kInstead);
  if (boot.order) report_warning(fmt::format("-boot order={}: {}", *boot.order, kInstead));
  if (machine().service<DefaultDevices>().vga_asked)
    report_warning(
        fmt::format("-vga {}: this board has no place for a graphics card", machine().config.vga));
  return {};
}

std::vector<BoardInfo> boards() {
  std::vector<BoardInfo> all;
  for (const BoardVersion& version : board_versions()) {
    const bool newest = version == board_versions().front();
    all.push_back({.name = version.name(),
                   .alias = newest ? "pc" : "",
                   .is_default = newest,
                   .deprecated = version.deprecated(),
                   .numa_mem = version.takes_numa_mem()});
  }
  all.push_back({.name = "microvm", .alias = {}});
  all.push_back({.name = "none", .alias = {}, .max_cpus = 1});
  return all;
}

Result<> choose_board(Machine& machine) {
  auto& service = machine.service<BoardService>();
  const BoardName& board = *TRY(find_board(machine));
  if (service.wants_help) {
    print_properties(board);
    throw ExitRequest{};
  }
  service.version = board.version;
  if (board.type != kNone) {
    apply_compatibility(machine, board.version);
    x86::set_model_defaults(machine, model_defaults(board.version));
  }
  TRY(machine.service<SmpRequest>().settle(machine.config, board.version.prefers_sockets()));
  auto& numa = machine.service<Numa>();
  if (numa.wanted() && board.type != kPc)
    return fail("-numa: NUMA is not supported by this machine-type");
  return numa.settle(board.version.takes_numa_mem());
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
