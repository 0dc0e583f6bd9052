// SPDX-License-Identifier: GPL-2.0-or-later
// Choosing the loader of a kernel, and handing the kernel to the firmware.
#include "hw/i386/kernel_boot.h"

#include "hw/i386/board.h"
#include "hw/i386/option_roms.h"
#include "rhea/hw/boot_order.h"
#include "rhea/softmmu/firmware.h"
#include "rhea/util/option.h"

namespace rhea::hw {
namespace {

// The items by which QEMU's firmwares and option ROMs find a piece.
void add_piece(FwCfg& fw_cfg, BootPiece& piece, u16 address_key, u16 size_key, u16 data_key) {
  fw_cfg.add_number(address_key, piece.address, 4);
  fw_cfg.add_number(size_key, piece.size, 4);
  fw_cfg.add_bytes(data_key, std::move(piece.data));
}

template <const char* Property>
Result<> set_board_property(Machine& machine, const std::string& text) {
  machine.service<BoardService>().properties.emplace_back(Property, text);
  return {};
}

constexpr char kKernel[] = "kernel", kInitrd[] = "initrd", kAppend[] = "append";

const RegisterOption options[] = {
    RegisterOption{{.name = kKernel,
                    .argument = "file",
                    .help = "boot this kernel: Linux bzImage, Multiboot, or ELF with a PVH entry",
                    .phase = StartPhase::Config,
                    .apply = &set_board_property<kKernel>}},
    RegisterOption{
        {.name = kInitrd,
         .argument = "file",
         .help = "its initial RAM disk; for Multiboot its modules: \"file arguments,...\"",
         .phase = StartPhase::Config,
         .apply = &set_board_property<kInitrd>}},
    RegisterOption{{.name = kAppend,
                    .argument = "cmdline",
                    .help = "its command line",
                    .phase = StartPhase::Config,
                    .apply = &set_board_property<kAppend>}},
};

}  // namespace

Result<BootPlan> plan_boot(const KernelRequest& request) {
  Result<BootPlan> plan = is_linux(request)       ? plan_linux(request)
                          : is_multiboot(request) ? plan_multiboot(request)
                          : is_pvh(request)       ? plan_pvh(request)
                                                  : fail(
                                                  "neither a Linux bzImage, nor Multiboot, nor "
                                                        "an ELF image with a PVH entry point");
  if (plan || plan.error().message().starts_with('-')) return plan;
  return std::unexpected(std::move(plan).error().within("-kernel " + request.name));
}

Result<> add_kernel(Machine& machine, FwCfg& fw_cfg, const KernelOptions& options, u64 low_ram) {
  using namespace fw_cfg_key;
  if (options.kernel.empty()) {
    if (!options.initrd.empty()) return fail("-initrd {}: needs -kernel", options.initrd);
    if (!options.append.empty()) return fail("-append {}: needs -kernel", options.append);
    return {};
  }
  auto kernel = read_file(options.kernel, low_ram);
  if (!kernel) return std::unexpected(std::move(kernel).error().within("-kernel"));
  BootPlan plan = TRY(plan_boot({.name = options.kernel,
                                 .kernel = std::move(*kernel),
                                 .initrd = options.initrd,
                                 .append = options.append,
                                 .low_ram = low_ram}));
  fw_cfg.add_number(kKernelEntry, plan.entry, 4);
  add_piece(fw_cfg, plan.kernel, kKernelAddr, kKernelSize, kKernelData);
  add_piece(fw_cfg, plan.initrd, kInitrdAddr, kInitrdSize, kInitrdData);
  add_piece(fw_cfg, plan.cmdline, kCmdlineAddr, kCmdlineSize, kCmdlineData);
  add_piece(fw_cfg, plan.setup, kSetupAddr, kSetupSize, kSetupData);
  if (!options.option_rom) return {};
  const std::string rom = fmt::format("{}.bin", plan.rom);
  TRY(add_option_rom(fw_cfg, rom, kernel_rom(plan.rom)));
  return machine.service<BootOrder>().join(&machine, 0, nullptr, "/rom@genroms/" + rom);
}

}  // namespace rhea::hw
