// SPDX-License-Identifier: GPL-2.0-or-later
// -cpu: its text, its help, and what of it the machine keeps.
#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"
#include "rhea/util/known_names.h"
#include "rhea/util/option.h"
#include "target/x86/hyperv.h"
#include "target/x86/model_list.h"
#include "target/x86/models.h"

#include <algorithm>

namespace rhea::x86 {
namespace {

struct CpuChoice final : MachineService {
  explicit CpuChoice(Machine&) {}
  std::string text;  ///< of -cpu; empty: none
  std::vector<ModelDefault> defaults;
};

const ModelRow* find_row(std::string_view name) {
  const auto rows = model_rows();
  const auto it = std::ranges::find_if(
      rows, [&](const ModelRow& row) { return row.name == name || row.version == name; });
  return it == rows.end() ? nullptr : &*it;
}

/// The row over its base's.
void apply_row(const ModelRow& row, CpuRequest& request) {
  if (!row.base.empty()) apply_row(*find_row(row.base), request);
  if (!row.vendor.empty()) request.vendor = row.vendor;
  if (!row.brand.empty()) request.brand = row.brand;
  if (row.signature.family != 0) {
    request.family = row.signature.family;
    request.model = row.signature.model;
    request.stepping = row.signature.stepping;
  }
  if (row.level != 0) request.level = row.level;
  if (row.xlevel != 0) request.xlevel = row.xlevel;
  request.features |= named_bits(row.more);
  request.features &= ~named_bits(row.less);
}

std::string with_dashes(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', '-');
  return text;
}

bool is_qemus(NameKind kind, std::string_view name) {
  const auto names = qemu_names(kind);
  return std::ranges::find(names, with_dashes(name)) != names.end();
}

std::unexpected<Error> no_such_model(std::string_view name) {
  std::vector<std::string_view> names = {"max", "host", "base"};
  for (const ModelRow& row : model_rows()) names.push_back(row.name);
  return fail("{}",
              with_remark(fmt::format("unable to find CPU model '{}' (-cpu help lists them)", name),
                          nearest_hint(name, names)));
}

std::unexpected<Error> no_such_feature(std::string_view name) {
  std::vector<std::string_view> names;
  for (const CpuidBit& bit : cpuid_bits()) names.push_back(bit.name);
  return fail("{}", with_remark(fmt::format("the CPU has no feature or property '{}' (-cpu help "
                                            "lists them)",
                                            name),
                                about_unknown(NameKind::CpuProperty, with_dashes(name), names)));
}

Result<> choose_model(const std::string& name, CpuRequest& request) {
  request.name = name;
  if (name == "max") {
    request.kind = ModelKind::Max;
  } else if (name == "host") {
    request.kind = ModelKind::Host;
  } else if (name == "base") {
    request.kind = ModelKind::Base;
    request.level = 1;
    request.xlevel = 0;
  } else if (const ModelRow* row = find_row(name)) {
    if (row->xlevel == 0) request.xlevel = 0;
    apply_row(*row, request);
  } else {
    return no_such_model(name);
  }
  return {};
}

Result<> switch_feature(CpuRequest& request, std::string_view name, bool on) {
  if (const auto bit = find_cpuid_bit(name)) {
    request.added.set(*bit, on);
    request.removed.set(*bit, !on);
    return {};
  }
  const std::string other = with_dashes(name);
  if (is_qemus(NameKind::CpuFeature, name)) {
    std::erase(request.others, other);
    if (on) request.others.push_back(other);
    return {};
  }
  // What is not there is off.
  if (!on && is_qemus(NameKind::CpuProperty, name)) return {};
  return no_such_feature(name);
}

Result<> set_number(const std::string& key, const std::string& text, u64 most,
                    std::optional<u32>& to) {
  auto value = parse_unsigned(text, {.min = 0, .max = most}, false);
  if (!value) return std::unexpected(std::move(value).error().within(key));
  to = static_cast<u32>(*value);
  return {};
}

Result<> set_text(const std::string& key, const std::string& text, std::size_t most,
                  std::string& to) {
  if (text.size() > most) return fail("{}: '{}' is longer than {} characters", key, text, most);
  to = text;
  return {};
}

Result<> set_tsc(const std::string& text, CpuRequest& request) {
  auto hertz = parse_unsigned(text, {.min = 1'000'000, .max = 100'000'000'000}, false);
  if (!hertz) return std::unexpected(std::move(hertz).error().within("tsc-frequency"));
  request.tsc_khz = static_cast<u32>(*hertz / 1000);
  return {};
}

Result<bool> on_or_off(const std::string& key, const std::string& text) {
  if (text == "on" || text == "yes" || text == "true" || text == "y") return true;
  if (text == "off" || text == "no" || text == "false" || text == "n") return false;
  return fail("{}={}: on or off is expected", key, text);
}

/// True if `key` is about Microsoft's hypervisor interface.
Result<bool> set_hyperv(Hyperv& hyperv, std::string key, const std::string& text) {
  key = with_dashes(key);
  if (key == "hv-vendor-id") {
    TRY(set_text(key, text, 12, hyperv.vendor));
  } else if (key == "hv-spinlocks") {
    std::optional<u32> retries;
    TRY(set_number(key, text, Hyperv::kNeverNotify, retries));
    hyperv.spinlock_retries = *retries;
  } else if (const auto feature = find_hyperv_feature(key)) {
    const bool on = TRY(on_or_off(key, text));
    hyperv.set(*feature, on);
  } else {
    return false;
  }
  return true;
}

/// True if `key` is one of the values; else it is a feature.
Result<bool> set_value(CpuRequest& request, const std::string& key, const std::string& text) {
  std::optional<u32> bits;
  if (key == "vendor") {
    if (text.size() != 12) return fail("vendor: '{}' is not 12 characters long", text);
    request.vendor = text;
    request.vendor_given = true;
  } else if (key == "model-id") {
    TRY(set_text(key, text, 48, request.brand));
  } else if (key == "family") {
    TRY(set_number(key, text, 0xff + 0xf, request.family));
  } else if (key == "model") {
    TRY(set_number(key, text, 0xff, request.model));
  } else if (key == "stepping") {
    TRY(set_number(key, text, 0xf, request.stepping));
  } else if (key == "level" || key == "min-level") {
    TRY(set_number(key, text, 0xffff, request.level));
  } else if (key == "xlevel" || key == "min-xlevel") {
    TRY(set_number(key, text, 0xffff'ffff, request.xlevel));
  } else if (key == "phys-bits") {
    TRY(set_number(key, text, 52, bits));
    if (*bits != 0 && *bits < 32) return fail("phys-bits: {} is not 32 to 52", *bits);
    if (*bits != 0) request.physical_bits = static_cast<u8>(*bits);
  } else if (key == "tsc-frequency" || key == "tsc-freq") {
    TRY(set_tsc(text, request));
  } else {
    return false;
  }
  return true;
}

/// Switches that are no bit of CPUID's. Some are taken because command lines have them: caches are
/// the same everywhere.
bool* find_switch(CpuRequest& request, std::string_view key, bool& ignored) {
  if (key == "check") return &request.check;
  if (key == "enforce") return &request.enforce;
  if (key == "kvm") return &request.kvm;
  if (key == "tcg-cpuid") return &request.tcg_name;
  if (key == "cpuid-0xb") return &request.topology_leaf;
  if (key == "l3-cache") return &request.l3_cache;
  if (key == "migratable") return &request.migratable;
  constexpr std::string_view taken[] = {"host-cache-info", "legacy-cache", "host-phys-bits", "pmu"};
  return std::ranges::find(taken, key) != std::end(taken) ? &ignored : nullptr;
}

Result<> apply_word(CpuRequest& request, const std::string& key, const std::string& value) {
  if (key.starts_with('+') || key.starts_with('-')) {
    if (TRY(set_hyperv(request.hyperv, key.substr(1), key[0] == '+' ? "on" : "off"))) return {};
    return switch_feature(request, std::string_view(key).substr(1), key[0] == '+');
  }
  if (TRY(set_value(request, key, value))) return {};
  if (TRY(set_hyperv(request.hyperv, key, value))) return {};
  bool ignored = false;
  bool* const flag = find_switch(request, key, ignored);
  const bool known = flag != nullptr || find_cpuid_bit(key) || is_qemus(NameKind::CpuFeature, key);
  const auto on = on_or_off(key, value);
  if (!on) return known ? std::unexpected(on.error()) : no_such_feature(key);
  if (key == "kvm") request.kvm_given = true;
  if (flag == nullptr) return switch_feature(request, key, *on);
  *flag = *on;
  return {};
}

// As if the model had been made so: nobody asked for it by name.
Result<> apply_default(CpuRequest& request, const ModelDefault& change) {
  const std::string key(change.property);
  if (TRY(set_value(request, key, change.value))) return {};
  const bool on = TRY(on_or_off(key, change.value));
  bool ignored = false;
  if (bool* const flag = find_switch(request, key, ignored)) {
    *flag = on;
    return {};
  }
  const auto bit = find_cpuid_bit(key);
  if (!bit) return no_such_feature(key);
  request.features.set(*bit, on);
  request.removed.set(*bit, !on);
  return {};
}

Result<> cpu_option(Machine& machine, const std::string& text) {
  if (text == "help" || text == "?") {
    fmt::print("{}", cpu_help());
    throw ExitRequest{};
  }
  auto request = parse_cpu(text);
  if (!request) return std::unexpected(std::move(request).error().within("-cpu"));
  machine.service<CpuChoice>().text = text;
  return {};
}

const RegisterOption option{
    {.name = "cpu",
     .argument = "model[,+feature][,-feature][,feature=on|off][,prop=value...]",
     .help = "the guest's processor (help lists models and features)",
     .phase = StartPhase::Config,
     .apply = &cpu_option}};

std::string wrapped(std::vector<std::string_view> words) {
  std::ranges::sort(words);
  std::string text, line;
  for (const std::string_view word : words) {
    if (line.size() + word.size() > 75) text += " " + std::exchange(line, "") + "\n";
    line.append(" ").append(word);
  }
  return text + " " + line + "\n";
}

}  // namespace

void set_model_defaults(Machine& machine, std::vector<ModelDefault> defaults) {
  machine.service<CpuChoice>().defaults = std::move(defaults);
}

Result<CpuRequest> parse_cpu(const std::string& text, const std::vector<ModelDefault>& defaults) {
  const KeyValues words = TRY(KeyValues::parse(text, "model-name", Words::Plain));
  CpuRequest request;
  for (const auto& [key, value] : words.all()) {
    if (key == "model-name") {
      TRY(choose_model(value, request));
      for (const ModelDefault& change : defaults)
        if (change.model.empty() || change.model == value) TRY(apply_default(request, change));
    } else if (request.name.empty()) {
      return fail("{}: a model's name comes first", text);
    } else {
      TRY(apply_word(request, key, value));
    }
  }
  if (request.name.empty()) return fail("a model's name is expected (-cpu help lists them)");
  return request;
}

std::vector<ModelName> model_names() {
  std::vector<ModelName> names;
  for (const ModelRow& row : model_rows()) {
    names.push_back({.name = row.name, .same_as = row.version});
    if (!row.version.empty()) names.push_back({.name = row.version});
  }
  for (const std::string_view special : {"base", "host", "max"}) names.push_back({.name = special});
  return names;
}

std::string cpu_help() {
  std::string text = "Available CPUs:\n";
  for (const ModelRow& row : model_rows()) {
    CpuRequest request;
    apply_row(row, request);
    text += fmt::format("x86 {:<26} {}\n", row.name, request.brand);
    if (!row.version.empty())
      text += fmt::format("x86 {:<26} (the same as {})\n", row.version, row.name);
  }
  text += fmt::format("x86 {:<26} no features at all\n", "base");
  text += fmt::format("x86 {:<26} the host's processor, as far as the accelerator can\n", "host");
  text += fmt::format("x86 {:<26} every feature that the accelerator has\n", "max");
  std::vector<std::string_view> names;
  for (const CpuidBit& bit : cpuid_bits()) names.push_back(bit.name);
  return text + "\nRecognized CPUID flags:\n" + wrapped(std::move(names));
}

std::optional<CpuRequest> cpu_request(Machine& machine) {
  const auto& choice = machine.service<CpuChoice>();
  if (choice.text.empty()) return std::nullopt;
  auto request = parse_cpu(choice.text, choice.defaults);
  RHEA_ASSERT(request);  // it was looked at when it was given
  return std::move(*request);
}

Result<CpuRequest> cpu_request_or(Machine& machine, const std::string& model) {
  if (auto request = cpu_request(machine)) return std::move(*request);
  return parse_cpu(model, machine.service<CpuChoice>().defaults);
}

}  // namespace rhea::x86
