// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: info about the program and the machine as a whole.
#include "accel/accelerator.h"
#include "monitor/hmp/command.h"
#include "rhea/softmmu/a20.h"

namespace rhea::hmp {
namespace {

using qmp::Json;

Result<> version(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json answer = TRY(context.call("query-version"));
  const Json& number = answer["qemu"];
  context.print("{}.{}.{} ({})\n", number["major"].get<int>(), number["minor"].get<int>(),
                number["micro"].get<int>(), answer["package"].get<std::string>());
  return {};
}

Result<> status(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const RunState state = context.machine.run_state();
  context.print("VM status: {}", state == RunState::Running ? "running" : "paused");
  if (state != RunState::Running && state != RunState::Paused)
    context.print(" ({})", enum_name(state));
  context.print("\n");
  return {};
}

Result<> name(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  if (!context.machine.config.name.empty()) context.print("{}\n", context.machine.config.name);
  return {};
}

Result<> uuid(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json answer = TRY(context.call("query-uuid"));
  context.print("{}\n", answer["UUID"].get<std::string>());
  return {};
}

Result<> kvm(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json answer = TRY(context.call("query-kvm"));
  const bool present = answer["present"].get<bool>();
  const bool enabled = answer["enabled"].get<bool>();
  context.print("kvm support: {}\n", !present ? "not compiled" : enabled ? "enabled" : "disabled");
  if (!enabled) return {};
  const std::string details = context.machine.service<accel::AccelService>().vm().describe();
  context.out += details;
  if (!details.empty() && !details.ends_with('\n')) context.out += '\n';
  return {};
}

Result<> cpus(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  for (const auto& vcpu : context.machine.vcpus())
    context.print("{} CPU #{}: thread_id={}\n", vcpu->index() == context.view.cpu ? '*' : ' ',
                  vcpu->index(), vcpu->thread_id());
  return {};
}

Result<> choose_cpu(Context& context, Arguments& arguments) {
  const u64 index = TRY(arguments.number());
  TRY(arguments.end());
  if (index >= context.machine.vcpus().size()) {
    context.print("invalid CPU index\n");
    return {};
  }
  context.view.cpu = static_cast<unsigned>(index);
  return {};
}

Result<> show_registers(Context& context, unsigned cpu) {
  const auto state = TRY(context.machine.service<accel::AccelService>().cpu_state(cpu));
  std::string text = x86::format_registers(state, cpu);
  // The gate is the board's, and the boot processor's alone.
  if (const std::size_t at = text.find("A20=1");
      at != std::string::npos && cpu == 0 && !context.machine.service<A20Gate>().open())
    text[at + 4] = '0';
  context.print("\n{}", text);
  return {};
}

Result<> registers(Context& context, Arguments& arguments) {
  const bool all = arguments.flag('a');
  const u64 chosen = TRY(arguments.optional_number()).value_or(context.view.cpu);
  TRY(arguments.end());
  const std::size_t count = context.machine.service<accel::AccelService>().vcpu_count();
  if (all) {
    for (unsigned cpu = 0; cpu < count; ++cpu) TRY(show_registers(context, cpu));
    return {};
  }
  if (chosen < count) return show_registers(context, static_cast<unsigned>(chosen));
  context.print("CPU#{} not available\n", chosen);
  return {};
}

Result<> mtree(Context& context, Arguments& arguments) {
  const bool flat = arguments.flag('f');
  TRY(arguments.end());
  context.out += flat ? context.machine.map().flat_text() : context.machine.map().tree_text();
  return {};
}

Result<> chardevs(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  for (const Json& entry : TRY(context.call("query-chardev")))
    context.print("{}: filename={}\n", entry["label"].get<std::string>(),
                  entry["filename"].get<std::string>());
  return {};
}

Result<> history(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  for (std::size_t i = 0; i < context.view.history.size(); ++i)
    context.print("{}: '{}'\n", i, context.view.history[i]);
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"cpu", "index", "set the default CPU", &choose_cpu}),
};
const RegisterInfo infos[] = {
    RegisterInfo({"version", "", "show the version", &version}),
    RegisterInfo({"status", "", "show the current VM status (running|paused)", &status}),
    RegisterInfo({"name", "", "show the current VM name", &name}),
    RegisterInfo({"uuid", "", "show the current VM UUID", &uuid}),
    RegisterInfo({"kvm", "", "show KVM information", &kvm}),
    RegisterInfo({"cpus", "", "show infos for each CPU", &cpus}),
    RegisterInfo(
        {"registers", "[-a|vcpu]",
         "show the cpu registers (-a: of all cpus; vcpu: of this one; else of the current CPU)",
         &registers}),
    RegisterInfo(
        {"mtree", "[-f]", "show memory tree (-f: dump flat view for address spaces)", &mtree}),
    RegisterInfo({"chardev", "", "show the character devices", &chardevs}),
    RegisterInfo({"history", "", "show the command line history", &history}),
};

}  // namespace
}  // namespace rhea::hmp
