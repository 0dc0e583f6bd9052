// SPDX-License-Identifier: GPL-2.0-or-later
// What -smbios says.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::hw {

/// Main thread; read when the board tells its firmware of the machine.
struct SmbiosOptions final : MachineService {
  SmbiosOptions() = default;
  explicit SmbiosOptions(Machine&) {}

  using Fields = std::map<std::string, std::string, std::less<>>;
  std::map<unsigned, Fields> fields;     ///< by type: 0 to 4 and 17, of which there is one each
  std::vector<Fields> ports, slots;      ///< types 8 and 41, one entry an option
  std::vector<std::string> oem_strings;  ///< type 11
  std::map<unsigned, std::vector<std::vector<u8>>> structures;  ///< whole ones from files, by type

  /// Errors name the parameter.
  Result<> add(KeyValues values);

  bool has(unsigned type) const { return fields.contains(type); }
  /// A field's text, or what it is without.
  std::string text(unsigned type, std::string_view field, std::string_view usual = {}) const;
  u64 number(unsigned type, std::string_view field, u64 usual) const;

 private:
  Result<> add_file(const std::string& path);
  Result<> add_oem_strings(const KeyValues& values);
};

}  // namespace rhea::hw
