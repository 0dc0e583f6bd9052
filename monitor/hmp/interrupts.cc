// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: the interrupt controllers.
#include "accel/accelerator.h"
#include "accel/cpu_device.h"
#include "monitor/hmp/command.h"
#include "rhea/softmmu/interrupt_status.h"
#include "target/x86/format_local_apic.h"

namespace rhea::hmp {
namespace {

void each_controller(Machine& machine,
                     const std::function<void(const Object&, InterruptStatus&)>& visit) {
  machine.visit([&](Object& object) {
    if (auto* status = dynamic_cast<InterruptStatus*>(&object)) visit(object, *status);
  });
}

Result<> pic(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  each_controller(context.machine, [&](const Object&, InterruptStatus& controller) {
    context.out += controller.interrupt_status();
  });
  return {};
}

Result<> irq(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  each_controller(context.machine, [&](const Object& object, const InterruptStatus& controller) {
    const auto counts = controller.interrupt_counts();
    if (!counts) return context.print("IRQ statistics not available for {}.\n", object.type().name);
    context.print("IRQ statistics for {}:\n", object.type().name);
    for (std::size_t line = 0; line < counts->size(); ++line)
      if ((*counts)[line] != 0) context.print("{:2}: {}\n", line, (*counts)[line]);
  });
  return {};
}

/// The CPU whose local APIC has this number.
std::optional<unsigned> cpu_of_apic(Machine& machine, u64 apic_id) {
  const auto& accel = machine.service<accel::AccelService>();
  for (unsigned cpu = 0; cpu < accel.vcpu_count(); ++cpu)
    if (accel.cpu_device(cpu).get("apic-id") == Value(apic_id)) return cpu;
  return std::nullopt;
}

Result<> lapic(Context& context, Arguments& arguments) {
  const auto apic_id = TRY(arguments.optional_number());
  TRY(arguments.end());
  const auto& accel = context.machine.service<accel::AccelService>();
  const auto cpu = apic_id ? cpu_of_apic(context.machine, *apic_id) : context.view.cpu;
  if (!cpu || *cpu >= accel.vcpu_count()) {
    context.print("No CPU available\n");
    return {};
  }
  const auto state = TRY(accel.cpu_state(*cpu));
  const std::string text = x86::format_local_apic(state, *cpu);
  context.out += text.empty() ? "CPU has no local APIC\n" : text;
  return {};
}

const RegisterInfo infos[] = {
    RegisterInfo({"pic", "", "show PIC state", &pic}),
    RegisterInfo({"irq", "", "show the interrupts statistics (if available)", &irq}),
    RegisterInfo({"lapic", "[apic-id]",
                  "show local apic state (apic-id: local apic to read, default is which of current "
                  "CPU)",
                  &lapic}),
};

}  // namespace
}  // namespace rhea::hmp
