// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupts of PCI devices: INTx and MSI (PCI Local Bus Specification 3.0, 6.7
// and 6.8).
#include "hw/pci/trace_events.h"
#include "rhea/hw/pci.h"
#include "softmmu/device_faults.h"

#include <algorithm>
#include <bit>

namespace rhea {
namespace {

constexpr u8 kCapabilityMsi = 5;
// Layout of the 64-bit capability.
constexpr unsigned kMsiControl = 2, kMsiAddressLow = 4, kMsiAddressHigh = 8, kMsiData = 12,
                   kMsiSize = 14;
constexpr std::size_t kMostLate = 64;
constexpr u16 kMsiEnable = 1, kMsiGranted = 0x70, kMsi64Bit = 0x80;

}  // namespace

void PciDevice::set_interrupt_pin(u8 pin) {
  RHEA_ASSERT(pin <= 4);
  config_set8(pci::kInterruptPin, pin);
}

void PciDevice::Elsewhere::forget() {
  intx = -1;
  for (auto& word : messages) word = 0;
}

// Under the machine's lock.
void PciDevice::tell_from_elsewhere() {
  if (!base_realized_) return;
  if (const int level = elsewhere_.intx.exchange(-1); level >= 0) set_intx(level != 0);
  for (unsigned word = 0; word < elsewhere_.messages.size(); ++word)
    for (u64 bits = elsewhere_.messages[word].exchange(0); bits != 0; bits &= bits - 1)
      notify_msi(word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
}

void PciDevice::set_intx(bool level) {
  // A port that ends behind it may still have something to tell.
  if (!base_realized_) return;
  if (LockDomain::in_device_alone()) {
    elsewhere_.intx = level ? 1 : 0;
    return elsewhere_.posted.post();
  }
  // What is on its way from there is older.
  elsewhere_.intx = -1;
  intx_level_ = level;
  update_intx();
}

void PciDevice::update_intx() {
  // Not that of a state which is being loaded, and may be refused.
  const u8 pin = reset_value_[pci::kInterruptPin];
  u8 status = config8(pci::kStatus) & static_cast<u8>(~pci::kStatusInterrupt);
  if (intx_level_) status |= pci::kStatusInterrupt;
  config_put8(pci::kStatus, status);
  const bool enabled = (config16(pci::kCommand) & pci::kCommandIntxDisable) == 0 &&
                       !msi_enabled() && !msix_enabled() && powered();
  DeviceFaults* faults = FaultTable::find(this);
  const bool removed = faults != nullptr && faults->removed();
  const bool asserted = pin != 0 && intx_level_ && enabled && !removed;
  if (asserted == intx_asserted_) return;
  if (asserted && faults != nullptr && faults->keeps_back()) return;
  intx_asserted_ = asserted;
  pci_bus().set_intx(*this, pin - 1U, asserted);
}

void PciDevice::add_msi(unsigned vectors) {
  RHEA_ASSERT(msi_cap_ == 0 && std::has_single_bit(vectors) && vectors <= 32);
  msi_cap_ = add_capability(kCapabilityMsi, kMsiSize);
  msi_vectors_log2_ = static_cast<u8>(std::countr_zero(vectors));
  const auto control = static_cast<u16>(kMsi64Bit | msi_vectors_log2_ << 1);
  config_set16(msi_cap_ + kMsiControl, control, kMsiEnable | kMsiGranted);
  config_set32(msi_cap_ + kMsiAddressLow, 0, ~u32{3});
  config_set32(msi_cap_ + kMsiAddressHigh, 0, ~u32{0});
  config_set16(msi_cap_ + kMsiData, 0, 0xffff);
}

bool PciDevice::msi_enabled() const {
  return msi_cap_ != 0 && (config16(msi_cap_ + kMsiControl) & kMsiEnable) != 0;
}

bool PciDevice::notify_msi(unsigned vector) {
  if (LockDomain::in_device_alone()) {
    RHEA_ASSERT(vector < kMostVectors);
    if (!elsewhere_.messages_on) return false;
    elsewhere_.messages[vector / 64] |= u64{1} << vector % 64;
    elsewhere_.posted.post();
    return true;
  }
  if (msix_enabled()) {
    notify_msix(vector);
    return true;
  }
  if (!msi_enabled()) return false;
  const unsigned granted = (config16(msi_cap_ + kMsiControl) & kMsiGranted) >> 4;
  const u32 low_bits = (1U << std::min<unsigned>(granted, msi_vectors_log2_)) - 1;
  send_message({.address = static_cast<u64>(config32(msi_cap_ + kMsiAddressHigh)) << 32 |
                           config32(msi_cap_ + kMsiAddressLow),
                .data = (config16(msi_cap_ + kMsiData) & ~low_bits) | (vector & low_bits)});
  return true;
}

// A message is a memory write: without bus mastering it does not get onto the bus.
void PciDevice::send_message(const MsiMessage& message) {
  if (!dma_.enabled()) return;
  if (DeviceFaults* faults = FaultTable::find(this); faults != nullptr && faults->keeps_back()) {
    if (faults->late.armed() && faults->late_messages.size() < kMostLate)
      faults->late_messages.push_back(message);
    return;
  }
  hw::pci_msi(*this, devfn_, message.address, message.data);
  if (machine().interrupts.send_msi) machine().interrupts.send_msi(message);
}

}  // namespace rhea
