// SPDX-License-Identifier: GPL-2.0-or-later
// -uuid: reading and writing UUIDs (RFC 4122, chapter 3).
#include "softmmu/uuid_option.h"

#include "rhea/util/option.h"

#include <charconv>

namespace rhea {
namespace {

constexpr std::size_t kLength = 36;

constexpr bool dash_at(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

Result<> uuid(Machine& machine, const std::string& text) {
  auto& uuid = machine.service<MachineUuid>();
  uuid.given = MachineUuid::parse(text);
  if (!uuid.given)
    return fail(
        "-uuid {}: failed to parse UUID string: 550e8400-e29b-41d4-a716-446655440000 is one", text);
  return {};
}

const RegisterOption option{{.name = "uuid",
                             .argument = "uuid",
                             .help = "the machine's UUID, for SMBIOS and monitors",
                             .phase = StartPhase::Config,
                             .apply = &uuid}};

}  // namespace

std::optional<MachineUuid::Bytes> MachineUuid::parse(std::string_view text) {
  if (text.size() != kLength) return std::nullopt;
  Bytes bytes{};
  std::size_t n = 0;
  for (std::size_t at = 0; at < kLength;) {
    if (dash_at(at)) {
      if (text[at++] != '-') return std::nullopt;
      continue;
    }
    const char* const end = text.data() + at + 2;
    if (std::from_chars(text.data() + at, end, bytes[n++], 16).ptr != end) return std::nullopt;
    at += 2;
  }
  return bytes;
}

std::string MachineUuid::text(const Bytes& bytes) {
  std::string text;
  for (const u8 byte : bytes) {
    if (dash_at(text.size())) text += '-';
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

}  // namespace rhea
