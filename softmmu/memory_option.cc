// SPDX-License-Identifier: GPL-2.0-or-later
// -m, -mem-path and -mem-prealloc: how much memory, and what of the host is behind it.
#include "softmmu/memory_option.h"

#include "rhea/util/keyval.h"
#include "rhea/util/option.h"

namespace rhea {
namespace {

constexpr u64 kMaxRam = u64{1} << 40;
constexpr u64 kUnit = 8192;

Result<> memory(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "size"));
  const auto size_text = options.take("size");
  TRY(options.expect_empty("-m"));
  if (!size_text) return {};
  auto size = parse_size(*size_text, MiB);
  if (!size) return std::unexpected(std::move(size).error().within("-m"));
  if (*size < MiB || *size > kMaxRam)
    return fail("-m {}: memory must be 1M to {}G", *size_text, kMaxRam / GiB);
  machine.config.ram_size = (*size + kUnit - 1) / kUnit * kUnit;
  machine.service<MemoryRequest>().size_given = true;
  return {};
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
    RegisterOption{{.name = "m",
                    .argument = "[size=]megs",
                    .help = "guest memory (default 128M; suffixes K, M, G, T)",
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
}  // namespace rhea
