// SPDX-License-Identifier: GPL-2.0-or-later
// Register decoding of an IDE channel.
#include "hw/ide/ide_bus.h"

#include "hw/ide/ide_device.h"
#include "hw/ide/trace_events.h"
#include "rhea/util/log.h"

namespace rhea::hw {
namespace {

constexpr u8 kControlNoInterrupt = 0x02, kControlSoftReset = 0x04, kControlHighOrder = 0x80;

}  // namespace

void IdeBus::describe(Schema<IdeBus>& s) {
  s.state("select", &IdeBus::select_).range(0, kUnits - 1);
  s.state("control", &IdeBus::control_);
}

Result<> IdeBus::assign_slot(Device& device) {
  auto& drive = static_cast<IdeDevice&>(device);
  i32 unit = drive.wanted_unit();
  if (unit < 0) unit = units_[0] == nullptr ? 0 : 1;
  if (unit >= static_cast<i32>(kUnits))
    return fail("Can't create IDE unit {}, bus supports only {} units", unit, kUnits);
  auto& slot = units_[static_cast<unsigned>(unit)];
  if (slot != nullptr) return fail("IDE unit {} is in use", unit);
  slot = &drive;
  drive.set_unit(static_cast<unsigned>(unit));
  return {};
}

void IdeBus::release_slot(Device& device) {
  for (IdeDevice*& slot : units_)
    if (slot == &device) slot = nullptr;
  update_irq();
}

// Only the data register is wider than a byte.
u64 IdeBus::read_command(u64 offset, unsigned size) {
  if (offset == 0) return read_data(size);
  u64 value = 0;
  for (unsigned i = 0; i < size; ++i)
    value |= u64{read_register(static_cast<unsigned>(offset + i) & 7)} << (8 * i);
  return value;
}

void IdeBus::write_command(u64 offset, u64 value, unsigned size) {
  if (offset == 0) return write_data(static_cast<u32>(value), size);
  for (unsigned i = 0; i < size; ++i)
    write_register(static_cast<unsigned>(offset + i) & 7, static_cast<u8>(value >> (8 * i)));
}

u8 IdeBus::read_register(unsigned n) {
  IdeDevice* device = selected();
  u8 value = 0;
  if (device != nullptr && n != 0)
    value = device->read_register(n, (control_ & kControlHighOrder) != 0);
  ide_reg_read(device, name(), n, value);
  // Reading the status, unlike the alternate one, answers the interrupt.
  if (n == 7 && device != nullptr) device->set_interrupt(false);
  return value;
}

void IdeBus::write_register(unsigned n, u8 value) {
  ide_reg_write(selected(), name(), n, value);
  control_ &= static_cast<u8>(~kControlHighOrder);
  if (n == 7) return execute(value);
  if (const IdeDevice* device = selected(); device != nullptr && device->busy()) return;
  if (n == 6) select_ = value >> 4 & 1;
  for (IdeDevice* device : units_)
    if (device != nullptr) device->write_register(n, value);
  if (n == 6) update_irq();
}

void IdeBus::execute(u8 command) {
  if ((control_ & kControlSoftReset) != 0) return;
  if (command == kAtaExecuteDiagnostic) {
    // Both devices obey, and device 0 answers for both.
    if (const IdeDevice* device = selected(); device != nullptr && device->busy()) return;
    for (IdeDevice* device : units_)
      if (device != nullptr) device->diagnose();
    select_ = 0;
    if (units_[0] != nullptr) units_[0]->set_interrupt(true);
    return update_irq();
  }
  if (IdeDevice* device = selected()) device->execute(command);
}

u32 IdeBus::read_data(unsigned size) {
  IdeDevice* device = selected();
  return device != nullptr ? device->read_data(size) : 0;
}

void IdeBus::write_data(u32 value, unsigned size) {
  if (IdeDevice* device = selected()) device->write_data(value, size);
}

u8 IdeBus::alternate_status() const { return selected() != nullptr ? selected()->status() : 0; }

void IdeBus::write_control(u8 value) {
  ide_control_write(*this, name(), value);
  const u8 changed = control_ ^ value;
  control_ = value;
  if ((changed & kControlSoftReset) != 0) {
    for (IdeDevice* device : units_) {
      if (device == nullptr) continue;
      if ((value & kControlSoftReset) != 0)
        device->enter_soft_reset();
      else
        device->leave_soft_reset();
    }
    select_ = 0;
  }
  update_irq();
}

void IdeBus::update_irq() {
  if (irq_ == nullptr) return;
  const bool level =
      selected() != nullptr && selected()->interrupt() && (control_ & kControlNoInterrupt) == 0;
  if (level && !irq_->level() && dma_ != nullptr) dma_->interrupt();
  irq_->set(level);
}

void IdeBus::dma_started() {
  for (IdeDevice* device : units_)
    if (device != nullptr) device->dma_ready();
}

void IdeBus::reset_registers() {
  select_ = 0;
  control_ = 0;
  // A drive that is reset after this still has its interrupt: it goes nowhere any more.
  if (irq_ != nullptr) irq_->lower();
}

// The bus master's own interrupt bit comes with its state.
Result<> IdeBus::post_load(unsigned) {
  if (irq_ != nullptr)
    irq_->set(selected() != nullptr && selected()->interrupt() &&
              (control_ & kControlNoInterrupt) == 0);
  return {};
}

namespace {
const RegisterType<IdeBus, Bus> registration;
}  // namespace

}  // namespace rhea::hw
