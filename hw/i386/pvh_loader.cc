// SPDX-License-Identifier: GPL-2.0-or-later
// ELF kernels with Xen's PVH entry point (Xen's docs/misc/pvh and
// public/arch-x86/hvm/start_info.h).
#include "hw/i386/boot_info.h"
#include "hw/i386/elf_image.h"
#include "rhea/softmmu/firmware.h"

namespace rhea::hw {
namespace {

constexpr u32 kStartMagic = 0x336e'c578, kStartVersion = 1;
enum Start : u8 {
  kMagic = 0,
  kVersion = 4,
  kModuleCount = 12,
  kModuleList = 16,
  kCmdline = 24,
  kMemoryMap = 40,
};

}  // namespace

bool is_pvh(const KernelRequest& request) {
  const auto elf = ElfImage::parse(request.kernel);
  return elf && elf->pvh_entry();
}

Result<BootPlan> plan_pvh(const KernelRequest& request) {
  const ElfImage elf = TRY(ElfImage::parse(request.kernel));
  const auto entry = elf.pvh_entry();
  if (!entry) return fail("no PVH entry point");
  const u64 limit = request.low_ram > kFirmwareReserve ? request.low_ram - kFirmwareReserve : 0;
  BootPlan plan{.rom = "pvh"};
  plan.kernel = TRY(elf.load(limit));
  if (*entry < plan.kernel.address || *entry - plan.kernel.address >= plan.kernel.size)
    return fail("its entry point {:#x} is outside of it", *entry);
  plan.entry = static_cast<u32>(*entry);
  BootInfo info(plan.kernel);
  info.set(kMagic, kStartMagic, 4);
  info.set(kVersion, kStartVersion, 4);
  info.set(kMemoryMap, info.map(), 8);
  info.set(kCmdline, info.text(request.append), 8);
  if (!request.initrd.empty()) {
    auto initrd = read_file(request.initrd, request.low_ram);
    if (!initrd) return std::unexpected(std::move(initrd).error().within("-initrd"));
    const u64 start = (u64{plan.kernel.address} + plan.kernel.size + 4095) & ~u64{4095};
    if (start + initrd->size() > limit)
      return fail("-initrd {}: {} bytes do not fit into memory behind the kernel", request.initrd,
                  initrd->size());
    info.align();
    info.set(kModuleCount, 1, 4);
    info.set(kModuleList, info.here(), 8);
    info.align().qword(start).qword(initrd->size()).qword(0).qword(0);
    plan.kernel.data.resize(start - plan.kernel.address);
    plan.kernel.data.insert(plan.kernel.data.end(), initrd->begin(), initrd->end());
    plan.kernel.size = static_cast<u32>(plan.kernel.data.size());
  }
  plan.initrd = TRY(std::move(info).finish(plan.kernel));
  return plan;
}

}  // namespace rhea::hw
