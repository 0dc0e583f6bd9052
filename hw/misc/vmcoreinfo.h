// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU's device "vmcoreinfo", as those who dump a guest's memory see it.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace rhea {
class FwCfg;
}  // namespace rhea

namespace rhea::hw {

/// A fw_cfg file that the guest's kernel writes (spec: QEMU's docs/specs/vmcoreinfo).
/// State: complete. Missing: nothing.
class Vmcoreinfo final : public Device {
 public:
  static constexpr std::string_view kName = "vmcoreinfo";
  using Extendable = Device;
  static void describe(Schema<Vmcoreinfo>& s);

  /// The one that the machine has; nullptr: none.
  static Vmcoreinfo* of(Machine& machine);

  struct Note {
    u16 format;  ///< 1: an ELF note
    u32 size;
    u64 address;  ///< physical
  };
  /// What the guest wrote; nullopt: nothing yet. Not to be trusted.
  std::optional<Note> note() const;
  /// Takes the file's new contents, 16 bytes.
  void guest_writes(std::span<const u8> data);

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;

 private:
  static constexpr std::size_t kSize = 16;
  static std::vector<u8> empty();
  void show();

  FwCfg* fw_cfg_{};
  struct Slot;
  Slot* slot_{};
  std::array<u8, kSize> contents_{};
};

}  // namespace rhea::hw
