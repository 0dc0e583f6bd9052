// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/i386/device_tree.h"

#include "hw/virtio/virtio_mmio.h"
#include "rhea/util/error.h"

#include <fmt/core.h>
#include <libfdt.h>

#include <bit>
#include <string>

namespace rhea::hw {
namespace {

constexpr std::size_t kMostBytes = 64 * KiB;

/// The tree from its root on; nothing of it can fail but for want of room.
class TreeWriter {
 public:
  TreeWriter() : bytes_(kMostBytes) {
    check(fdt_create(bytes_.data(), kMostBytes));
    check(fdt_finish_reservemap(bytes_.data()));
  }
  void begin(const std::string& name) { check(fdt_begin_node(bytes_.data(), name.c_str())); }
  void end() { check(fdt_end_node(bytes_.data())); }
  void flag(const char* name) { check(fdt_property(bytes_.data(), name, nullptr, 0)); }
  void cell(const char* name, u32 value) { check(fdt_property_u32(bytes_.data(), name, value)); }
  void text(const char* name, const std::string& value) {
    check(fdt_property_string(bytes_.data(), name, value.c_str()));
  }
  void cells(const char* name, std::initializer_list<u32> values) {
    std::vector<u32> big;
    for (const u32 value : values) big.push_back(std::byteswap(value));
    check(fdt_property(bytes_.data(), name, big.data(), static_cast<int>(4 * big.size())));
  }
  /// An address and a size, of two cells each.
  void place(u64 address, u64 size) {
    cells("reg", {static_cast<u32>(address >> 32), static_cast<u32>(address),
                  static_cast<u32>(size >> 32), static_cast<u32>(size)});
  }
  std::vector<u8> finish() {
    check(fdt_finish(bytes_.data()));
    bytes_.resize(fdt_totalsize(bytes_.data()));
    return std::move(bytes_);
  }

 private:
  static void check(int result) {
    if (result < 0) programming_error(fmt::format("libfdt: {}", fdt_strerror(result)));
  }
  std::vector<u8> bytes_;
};

// The handle of an I/O APIC is its number, from 1 on.
void add_interrupt(TreeWriter& tree, u32 gsi) {
  tree.cell("interrupt-parent", gsi / kIoApicInputs + 1);
  tree.cells("interrupts", {gsi % kIoApicInputs, 0});
}

void add_io_apic(TreeWriter& tree, unsigned n) {
  const u64 address = kIoApicAt + u64{n} * kIoApicApart;
  tree.begin(fmt::format("ioapic{}@{:x}", n + 1, address));
  tree.text("compatible", "intel,ce4100-ioapic");
  tree.flag("interrupt-controller");
  tree.cell("#interrupt-cells", 2);
  tree.cell("#address-cells", 2);
  tree.place(address, 0x1000);
  tree.cell("phandle", n + 1);
  tree.cell("linux,phandle", n + 1);
  tree.end();
}

void add_port_device(TreeWriter& tree, std::string_view name, const char* compatible, u64 port,
                     u32 irq) {
  tree.begin(fmt::format("{}@{:x}", name, port));
  tree.text("compatible", compatible);
  tree.place(port, 8);
  add_interrupt(tree, irq);
  tree.end();
}

}  // namespace

std::vector<u8> build_device_tree(const MicrovmTree& facts) {
  TreeWriter tree;
  tree.begin("");
  tree.text("compatible", "linux,microvm");
  tree.cell("#address-cells", 2);
  tree.cell("#size-cells", 2);
  tree.begin("chosen");
  if (facts.has_serial) tree.text("stdout-path", "/serial@3f8");
  tree.end();
  for (unsigned n = 0; n < facts.io_apics; ++n) add_io_apic(tree, n);
  for (const MicrovmWindow& window : facts.virtio) {
    tree.begin(fmt::format("virtio_mmio@{:x}", window.address));
    tree.text("compatible", "virtio,mmio");
    tree.place(window.address, VirtioMmio::kBytes);
    tree.flag("dma-coherent");
    add_interrupt(tree, window.gsi);
    tree.end();
  }
  if (facts.has_serial) add_port_device(tree, "serial", "ns16550", 0x3f8, 4);
  if (facts.has_clock) add_port_device(tree, "rtc", "motorola,mc146818", 0x70, 8);
  tree.end();
  return tree.finish();
}

}  // namespace rhea::hw
