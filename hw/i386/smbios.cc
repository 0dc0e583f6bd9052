// SPDX-License-Identifier: GPL-2.0-or-later
// SMBIOS structures: 1, 3, 4, 16, 17, 19, 32 and 127 always; 0, 2, 8, 11, 41 and others as asked.
#include "hw/i386/smbios.h"

#include "hw/i386/table_writer.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

namespace rhea::hw {
namespace {

constexpr std::string_view kMaker = "Rhea";

/// Structures one behind the other: a formatted part with its length, then strings.
class Structures {
 public:
  void begin(u8 type, u16 handle) {
    start_ = out.size();
    strings_.clear();
    out.byte(type).byte(0).word(handle);
    ++count;
  }
  /// A field that refers to a string; 0 where the text is empty.
  TableWriter& string(std::string text) {
    if (text.empty()) return out.byte(0);
    strings_.push_back(std::move(text));
    return out.byte(strings_.size());
  }
  void end() {
    out.patch(start_ + 1, out.size() - start_, 1);
    for (const std::string& s : strings_) out.text(s, s.size() + 1);
    out.zeroes(strings_.empty() ? 2 : 1);
    largest_ = std::max(largest_, out.size() - start_);
  }
  void whole(const std::vector<u8>& structure) {
    out.bytes(structure);
    ++count;
    largest_ = std::max(largest_, structure.size());
  }
  std::size_t largest() const { return largest_; }

  TableWriter out;
  unsigned count{0};

 private:
  std::size_t start_{0};
  std::size_t largest_{0};
  std::vector<std::string> strings_;
};

class Builder {
 public:
  explicit Builder(const SmbiosConfig& config)
      : config_(&config), user_(config.user != nullptr ? *config.user : nothing_) {}
  Result<SmbiosTables> build();

 private:
  void add_firmware();
  void add_system();
  void add_baseboard();
  void add_chassis();
  void add_processors();
  void add_ports();
  void add_oem_strings();
  void add_memory();
  void add_memory_areas();
  Result<> add_slots();
  void add_files();

  /// Types that files bring are left to the files.
  bool from_file(unsigned type) const { return user_.structures.contains(type); }
  TableWriter& string(unsigned type, std::string_view field, std::string_view usual = {}) {
    return s_.string(user_.text(type, field, usual));
  }

  const SmbiosConfig* config_;
  SmbiosOptions nothing_;
  const SmbiosOptions& user_;
  Structures s_;
};

// Left to the firmware, which knows itself, unless the user knows better.
void Builder::add_firmware() {
  if (!user_.has(0)) return;
  constexpr u64 kNoCharacteristics = 0x08;
  constexpr u8 kVirtualMachine = 0x14, kUefi = 0x08, kUnknown = 0xff;
  const bool uefi = parse_bool(user_.text(0, "uefi", "off")).value_or(false);
  const std::string release = user_.text(0, "release");
  const auto dot = release.find('.');
  const auto part = [&](std::string text) {
    return parse_unsigned(std::move(text), {}, false).value_or(0);
  };
  s_.begin(0, 0);
  string(0, "vendor");
  string(0, "version").word(0xe800);
  string(0, "date").byte(0).qword(kNoCharacteristics).byte(0);
  s_.out.byte(kVirtualMachine | (uefi ? kUefi : 0));
  s_.out.byte(release.empty() ? 0 : part(release.substr(0, dot)));
  s_.out.byte(release.empty() ? 0 : part(release.substr(dot + 1))).byte(kUnknown).byte(kUnknown);
  s_.end();
}

void Builder::add_system() {
  constexpr u8 kPowerSwitch = 6;
  // The first three fields are numbers, least significant byte first (DSP0134, 7.2.1).
  MachineUuid::Bytes uuid = config_->uuid;
  if (config_->swap_uuid) {
    std::reverse(uuid.begin(), uuid.begin() + 4);
    std::reverse(uuid.begin() + 4, uuid.begin() + 6);
    std::reverse(uuid.begin() + 6, uuid.begin() + 8);
  }
  s_.begin(1, 0x100);
  string(1, "manufacturer", kMaker);
  string(1, "product", "Standard PC (i440FX + PIIX, 1996)");
  string(1, "version", config_->board);
  string(1, "serial").bytes(uuid).byte(kPowerSwitch);
  string(1, "sku");
  string(1, "family");
  s_.end();
}

void Builder::add_baseboard() {
  if (!user_.has(2)) return;
  constexpr u8 kHosting = 1, kMotherboard = 0x0a;
  s_.begin(2, 0x200);
  string(2, "manufacturer", kMaker);
  string(2, "product", "Standard PC (i440FX + PIIX, 1996)");
  string(2, "version", config_->board);
  string(2, "serial");
  string(2, "asset").byte(kHosting);
  string(2, "location").word(0x300).byte(kMotherboard).byte(0);
  s_.end();
}

void Builder::add_chassis() {
  constexpr u8 kOther = 1, kSafe = 3, kUnknownSecurity = 2;
  s_.begin(3, 0x300);
  string(3, "manufacturer", kMaker).byte(kOther);
  string(3, "version", config_->board);
  string(3, "serial");
  string(3, "asset").byte(kSafe).byte(kSafe).byte(kSafe).byte(kUnknownSecurity);
  s_.out.dword(0).byte(0).byte(0).byte(0).byte(0);
  string(3, "sku");
  s_.end();
}

void Builder::add_processors() {
  constexpr u16 kNone = 0xffff;
  const unsigned threads = config_->cores * config_->threads;
  const auto few = [](unsigned count) { return std::min(count, 255U); };
  for (unsigned socket = 0; socket < config_->sockets; ++socket) {
    s_.begin(4, static_cast<u16>(0x400 + socket));
    s_.string(fmt::format("{}{:2x}", user_.text(4, "sock_pfx", "CPU"), socket)).byte(3).byte(1);
    string(4, "manufacturer", kMaker).qword(0);
    string(4, "version", config_->board).byte(0).word(0);
    s_.out.word(user_.number(4, "max-speed", 2000)).word(user_.number(4, "current-speed", 2000));
    s_.out.byte(0x41).byte(1).word(kNone).word(kNone).word(kNone);
    string(4, "serial");
    string(4, "asset");
    string(4, "part");
    s_.out.byte(few(config_->cores)).byte(few(config_->cores)).byte(few(threads)).word(2).word(1);
    s_.out.word(config_->cores).word(config_->cores).word(threads);
    s_.end();
  }
}

std::string text_of(const SmbiosOptions::Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}
u64 number_of(const SmbiosOptions::Fields& fields, std::string_view name, u64 usual = 0) {
  return parse_unsigned(text_of(fields, name), {}, false).value_or(usual);
}

void Builder::add_ports() {
  u16 handle = 0x800;
  for (const SmbiosOptions::Fields& port : user_.ports) {
    const u64 connector = number_of(port, "connector_type");
    s_.begin(8, handle++);
    s_.string(text_of(port, "internal_reference")).byte(connector);
    s_.string(text_of(port, "external_reference")).byte(connector);
    s_.out.byte(number_of(port, "port_type"));
    s_.end();
  }
}

void Builder::add_oem_strings() {
  if (user_.oem_strings.empty()) return;
  s_.begin(11, 0xe00);
  s_.out.byte(user_.oem_strings.size());
  const std::size_t count_at = s_.out.size();
  for (const std::string& text : user_.oem_strings) s_.string(text.empty() ? " " : text);
  // The structure has a count, not a reference to each.
  s_.out.data.resize(count_at);
  s_.end();
}

void Builder::add_memory() {
  constexpr u64 kModule = 16 * GiB;
  const u64 modules = (config_->ram_size + kModule - 1) / kModule;
  const u64 kib = config_->ram_size / KiB;
  s_.begin(16, 0x1000);
  s_.out.byte(1).byte(3).byte(6).dword(kib < 0x80000000 ? kib : 0x80000000).word(0xfffe);
  s_.out.word(modules).qword(kib < 0x80000000 ? 0 : config_->ram_size);
  s_.end();
  if (from_file(17)) return;
  const u64 speed = user_.number(17, "speed", 0);
  for (u64 m = 0; m < std::min<u64>(modules, 256); ++m) {
    const u64 mib = std::min(kModule, config_->ram_size - m * kModule) / MiB;
    s_.begin(17, static_cast<u16>(0x1100 + m));
    s_.out.word(0x1000).word(0xfffe).word(0xffff).word(0xffff).word(std::min<u64>(mib, 0x7fff));
    s_.out.byte(9).byte(0);
    s_.string(fmt::format("{} {}", user_.text(17, "loc_pfx", "DIMM"), m));
    string(17, "bank").byte(7).word(2).word(speed);
    string(17, "manufacturer", kMaker);
    string(17, "serial");
    string(17, "asset");
    string(17, "part").byte(0);
    s_.out.dword(mib < 0x7fff ? 0 : mib).word(speed).word(0).word(0).word(0);
    s_.end();
  }
}

void Builder::add_memory_areas() {
  const auto area = [&](u16 handle, u64 first, u64 last) {
    const bool extended = last / KiB >= 0xffffffff;
    s_.begin(19, handle);
    s_.out.dword(extended ? 0xffffffff : first / KiB)
        .dword(extended ? 0xffffffff : last / KiB)
        .word(0x1000)
        .byte(1);
    s_.out.qword(extended ? first : 0).qword(extended ? last : 0);
    s_.end();
  };
  area(0x1300, 0, config_->low_ram - 1);
  if (config_->ram_size > config_->low_ram)
    area(0x1301, 4 * GiB, 4 * GiB + config_->ram_size - config_->low_ram - 1);
}

Result<> Builder::add_slots() {
  constexpr std::array<std::string_view, 10> kKinds = {
      "other", "unknown", "video", "scsi", "ethernet", "tokenring", "sound", "pata", "sata", "sas"};
  constexpr u8 kEnabled = 0x80;
  u16 handle = 0x2900;
  for (const SmbiosOptions::Fields& slot : user_.slots) {
    const std::string kind = text_of(slot, "kind"), id = text_of(slot, "pcidev");
    const auto* const at = std::ranges::find(kKinds, kind.empty() ? "other" : kind);
    if (at == kKinds.end()) return fail("-smbios type=41: kind: '{}' is none", kind);
    const auto place = !id.empty() && config_->pci_device ? config_->pci_device(id) : std::nullopt;
    if (!id.empty() && !place) return fail("-smbios type=41: no PCI device '{}' found", id);
    s_.begin(41, handle++);
    s_.string(text_of(slot, "designation"));
    s_.out.byte(static_cast<u64>(at - kKinds.begin() + 1) | kEnabled);
    s_.out.byte(number_of(slot, "instance", 1)).word(0).byte(0).byte(place.value_or(0));
    s_.end();
  }
  return {};
}

void Builder::add_files() {
  for (const auto& [type, structures] : user_.structures)
    for (const std::vector<u8>& structure : structures) s_.whole(structure);
}

u8 negated_sum(const std::vector<u8>& data, std::size_t first, std::size_t count) {
  u8 sum = 0;
  for (std::size_t i = first; i < first + count; ++i) sum = static_cast<u8>(sum + data[i]);
  return static_cast<u8>(-sum);
}

Result<SmbiosTables> Builder::build() {
  add_files();
  if (!from_file(0)) add_firmware();
  if (!from_file(1)) add_system();
  if (!from_file(2)) add_baseboard();
  if (!from_file(3)) add_chassis();
  if (!from_file(4)) add_processors();
  add_ports();
  add_oem_strings();
  if (!from_file(16)) add_memory();
  if (!from_file(19)) add_memory_areas();
  if (!from_file(32)) {
    s_.begin(32, 0x2000);
    s_.out.zeroes(7);
    s_.end();
  }
  TRY(add_slots());
  s_.begin(127, 0x7f00);
  s_.end();
  TableWriter anchor;
  anchor.text("_SM_", 4).byte(0).byte(0x1f).byte(2).byte(8).word(s_.largest()).byte(0).zeroes(5);
  anchor.text("_DMI_", 5).byte(0).word(s_.out.size()).dword(0).word(s_.count).byte(0x28);
  anchor.patch(0x15, negated_sum(anchor.data, 0x10, 0x0f), 1);
  anchor.patch(4, negated_sum(anchor.data, 0, 0x1f), 1);
  if (s_.out.size() > 0xffff)
    return fail("-smbios: the structures are larger than 64 KiB together");
  return SmbiosTables{.tables = std::move(s_.out.data), .anchor = std::move(anchor.data)};
}

}  // namespace

Result<SmbiosTables> build_smbios(const SmbiosConfig& config) { return Builder(config).build(); }

}  // namespace rhea::hw
