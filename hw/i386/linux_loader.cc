// SPDX-License-Identifier: GPL-2.0-or-later
// Linux images by the Linux/x86 boot protocol (the kernel's Documentation/x86/boot.rst).
#include "hw/i386/boot_plan.h"
#include "hw/i386/image_bytes.h"
#include "hw/i386/table_writer.h"
#include "rhea/softmmu/firmware.h"

#include <algorithm>
#include <charconv>

namespace rhea::hw {
namespace {

/// The fields of the setup header.
enum Field : u16 {
  kSetupSectors = 0x1f1,
  kVideoMode = 0x1fa,
  kBootFlag = 0x1fe,
  kMagic = 0x202,
  kVersion = 0x206,
  kTypeOfLoader = 0x210,
  kLoadFlags = 0x211,
  kRamdiskImage = 0x218,
  kRamdiskSize = 0x21c,
  kHeapEnd = 0x224,
  kCmdlinePointer = 0x228,
  kInitrdMax = 0x22c,
  kXloadFlags = 0x236,
  kCmdlineSize = 0x238,
  kPreferredAddress = 0x258,
  kInitSize = 0x260,
  // Before protocol 2.02 the command line is told of in the boot sector.
  kOldCmdlineMagic = 0x20,
  kOldCmdlineOffset = 0x22,
};
constexpr u32 kHdrS = 0x53726448;
constexpr u8 kLoadedHigh = 0x01, kCanUseHeap = 0x80;
constexpr u16 kAbove4G = 0x0002;
constexpr u16 kOldCmdline = 0xa33f;
constexpr u8 kLoader = 0xb0;  // the identifier of loaders that work by QEMU's fw_cfg items

constexpr u32 kSector = 512;
constexpr u32 kRealModeHigh = 0x10000, kCmdlineHigh = 0x20000;
constexpr u32 kRealModeLow = 0x90000, kCmdlineEndLow = 0x9a000;
constexpr u32 kKernelHigh = 0x100000, kKernelLow = 0x10000;
constexpr u32 kHeapAndStack = 0x2000, kSegment = 0x10000;
// Of a low kernel's setup code, heap and stack; the rest is the command line's.
constexpr u32 kLowRoom = kCmdlineEndLow - kRealModeLow - 0x800;

/// One kernel on its way into memory.
class LinuxLoader {
 public:
  explicit LinuxLoader(const KernelRequest& request) : request_(request), image_(request.kernel) {}

  Result<BootPlan> plan() {
    TRY(split());
    TRY(place_cmdline());
    if (!request_.initrd.empty()) TRY(place_initrd());
    set(kTypeOfLoader, kLoader, 1);
    if (protocol() >= 0x201) {
      set(kHeapEnd, plan_.cmdline.address - plan_.setup.address - kSector, 2);
      set(kLoadFlags, image_.byte(kLoadFlags) | kCanUseHeap, 1);
    }
    TRY(set_video_mode());
    plan_.rom = "linuxboot";
    return std::move(plan_);
  }

 private:
  u16 protocol() const { return image_.word(kVersion); }
  bool high() const { return (image_.byte(kLoadFlags) & kLoadedHigh) != 0; }
  void set(unsigned field, u64 value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      plan_.setup.data[field + i] = static_cast<u8>(value >> (8 * i));
  }
  template <class... Args>
  std::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) const {
    return fail("-kernel {}: {}", request_.name, fmt::format(format, std::forward<Args>(args)...));
  }

  // The real-mode part, then the rest.
  Result<> split() {
    if (protocol() < 0x200) return bad("boot protocol {:#x} is unknown", protocol());
    const u32 sectors = image_.byte(kSetupSectors) != 0 ? image_.byte(kSetupSectors) : 4;
    const u32 setup = (sectors + 1) * kSector;
    if (setup >= image_.size())
      return bad("the image is cut off: {} bytes, its setup code alone has {}", image_.size(),
                 setup);
    if (setup + kHeapAndStack > (high() ? kSegment : kLowRoom))
      return bad("its setup code has {} bytes, more than there is room for", setup);
    const auto data = image_.part(0, setup);
    plan_.setup = {.address = high() ? kRealModeHigh : kRealModeLow,
                   .size = setup,
                   .data = {data.begin(), data.end()}};
    const auto rest = image_.part(setup, image_.size());
    plan_.kernel = {.address = high() ? kKernelHigh : kKernelLow,
                    .size = static_cast<u32>(rest.size()),
                    .data = {rest.begin(), rest.end()}};
    const u64 end = high() ? request_.low_ram : kRealModeLow;
    if (plan_.kernel.address + rest.size() > end)
      return bad("{} bytes do not fit into memory", rest.size());
    return {};
  }

  Result<> place_cmdline() {
    // Without the terminating zero.
    const u64 most = protocol() >= 0x206 ? image_.dword(kCmdlineSize) : 255;
    const u64 room =
        high() ? kSegment : kCmdlineEndLow - kRealModeLow - plan_.setup.size - kHeapAndStack;
    const u64 length = request_.append.size();
    if (length > most || length >= room)
      return fail("-append: {} characters, but the kernel takes at most {}", length,
                  std::min(most, room - 1));
    const u32 size = static_cast<u32>(length + 16) & ~15U;
    TableWriter text;
    text.text(request_.append, size);
    plan_.cmdline = {.address = high() ? kCmdlineHigh : kCmdlineEndLow - size,
                     .size = size,
                     .data = std::move(text.data)};
    if (protocol() >= 0x202) {
      set(kCmdlinePointer, plan_.cmdline.address, 4);
    } else {
      set(kOldCmdlineMagic, kOldCmdline, 2);
      set(kOldCmdlineOffset, plan_.cmdline.address - plan_.setup.address, 2);
    }
    return {};
  }

  u64 initrd_limit() const {
    if (protocol() >= 0x20c && (image_.word(kXloadFlags) & kAbove4G) != 0) return 4 * GiB;
    return protocol() >= 0x203 ? u64{image_.dword(kInitrdMax)} + 1 : 0x3800'0000;
  }

  // Where the kernel is done with unpacking itself.
  u64 kernel_end() const {
    const u64 loaded = u64{plan_.kernel.address} + plan_.kernel.size;
    if (!high() || protocol() < 0x20a) return std::max<u64>(loaded, kKernelHigh);
    const u64 start = std::max<u64>(image_.qword(kPreferredAddress), plan_.kernel.address);
    const u64 needed = image_.dword(kInitSize);
    return start > 4 * GiB ? loaded : std::max(loaded, start + needed);
  }

  Result<> place_initrd() {
    auto initrd = read_file(request_.initrd, request_.low_ram);
    if (!initrd) return std::unexpected(std::move(initrd).error().within("-initrd"));
    const u64 ram_end =
        request_.low_ram > kFirmwareReserve ? request_.low_ram - kFirmwareReserve : 0;
    const u64 end = std::min(initrd_limit(), ram_end);
    const u64 size = initrd->size();
    if (size > end || ((end - size) & ~u64{4095}) < kernel_end())
      return fail("-initrd {}: {} bytes do not fit into memory behind the kernel", request_.initrd,
                  size);
    const u64 address = (end - size) & ~u64{4095};
    plan_.initrd = {.address = static_cast<u32>(address),
                    .size = static_cast<u32>(size),
                    .data = std::move(*initrd)};
    set(kRamdiskImage, address, 4);
    set(kRamdiskSize, size, 4);
    return {};
  }

  // vga= on the command line is meant for the boot loader.
  Result<> set_video_mode() {
    constexpr std::string_view kOption = "vga=";
    std::string_view line = request_.append;
    while (!line.empty()) {
      const auto space = line.find(' ');
      std::string_view word = line.substr(0, space);
      line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
      if (!word.starts_with(kOption)) continue;
      word.remove_prefix(kOption.size());
      const int base = word.starts_with("0x") ? 16 : 10;
      const std::string_view digits = word.substr(base == 16 ? 2 : 0);
      u16 mode = word == "normal" ? 0xffff : word == "ext" ? 0xfffe : word == "ask" ? 0xfffd : 0;
      if (mode == 0) {
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), mode, base);
        if (error != std::errc{} || end != digits.data() + digits.size())
          return fail("-append vga={}: neither a number nor normal, ext or ask", word);
      }
      set(kVideoMode, mode, 2);
    }
    return {};
  }

  const KernelRequest& request_;
  ImageBytes image_;
  BootPlan plan_;
};

}  // namespace

bool is_linux(const KernelRequest& request) {
  return ImageBytes(request.kernel).dword(kMagic) == kHdrS;
}

Result<BootPlan> plan_linux(const KernelRequest& request) { return LinuxLoader(request).plan(); }

}  // namespace rhea::hw
