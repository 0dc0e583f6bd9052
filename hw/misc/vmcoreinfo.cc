// SPDX-License-Identifier: GPL-2.0-or-later
// Where a guest's kernel keeps what tools need to read a dump of its memory.
#include "hw/misc/vmcoreinfo.h"

#include "rhea/hw/fw_cfg.h"
#include "rhea/softmmu/machine.h"

#include <algorithm>
#include <cstring>

namespace rhea::hw {
namespace {

constexpr std::string_view kFile = "etc/vmcoreinfo";
constexpr u16 kNoFormat = 0, kElfNote = 1;

template <class T>
T little_endian(std::span<const u8> bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

void Vmcoreinfo::describe(Schema<Vmcoreinfo>& s) {
  s.help("where the guest's kernel keeps notes for dumps of its memory");
  s.state("contents", &Vmcoreinfo::contents_);
}

struct Vmcoreinfo::Slot final : MachineService {
  explicit Slot(Machine&) {}
  Vmcoreinfo* device{};  ///< the one there is
};

Vmcoreinfo* Vmcoreinfo::of(Machine& machine) { return machine.service<Slot>().device; }

Result<> Vmcoreinfo::realize() {
  slot_ = &machine().service<Slot>();
  if (slot_->device != nullptr) return fail("at most one vmcoreinfo device is permitted");
  slot_->device = this;
  on_unrealize([this] { slot_->device = nullptr; });
  fw_cfg_ = FwCfg::of(machine());
  // The file outlives a device that is unplugged.
  if (fw_cfg_ != nullptr && !fw_cfg_->has_file(kFile))
    fw_cfg_->add_writable_file(std::string(kFile), empty(),
                               [slot = slot_](std::span<const u8> data) {
                                 if (slot->device != nullptr) slot->device->guest_writes(data);
                               });
  return {};
}

void Vmcoreinfo::guest_writes(std::span<const u8> data) {
  std::copy_n(data.begin(), std::min(data.size(), kSize), contents_.begin());
}

std::vector<u8> Vmcoreinfo::empty() {
  std::vector<u8> contents(kSize);
  contents[2] = kElfNote;  // what the host can make use of
  return contents;
}

void Vmcoreinfo::reset(ResetKind) {
  std::ranges::copy(empty(), contents_.begin());
  show();
}

Result<> Vmcoreinfo::post_load(unsigned) {
  show();
  return {};
}

void Vmcoreinfo::show() {
  if (fw_cfg_ != nullptr) fw_cfg_->replace_file(kFile, {contents_.begin(), contents_.end()});
}

std::optional<Vmcoreinfo::Note> Vmcoreinfo::note() const {
  const auto format = little_endian<u16>(contents_, 0);
  if (format == kNoFormat) return std::nullopt;
  return Note{.format = format,
              .size = little_endian<u32>(contents_, 4),
              .address = little_endian<u64>(contents_, 8)};
}

namespace {
const RegisterType<Vmcoreinfo> registration;
}  // namespace

}  // namespace rhea::hw
