// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor/qmp/migration_settings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

namespace rhea::qmp {
namespace {

constexpr u64 kMost = ~u64{0};
constexpr u64 kPageSize = 4096;
constexpr std::string_view kThreads = "a value between 1 and 255";
constexpr std::string_view kDelay = "a value between 0 and 100000";
constexpr std::string_view kPercent = "an integer in the range of 1 to 99";

constexpr std::array kParameters = {
    MigrationParameter{"announce-initial", "size", "50", 0, 100'000, kDelay, " ms"},
    MigrationParameter{"announce-max", "size", "550", 0, 100'000, kDelay, " ms"},
    MigrationParameter{"announce-rounds", "size", "5", 0, 1000, "a value between 0 and 1000"},
    MigrationParameter{"announce-step", "size", "100", 1, 10'000, "a value between 0 and 10000",
                       " ms"},
    MigrationParameter{"compress-level", "uint8", "1", 0, 9, "a value between 0 and 9"},
    MigrationParameter{"compress-threads", "uint8", "8", 1, 255, kThreads},
    MigrationParameter{"compress-wait-thread", "bool", "true"},
    MigrationParameter{"decompress-threads", "uint8", "2", 1, 255, kThreads},
    MigrationParameter{"throttle-trigger-threshold", "uint8", "50", 1, 100,
                       "an integer in the range of 1 to 100"},
    MigrationParameter{"cpu-throttle-initial", "uint8", "20", 1, 99, kPercent},
    MigrationParameter{"cpu-throttle-increment", "uint8", "10", 1, 99, kPercent},
    MigrationParameter{"cpu-throttle-tailslow", "bool", "false"},
    MigrationParameter{"max-cpu-throttle", "uint8", "99", 1, 99,
                       "an integer in the range of cpu_throttle_initial to 99"},
    MigrationParameter{"tls-creds", "any", R"("")"},
    MigrationParameter{"tls-hostname", "any", R"("")"},
    MigrationParameter{"max-bandwidth", "size", "134217728", 0, kMost, "", " bytes/second"},
    MigrationParameter{"downtime-limit", "uint64", "300", 0, 2'000'000,
                       "an integer in the range of 0 to (2000 * 1000) ms", " ms"},
    MigrationParameter{"x-checkpoint-delay", "uint32", "20000", 0, kMost, "", " ms"},
    MigrationParameter{"block-incremental", "bool", "false"},
    MigrationParameter{"multifd-channels", "uint8", "2", 1, 255, kThreads},
    MigrationParameter{"multifd-compression", "MultiFDCompression", R"("none")"},
    MigrationParameter{"xbzrle-cache-size", "size", "67108864", kPageSize, kMost,
                       "a power of two no less than the target page size", " bytes"},
    MigrationParameter{"max-postcopy-bandwidth", "size", "0"},
    MigrationParameter{"tls-authz", "any", R"("")"},
    // QEMU takes these two and forgets them.
    MigrationParameter{"multifd-zlib-level", "uint8", "1", 0, 9, "a value between 0 and 9", "",
                       false},
    MigrationParameter{"multifd-zstd-level", "uint8", "1", 0, 20, "a value between 0 and 20", "",
                       false},
};

constexpr std::array<std::string_view, 21> kCapabilities = {
    "xbzrle",           "rdma-pin-all",  "auto-converge",       "zero-blocks",
    "compress",         "events",        "postcopy-ram",        "x-colo",
    "release-ram",      "block",         "return-path",         "pause-before-switchover",
    "multifd",          "dirty-bitmaps", "postcopy-blocktime",  "late-block-activate",
    "x-ignore-shared",  "validate-uuid", "background-snapshot", "zero-copy-send",
    "postcopy-preempt",
};

// In the order in which they are complained of.
constexpr std::array<std::string_view, 15> kNotWithBackgroundSnapshot = {
    "postcopy-ram",
    "dirty-bitmaps",
    "postcopy-blocktime",
    "late-block-activate",
    "return-path",
    "multifd",
    "pause-before-switchover",
    "auto-converge",
    "release-ram",
    "rdma-pin-all",
    "compress",
    "xbzrle",
    "x-colo",
    "validate-uuid",
    "zero-copy-send",
};

// QEMU's structures have underscores, and its errors of ranges speak of those.
std::string inner_name(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '-', '_');
  return text;
}

bool fits(const MigrationParameter& row, u64 value, const Json& all) {
  if (value < row.min || value > row.max) return false;
  if (row.name == "xbzrle-cache-size") return std::has_single_bit(value);
  if (row.name == "max-cpu-throttle") return value >= all["cpu-throttle-initial"].get<u64>();
  return true;
}

// A text, or null for none.
Result<Json> text_of(std::string_view name, const Json& value) {
  if (value.is_null()) return Json("");
  if (value.is_string()) return value;
  return fail("Invalid parameter type for '{}', expected: StrOrNull", name);
}

}  // namespace

std::span<const MigrationParameter> migration_parameters() { return kParameters; }

std::vector<Member> migration_parameter_members() {
  std::vector<Member> members;
  for (const MigrationParameter& row : kParameters)
    members.push_back({.name = row.name, .type = row.type, .optional = true});
  return members;
}

std::span<const std::string_view> migration_capabilities() { return kCapabilities; }

MigrationSettings::MigrationSettings(Machine&) {
  for (const MigrationParameter& row : kParameters)
    parameters_[std::string(row.name)] = Json::parse(row.initial);
  for (const std::string_view name : kCapabilities) capabilities_[std::string(name)] = false;
}

Result<> MigrationSettings::set_parameters(const Json& wanted) {
  Json all = parameters_;
  for (const auto& [name, value] : wanted.items()) {
    Json& there = all[name];
    if (there.is_string()) {
      there = TRY(text_of(name, value));
    } else if (there.is_number()) {
      there = value.get<u64>();  // -1: the largest there is
    } else {
      there = value;
    }
  }
  for (const MigrationParameter& row : kParameters) {
    const Json& value = all[std::string(row.name)];
    if (value.is_number() && !fits(row, value.get<u64>(), all))
      return fail("Parameter '{}' expects {}", inner_name(row.name), row.expects);
  }
  parameters_ = std::move(all);
  return {};
}

Result<> MigrationSettings::check_capabilities(const Json& wanted) const {
  const auto on = [&wanted](std::string_view name) {
    return wanted[std::string(name)].get<bool>();
  };
  if (on("postcopy-ram") && on("x-ignore-shared"))
    return fail("Postcopy is not compatible with ignore-shared");
  const auto against = std::ranges::find_if(kNotWithBackgroundSnapshot, on);
  if (on("background-snapshot") && against != kNotWithBackgroundSnapshot.end())
    return fail("Background-snapshot is not compatible with {}", *against);
  const bool plain = parameters_["multifd-compression"] == "none" && parameters_["tls-creds"] == "";
  if (on("zero-copy-send") && (!on("multifd") || on("compress") || on("xbzrle") || !plain))
    return fail("Zero copy only available for non-compressed non-TLS multifd migration");
  if (on("postcopy-preempt") && !on("postcopy-ram"))
    return fail("Postcopy preempt requires postcopy-ram");
  if (on("postcopy-preempt") && on("compress"))
    return fail("Postcopy preempt not compatible with compress");
  if (on("multifd") && on("compress")) return fail("Multifd is not compatible with compress");
  return {};
}

Result<> MigrationSettings::set_capabilities(const Json& wanted) {
  Json all = capabilities_;
  for (const Json& one : wanted) all[one["capability"].get<std::string>()] = one["state"];
  TRY(check_capabilities(all));
  capabilities_ = std::move(all);
  return {};
}

}  // namespace rhea::qmp
