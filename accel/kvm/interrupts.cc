// SPDX-License-Identifier: GPL-2.0-or-later
// Creating the kernel's interrupt controllers and driving them.
#include "accel/kvm/interrupts.h"

#include "accel/apic/apic_bus.h"
#include "accel/kvm/trace_events.h"
#include "accel/kvm/vm.h"

namespace rhea::kvm {

Interrupts::Interrupts(Vm& vm, Irqchip irqchip)
    : vm_(&vm),
      irqchip_(irqchip),
      routing_(vm, kIoApicPins),
      routes_(vm, *this),
      line_status_(vm.extension(KVM_CAP_IRQ_INJECT_STATUS) != 0) {}

Result<> Interrupts::set_up() {
  switch (irqchip_) {
    case Irqchip::Kernel: return create_kernel_chips();
    case Irqchip::Split:
      if (vm_->extension(KVM_CAP_SPLIT_IRQCHIP) == 0)
        return fail("kernel-irqchip=split: this host's KVM cannot split its interrupt controllers");
      return vm_->enable_capability(KVM_CAP_SPLIT_IRQCHIP, kIoApicPins);
    case Irqchip::None: break;
  }
  return {};
}

Result<> Interrupts::create_kernel_chips() {
  TRY(try_call("KVM_CREATE_IRQCHIP", vm_->fd(), KVM_CREATE_IRQCHIP));
  if (vm_->extension(KVM_CAP_IRQ_ROUTING) == 0) return {};
  // A PC's wiring: the timer (GSI 0) goes to the first pin of the 8259s and to pin 2 of the I/O
  // APIC, the other ISA interrupts to the same pin of both, the rest to the I/O APIC alone.
  for (u32 gsi = 0; gsi < 16; ++gsi) {
    if (gsi != 2)
      routing_.add_pin(gsi, gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, gsi % 8);
    if (gsi != 2) routing_.add_pin(gsi, KVM_IRQCHIP_IOAPIC, gsi == 0 ? 2 : gsi);
  }
  for (u32 gsi = 16; gsi < kIoApicPins; ++gsi) routing_.add_pin(gsi, KVM_IRQCHIP_IOAPIC, gsi);
  return routing_.commit();
}

void Interrupts::connect(InterruptHub& hub) {
  if (irqchip_ == Irqchip::None) {
    hub.intr_changed = [this](bool level) { vm_->set_pic_line(level); };
    hub.send_msi = [this](const MsiMessage& message) {
      vm_->machine().service<apic::ApicBus>().send(message);
    };
    return;
  }
  hub.send_msi = [this](const MsiMessage& message) { send_message(message); };
  if (vm_->extension(KVM_CAP_IRQFD) != 0 && vm_->extension(KVM_CAP_IRQ_ROUTING) != 0)
    hub.routes = &routes_;
  if (irqchip_ == Irqchip::Kernel) return;
  hub.intr_changed = [this](bool level) { vm_->set_pic_line(level); };
  hub.route_changed = [this](unsigned pin, const MsiMessage& message, bool masked, bool) {
    route_changed(pin, message, masked);
  };
}

// The kernel forwards an end of interrupt when its vector is that of a level-triggered route. The
// route of a pin that is masked now stays: its interrupt may still be in service.
void Interrupts::route_changed(unsigned pin, const MsiMessage& message, bool masked) {
  if (pin >= kIoApicPins || masked || !routing_.set_message(pin, message)) return;
  if (auto result = routing_.commit(); !result) vm_->warn_once("routing", result.error().message());
}

int Interrupts::set_line(u32 gsi, bool level) {
  kvm_irq_level line{};
  line.irq = gsi;
  line.level = level ? 1 : 0;
  const int result = call(vm_->fd(), line_status_ ? KVM_IRQ_LINE_STATUS : KVM_IRQ_LINE, &line);
  kvm_irq_line_call(gsi, level, result);
  if (result < 0) return result;
  return line_status_ ? static_cast<int>(line.status) : 1;
}

bool Interrupts::send_message(const MsiMessage& message) {
  kvm_msi msi{};
  msi.address_lo = static_cast<u32>(message.address);
  msi.address_hi = static_cast<u32>(message.address >> 32);
  msi.data = message.data;
  const int result = call(vm_->fd(), KVM_SIGNAL_MSI, &msi);
  kvm_signal_msi(message.address, message.data, result);
  return result > 0;
}

Result<> Interrupts::add_irqfd(int fd, u32 gsi, int resample_fd) {
  kvm_irqfd request{};
  request.fd = static_cast<u32>(fd);
  request.gsi = gsi;
  if (resample_fd >= 0) {
    if (vm_->extension(KVM_CAP_IRQFD_RESAMPLE) == 0)
      return fail("this host's KVM has no resampling interrupt eventfds");
    request.flags = KVM_IRQFD_FLAG_RESAMPLE;
    request.resamplefd = static_cast<u32>(resample_fd);
  }
  TRY(try_call("KVM_IRQFD", vm_->fd(), KVM_IRQFD, &request));
  return {};
}

Result<> Interrupts::remove_irqfd(int fd, u32 gsi) {
  kvm_irqfd request{};
  request.fd = static_cast<u32>(fd);
  request.gsi = gsi;
  request.flags = KVM_IRQFD_FLAG_DEASSIGN;
  TRY(try_call("KVM_IRQFD", vm_->fd(), KVM_IRQFD, &request));
  return {};
}

}  // namespace rhea::kvm
