// SPDX-License-Identifier: GPL-2.0-or-later
// -m, -mem-path and -mem-prealloc: how much memory, and what of the host is behind it.
#include "softmmu/memory_option.h"

#include "rhea/util/keyval.h"
#include "rhea/util/option.h"

namespace rhea {
namespace {

constexpr u64 kMaxRam = u64{1} << 40;
constexpr u64 kUnit = 8192;

// Nothing can be plugged into the board; that nothing will be may be said.
Result<> check_room(u64 size, std::optional<u64> most, std::optional<u64> slots) {
  if (slots && !most) return fail("slots specified but no max-size");
  if (!most) return {};
  if (*most < size)
    return fail(
        "invalid value of maxmem: maximum memory size ({:#x}) must be at least the initial memory "
        "size ({:#x})",
        *most, size);
  if (slots.value_or(0) != 0 && *most == size)
    return fail(
        "invalid value of maxmem: memory slots were specified but maximum memory size ({:#x}) is "
        "equal to the initial memory size ({:#x})",
        *most, size);
  if (*most > size)
    return fail(
        "slots and maxmem: QEMU has this; Rhea has not yet: leave them out, the guest keeps the "
        "memory it begins with");
  return {};
}

Result<> memory(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "size"));
  auto set = machine.service<MemoryRequest>().set(machine.config, options, "maxmem", MiB);
  if (!set) return std::unexpected(std::move(set).error().within("-m " + text));
  return options.expect_empty("-m");
}

Result<> memory_path(Machine& machine, const std::string& path) {
  machine.config.ram.backing = RamBacking::File;
  machine.config.ram.path = path;
  return {};
}

Result<> memory_prealloc(Machine& machine, const std::string&) {
  machine.config.ram.prealloc = true;
  return {};
}

const RegisterOption options[] = {
    RegisterOption{
        {.name = "m",
         .argument = "[size=]megs[,maxmem=size]",
         .help = "guest memory (default 128M; suffixes K, M, G, T); maxmem= only as large",
         .phase = StartPhase::Config,
         .apply = &memory}},
    RegisterOption{{.name = "mem-path",
                    .argument = "path",
                    .help = "guest memory in a file (in a folder: a nameless one), for huge pages",
                    .phase = StartPhase::Config,
                    .apply = &memory_path}},
    RegisterOption{{.name = "mem-prealloc",
                    .argument = "",
                    .help = "take all of the guest's memory from the host at once",
                    .phase = StartPhase::Config,
                    .apply = &memory_prealloc}},
};

}  // namespace

Result<> MemoryRequest::set(MachineConfig& config, KeyValues& values, std::string_view most_key,
                            u64 unit) {
  const auto take = [&values, unit](std::string_view key) -> Result<std::optional<u64>> {
    const auto text = values.take(key);
    if (!text) return std::nullopt;
    auto size = parse_size(*text, unit);
    if (!size) return std::unexpected(std::move(size).error().within(key));
    return *size;
  };
  const auto size = TRY(take("size")), most = TRY(take(most_key));
  std::optional<u64> slots;
  if (const auto text = values.take("slots")) slots = TRY(parse_unsigned(*text, {}, false));
  if (size) {
    if (*size < MiB || *size > kMaxRam) return fail("memory must be 1M to {}G", kMaxRam / GiB);
    config.ram_size = (*size + kUnit - 1) / kUnit * kUnit;
    size_given = true;
  }
  return check_room(config.ram_size, most, slots);
}

}  // namespace rhea
