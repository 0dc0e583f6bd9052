// SPDX-License-Identifier: GPL-2.0-or-later
// The generation that a machine is of.
#include "hw/acpi/vm_generation.h"

#include "hw/acpi/acpi_events.h"
#include "rhea/hw/fw_cfg.h"
#include "rhea/softmmu/machine.h"

#include <algorithm>
#include <random>
#include <utility>

namespace rhea::hw {
namespace {

constexpr std::size_t kFileBytes = 4096, kAddressBytes = 8;

MachineUuid::Bytes random_number() {
  std::random_device random;
  MachineUuid::Bytes bytes{};
  for (u8& byte : bytes) byte = static_cast<u8>(random());
  // RFC 4122, 4.4.
  bytes[6] = static_cast<u8>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<u8>((bytes[8] & 0x3f) | 0x80);
  return bytes;
}

}  // namespace

struct VmGeneration::Slot final : MachineService {
  explicit Slot(Machine&) {}
  VmGeneration* device{};  ///< the one there is
};

void VmGeneration::describe(Schema<VmGeneration>& s) {
  s.help("the machine's generation, by which a guest learns that it runs an older state");
  s.computed(
       "guid", "str", [](const VmGeneration& d) { return Value(d.text()); },
       [](VmGeneration& d, const Value& value) { return d.set_number(to_text(value)); })
      .help("the number, or auto for a new one with each start and load (default)");
  s.state("address", &VmGeneration::address_);
}

VmGeneration::VmGeneration() : number_(random_number()) {}

VmGeneration* VmGeneration::of(Machine& machine) { return machine.service<Slot>().device; }

std::string VmGeneration::text() const { return MachineUuid::text(number_); }

Result<> VmGeneration::set_number(std::string_view text) {
  automatic_ = text == "auto";
  if (automatic_) {
    number_ = random_number();
    return {};
  }
  const auto parsed = MachineUuid::parse(text);
  if (!parsed) return fail("'{}' is neither auto nor a UUID", text);
  number_ = *parsed;
  return {};
}

Result<> VmGeneration::realize() {
  slot_ = &machine().service<Slot>();
  if (slot_->device != nullptr) return fail("at most one vmgenid device is permitted");
  slot_->device = this;
  on_unrealize([this] { slot_->device = nullptr; });
  dma_.init(*this, machine().memory());
  machine().on_run_state(
      [this](RunState state) {
        if (state == RunState::Running) tell_guest();
      },
      this);
  fw_cfg_ = FwCfg::of(machine());
  if (fw_cfg_ == nullptr) return {};
  fw_cfg_->replace_file(kNumberFile, number_for_guest());
  // The file outlives a device that is unplugged.
  if (!fw_cfg_->has_file(kAddressFile))
    fw_cfg_->add_writable_file(std::string(kAddressFile), std::vector<u8>(kAddressBytes),
                               [slot = slot_](std::span<const u8> data) {
                                 if (slot->device != nullptr) slot->device->guest_writes(data);
                               });
  return {};
}

void VmGeneration::guest_writes(std::span<const u8> data) {
  address_ = 0;
  for (std::size_t i = std::min(data.size(), kAddressBytes); i-- > 0;)
    address_ = address_ << 8 | data[i];
}

void VmGeneration::reset(ResetKind) {
  address_ = 0;
  changed_ = false;
  show();
}

// What the guest's memory holds is another machine's number. It learns of this one when it goes on,
// by when its memory is there.
Result<> VmGeneration::post_load(unsigned) {
  if (automatic_) number_ = random_number();
  changed_ = true;
  show();
  return {};
}

void VmGeneration::show() {
  if (fw_cfg_ == nullptr) return;
  std::vector<u8> address(kAddressBytes);
  for (unsigned i = 0; i < kAddressBytes; ++i) address[i] = static_cast<u8>(address_ >> (8 * i));
  fw_cfg_->replace_file(kAddressFile, std::move(address));
  fw_cfg_->replace_file(kNumberFile, number_for_guest());
}

// In memory the first three of a UUID's parts are little-endian numbers.
std::vector<u8> VmGeneration::number_for_guest() const {
  std::vector<u8> file(kFileBytes);
  const auto at = file.begin() + kNumberAt;
  std::ranges::copy(number_, at);
  std::reverse(at, at + 4);
  std::reverse(at + 4, at + 6);
  std::reverse(at + 6, at + 8);
  return file;
}

void VmGeneration::tell_guest() {
  if (!std::exchange(changed_, false) || address_ == 0) return;
  const std::vector<u8> file = number_for_guest();
  if (dma_.write(address_, std::span(file).subspan(kNumberAt, number_.size())) != MemResult::Ok)
    return;
  if (const auto& events = machine().service<AcpiEvents>(); events.raise)
    events.raise(AcpiEvents::kGenerationChanged);
}

namespace {
const RegisterType<VmGeneration> registration;
}  // namespace

}  // namespace rhea::hw
