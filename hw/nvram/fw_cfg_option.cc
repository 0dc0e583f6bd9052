// SPDX-License-Identifier: GPL-2.0-or-later
// -fw_cfg: files of the user's own for the guest.
#include "rhea/hw/fw_cfg.h"
#include "rhea/softmmu/firmware.h"
#include "rhea/util/keyval.h"
#include "rhea/util/log.h"
#include "rhea/util/option.h"

namespace rhea::hw {
namespace {

constexpr u64 kLargestFile = 256 * MiB;

Result<> fw_cfg_option(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "name"));
  const std::string name = options.take("name").value_or("");
  const auto file = options.take("file");
  const auto string = options.take("string");
  TRY(options.expect_empty("-fw_cfg"));
  if (name.empty()) return fail("-fw_cfg {}: needs a name", text);
  if (name.size() > FwCfg::kLongestName)
    return fail("-fw_cfg {}: the name has more than {} characters", name, FwCfg::kLongestName);
  if (file.has_value() == string.has_value())
    return fail("-fw_cfg {}: needs either file= or string=", name);
  FwCfg* fw_cfg = FwCfg::of(machine);
  if (fw_cfg == nullptr) return fail("-fw_cfg {}: the board has no fw_cfg", name);
  if (fw_cfg->has_file(name)) return fail("-fw_cfg {}: there is already such a file", name);
  if (!fw_cfg->has_room()) return fail("-fw_cfg {}: too many files", name);
  if (!name.starts_with("opt/"))
    report_warning(fmt::format("-fw_cfg {}: names of one's own should begin with opt/", name));
  std::vector<u8> data;
  if (file) data = TRY(read_file(*file, kLargestFile, ReadFrom::Everywhere));
  if (string) data.assign(string->begin(), string->end());
  fw_cfg->add_file(name, std::move(data));
  return {};
}

const RegisterOption option{{.name = "fw_cfg",
                             .argument = "[name=]name,file=file|string=text",
                             .help = "a fw_cfg file for the guest; names should begin with opt/",
                             .phase = StartPhase::Devices,
                             .apply = &fw_cfg_option}};

}  // namespace
}  // namespace rhea::hw
