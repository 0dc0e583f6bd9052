// SPDX-License-Identifier: GPL-2.0-or-later
// Multiboot kernels (Multiboot Specification 0.6.96): ELF, or placed by their own header.
#include "hw/i386/boot_info.h"
#include "hw/i386/elf_image.h"
#include "rhea/softmmu/firmware.h"

#include <algorithm>
#include <optional>

namespace rhea::hw {
namespace {

constexpr u32 kMagic = 0x1badb002;
constexpr u32 kSearched = 8192;
constexpr u32 kHasAddresses = 1U << 16;
// Of what a kernel must refuse to start without (bits 0 to 15) we have pages and memory.
constexpr u32 kRequired = 0xffff, kPageAligned = 1, kMemoryMap = 2, kVideoMode = 4;

// The information's fields and flags.
enum Info : u8 {
  kFlags = 0,
  kBootDevice = 12,
  kCmdline = 16,
  kModuleCount = 20,
  kModules = 24,
  kMapAddress = 48,
  kLoaderName = 64,
};
constexpr u32 kInfoMemory = 1, kInfoBootDevice = 2, kInfoCmdline = 4, kInfoModules = 8,
              kInfoMap = 0x40, kInfoLoader = 0x200;

std::optional<u32> find_header(const ImageBytes& image) {
  for (u32 at = 0; at < kSearched && image.has(at, 12); at += 4) {
    const u32 sum = image.dword(at) + image.dword(at + 4) + image.dword(at + 8);
    if (image.dword(at) == kMagic && sum == 0) return at;
  }
  return std::nullopt;
}

// The list's elements; two commas are one that does not separate.
std::vector<std::string> split_modules(std::string_view list) {
  std::vector<std::string> modules(1);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] != ',') {
      modules.back() += list[i];
    } else if (i + 1 < list.size() && list[i + 1] == ',') {
      modules.back() += ',';
      ++i;
    } else {
      modules.emplace_back();
    }
  }
  return modules;
}

class MultibootLoader {
 public:
  MultibootLoader(const KernelRequest& request, u32 header)
      : request_(request),
        image_(request.kernel),
        header_(header),
        limit_(request.low_ram > kFirmwareReserve ? request.low_ram - kFirmwareReserve : 0) {}

  Result<BootPlan> plan() {
    const u32 flags = image_.dword(header_ + 4);
    if ((flags & kRequired & ~(kPageAligned | kMemoryMap | kVideoMode)) != 0)
      return fail("it needs Multiboot features that are unknown: flags {:#x}", flags);
    if ((flags & kHasAddresses) != 0) {
      TRY(load_by_header());
    } else {
      const ElfImage elf = TRY(ElfImage::parse(request_.kernel));
      plan_.kernel = TRY(elf.load(limit_));
      plan_.entry = static_cast<u32>(elf.entry());
    }
    if (plan_.entry < plan_.kernel.address ||
        plan_.entry - plan_.kernel.address >= plan_.kernel.size)
      return fail("its entry point {:#x} is outside of it", plan_.entry);
    info_.emplace(plan_.kernel);
    u32 given = kInfoMemory | kInfoBootDevice | kInfoCmdline | kInfoMap | kInfoLoader;
    if (!request_.initrd.empty()) {
      TRY(add_modules());
      given |= kInfoModules;
    }
    info_->set(kFlags, given, 4);
    info_->set(kBootDevice, 0x8000'ffff, 4);
    info_->set(kMapAddress, info_->map(), 4);
    info_->set(kLoaderName, info_->text("Rhea"), 4);
    info_->set(kCmdline,
               info_->text(request_.append.empty() ? request_.name
                                                   : request_.name + ' ' + request_.append),
               4);
    plan_.initrd = TRY(std::move(*info_).finish(plan_.kernel));
    plan_.rom = "multiboot";
    return std::move(plan_);
  }

 private:
  Result<> load_by_header() {
    const u64 header_address = image_.dword(header_ + 12), load = image_.dword(header_ + 16),
              load_end = image_.dword(header_ + 20), bss_end = image_.dword(header_ + 24);
    if (header_address < load || header_address - load > header_)
      return fail("its Multiboot header is at {:#x} of the file, which cannot be {:#x} in memory",
                  header_, header_address);
    const u64 offset = header_ - (header_address - load);
    const u64 left = image_.size() - offset;
    const u64 size = load_end == 0 ? left : load_end - load;
    if (load_end != 0 && (load_end < load || size > left))
      return fail("it is cut off: {} bytes of {} are there", left, size);
    const u64 end = std::max(load + size, bss_end);
    if (end > limit_) return fail("it does not fit into memory: it ends at {:#x}", end);
    const auto data = image_.part(offset, size);
    plan_.kernel = {.address = static_cast<u32>(load),
                    .size = static_cast<u32>(end - load),
                    .data = {data.begin(), data.end()}};
    plan_.entry = image_.dword(header_ + 28);
    return {};
  }

  // Modules lie behind the kernel, each on a page of its own, and come with it.
  Result<> add_modules() {
    struct Module {
      u64 start, end;
      u32 text;
    };
    std::vector<Module> modules;
    for (const std::string& words : split_modules(request_.initrd)) {
      const u64 start = (u64{plan_.kernel.address} + plan_.kernel.size + 4095) & ~u64{4095};
      auto data = read_file(words.substr(0, words.find(' ')), request_.low_ram);
      if (!data) return std::unexpected(std::move(data).error().within("-initrd"));
      const u64 end = start + data->size();
      if (end > limit_)
        return fail("-initrd {}: {} bytes do not fit into memory behind the kernel", words,
                    data->size());
      plan_.kernel.data.resize(start - plan_.kernel.address);
      plan_.kernel.data.insert(plan_.kernel.data.end(), data->begin(), data->end());
      plan_.kernel.size = static_cast<u32>(plan_.kernel.data.size());
      modules.push_back({.start = start, .end = end, .text = info_->text(words)});
    }
    info_->align();
    info_->set(kModuleCount, modules.size(), 4);
    info_->set(kModules, info_->here(), 4);
    for (const Module& m : modules)
      info_->align().dword(m.start).dword(m.end).dword(m.text).dword(0);
    return {};
  }

  const KernelRequest& request_;
  ImageBytes image_;
  u32 header_;
  u64 limit_;
  std::optional<BootInfo> info_;  ///< once the kernel's place is known
  BootPlan plan_;
};

}  // namespace

bool is_multiboot(const KernelRequest& request) {
  return find_header(ImageBytes(request.kernel)).has_value();
}

Result<BootPlan> plan_multiboot(const KernelRequest& request) {
  const auto header = find_header(ImageBytes(request.kernel));
  if (!header) return fail("no Multiboot header");
  return MultibootLoader(request, *header).plan();
}

}  // namespace rhea::hw
