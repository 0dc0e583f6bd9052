// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: looking at memory, saving it, calculating.
#include "accel/accelerator.h"
#include "monitor/guest_memory.h"
#include "monitor/hmp/command.h"
#include "monitor/hmp/memory_dump.h"
#include "monitor/long_work.h"

#include <mutex>

namespace rhea::hmp {
namespace {

using qmp::Json;

// More would keep the machine from running for long.
constexpr u64 kMaxBytes = 4 * MiB;
constexpr u64 kMaxInstructions = 64 * KiB;
constexpr u64 kLongestInstruction = 15;

enum class Space : u8 { Virtual, Physical };

std::vector<u8> read(Context& context, Space space, u64 address, u64 size) {
  std::vector<u8> data(size);
  const std::size_t got =
      space == Space::Virtual
          ? monitor::read_virtual(context.machine, context.view.cpu, address, data)
          : monitor::read_physical(context.machine, address, data);
  data.resize(got);
  return data;
}

Result<> disassemble(Context& context, Space space, u64 address, unsigned count) {
  auto& accel = context.machine.service<accel::AccelService>();
  unsigned bits = 16;
  if (context.view.cpu < accel.vcpu_count())
    bits = x86::code_bits(TRY(accel.cpu_state(context.view.cpu)));
  const u64 wanted = std::min<u64>(count, kMaxInstructions) * kLongestInstruction;
  const std::vector<u8> code = read(context, space, address, wanted);
  context.out += x86::disassemble(code, GuestVirt(address), bits, count);
  if (code.empty()) context.print("{:#010x}: unable to read memory\n", address);
  return {};
}

template <Space kSpace>
Result<> examine(Context& context, Arguments& arguments) {
  const MemoryFormat format = TRY(arguments.format(context.view.format));
  const u64 address = TRY(arguments.number());
  TRY(arguments.end());
  context.view.format.letter = format.letter;
  if (format.letter == 'i') return disassemble(context, kSpace, address, format.count);
  context.view.format.size = format.size;
  const u64 size = u64{format.count} * static_cast<unsigned>(format.size);
  if (size > kMaxBytes) return fail("at most {} bytes at once, not {}", kMaxBytes, size);
  const std::vector<u8> data = read(context, kSpace, address, size);
  context.out += dump_memory(data, address, format);
  if (data.size() < size) context.out += "Cannot access memory\n";
  return {};
}

Result<> print(Context& context, Arguments& arguments) {
  MemoryFormat defaults = context.view.format;
  const MemoryFormat format = TRY(arguments.format(defaults));
  const u64 value = TRY(arguments.number());
  TRY(arguments.end());
  context.view.format.letter = format.letter;
  context.print("{}\n", format_number(value, format.letter));
  return {};
}

Result<Json> sum_of(Machine& machine, u64 start, u64 size, const std::stop_token& stop) {
  u16 total = 0;
  std::vector<u8> piece(64 * KiB);
  for (u64 done = 0; done < size;) {
    if (stop.stop_requested()) return monitor::stopped();
    const auto part = std::span(piece).first(std::min<u64>(piece.size(), size - done));
    {
      const std::lock_guard guard(machine.lock());
      monitor::read_physical(machine, start + done, part);
    }
    for (const u8 byte : part) total = static_cast<u16>((total >> 1 | total << 15) + byte);
    done += part.size();
  }
  return Json(fmt::format("{:05}\n", total));
}

// The 16-bit checksum of BSD's sum.
Result<> sum(Context& context, Arguments& arguments) {
  const u64 start = TRY(arguments.number());
  const u64 size = TRY(arguments.number());
  TRY(arguments.end());
  if (size > context.machine.config.ram_size + 4 * GiB)
    return fail("size {} is larger than memory", size);
  context.later = TRY(context.machine.service<monitor::LongWork>().start(
      "", [&machine = context.machine, start, size](const std::stop_token& stop) {
        return sum_of(machine, start, size, stop);
      }));
  return {};
}

template <Space kSpace>
Result<> save(Context& context, Arguments& arguments) {
  Json request;
  request["val"] = TRY(arguments.number());
  request["size"] = TRY(arguments.number());
  request["filename"] = TRY(arguments.text());
  TRY(arguments.end());
  if (kSpace == Space::Virtual) request["cpu-index"] = context.view.cpu;
  TRY(context.call(kSpace == Space::Virtual ? "memsave" : "pmemsave", request));
  return {};
}

Result<> gva2gpa(Context& context, Arguments& arguments) {
  const u64 address = TRY(arguments.number());
  TRY(arguments.end());
  auto& accel = context.machine.service<accel::AccelService>();
  const unsigned cpu = context.view.cpu;
  if (cpu >= accel.vcpu_count()) return fail("No cpu");
  std::optional<GuestPhys> physical;
  context.machine.vcpus()[cpu]->run_on(
      [&] { physical = accel.vcpu(cpu).translate(GuestVirt(address)); });
  if (physical)
    context.print("gpa: {:#x}\n", physical->value);
  else
    context.print("Unmapped\n");
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand(
        {"x", "/fmt addr", "virtual memory dump starting at 'addr'", &examine<Space::Virtual>}),
    RegisterHmpCommand(
        {"xp", "/fmt addr", "physical memory dump starting at 'addr'", &examine<Space::Physical>}),
    RegisterHmpCommand({"print|p", "/fmt expr",
                        "print expression value (use $reg for CPU register access)", &print}),
    RegisterHmpCommand({"sum", "addr size", "compute the checksum of a memory region", &sum}),
    RegisterHmpCommand({"memsave", "addr size file",
                        "save to disk virtual memory dump starting at 'addr' of size 'size'",
                        &save<Space::Virtual>}),
    RegisterHmpCommand({"pmemsave", "addr size file",
                        "save to disk physical memory dump starting at 'addr' of size 'size'",
                        &save<Space::Physical>}),
    RegisterHmpCommand({"gva2gpa", "addr",
                        "print the guest physical address corresponding to a guest virtual address",
                        &gva2gpa}),
};

}  // namespace
}  // namespace rhea::hmp
