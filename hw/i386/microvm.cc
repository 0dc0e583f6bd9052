// SPDX-License-Identifier: GPL-2.0-or-later
// The "microvm" board: a processor, memory, and virtio devices behind registers in memory, as
// QEMU 7.2's.
#include "accel/accelerator.h"
#include "hw/acpi/generic_events.h"
#include "hw/i386/acpi_table_option.h"
#include "hw/i386/board.h"
#include "hw/i386/boot_files.h"
#include "hw/i386/device_tree.h"
#include "hw/i386/kernel_boot.h"
#include "hw/i386/microvm_acpi.h"
#include "hw/i386/microvm_memory.h"
#include "hw/i386/pc_firmware.h"
#include "hw/rtc/mc146818.h"
#include "hw/virtio/virtio_mmio.h"
#include "net/nic_requests.h"
#include "rhea/block/block_backend.h"
#include "rhea/hw/isa.h"
#include "rhea/qom/shared_line.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"
#include "softmmu/default_devices.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

/// Where ISA's devices are on a board without PCI. State: none. Missing: DMA, which no such board
/// has.
class IsaBridge final : public Device {
 public:
  static constexpr std::string_view kName = "isabus-bridge";
  static void describe(Schema<IsaBridge>& s) {
    s.help("ISA bus of a board without PCI");
    s.board_only();
  }
  Result<> realize() override {
    auto& bus = static_cast<IsaBus&>(add_child("isa.0", create<IsaBus>()));
    bus.init(machine().system_memory(), machine().system_io());
    return {};
  }
};

/// Ends of interrupts go to both I/O APICs.
class BothIoApics final : public EoiListener {
 public:
  void end_of_interrupt(u8 vector) override {
    for (EoiListener* one : all) one->end_of_interrupt(vector);
  }
  std::vector<EoiListener*> all;
};

constexpr unsigned kFewWindows = 8, kWindowGsiPlain = 5, kWindowGsiAcpi = 16;

class MicrovmBoard final : public Board {
 public:
  static constexpr std::string_view kName = "microvm-machine";
  static void describe(Schema<MicrovmBoard>& s);
  Result<> build() override;

 private:
  Result<> check_options() const;
  Result<> add_interrupt_controllers();
  Result<> add_legacy_devices();
  Result<> add_windows();
  Result<> add_events();
  Result<> describe_to_firmware();
  void add_acpi(FwCfg& fw_cfg) const;
  Result<> add_tree(FwCfg& fw_cfg) const;
  Result<> add_boot(FwCfg& fw_cfg);
  std::vector<MicrovmWindow> used_windows() const;
  bool has_serial() const {
    const auto& serials = machine().config.serials;
    return isa_serial_ && !serials.empty() && !serials.front().empty();
  }
  unsigned io_apics() const { return ioapics_[1] != nullptr ? 2 : 1; }
  unsigned window_gsi() const {
    return io_apics() == 2 ? kIoApicInputs : acpi() ? kWindowGsiAcpi : kWindowGsiPlain;
  }
  bool acpi() const { return acpi_property_ != OnOffAuto::Off; }
  void set_gsi(unsigned gsi, bool level);

  bool isa_serial_{}, option_roms_{}, auto_cmdline_{};
  bool graphics_{}, dump_guest_core_{}, mem_merge_{};
  OnOffAuto acpi_property_{}, with_pic_{}, with_pit_{}, with_rtc_{}, second_ioapic_{};
  std::string memory_backend_, dump_tree_;
  KernelOptions kernel_;
  std::unique_ptr<MicrovmMemory> memory_;
  std::array<SharedLine, 2 * kIoApicInputs> gsis_;
  BothIoApics ends_;
  IsaBus* isa_{};
  Device* pic_{};
  std::array<Device*, 2> ioapics_{};
  Mc146818* rtc_{};
  std::vector<Device*> windows_;
};

void MicrovmBoard::describe(Schema<MicrovmBoard>& s) {
  using B = MicrovmBoard;
  s.help("microvm (i386)");
  s.property("acpi", &B::acpi_property_, OnOffAuto::Auto)
      .help("ACPI tables, power-off and reset; auto: they are there; off: qboot's way");
  s.property("pic", &B::with_pic_, OnOffAuto::Auto).help("the two 8259s; auto: they are there");
  s.property("pit", &B::with_pit_, OnOffAuto::Auto).help("the 8254; auto: it is there");
  s.property("rtc", &B::with_rtc_, OnOffAuto::Auto)
      .help("the clock of the AT; auto: where KVM brings none of its own");
  s.property("ioapic2", &B::second_ioapic_, OnOffAuto::Auto)
      .help("a second I/O APIC, and 24 virtio transports; auto: with acpi, but not on KVM");
  s.property("isa-serial", &B::isa_serial_, true).help("a serial port");
  s.property("x-option-roms", &B::option_roms_, true).help("off: no ROM that starts -kernel");
  s.property("auto-kernel-cmdline", &B::auto_cmdline_, true)
      .help("with acpi=off: tell the kernel of virtio devices by its command line");
  s.property("graphics", &B::graphics_, true)
      .help("off: the firmware's text goes to the serial port, as with -nographic");
  s.property("dump-guest-core", &B::dump_guest_core_, true).help("guest memory in core dumps");
  s.property("mem-merge", &B::mem_merge_, true)
      .help("the host may share pages of guest memory that are alike");
  s.property("memory-backend", &B::memory_backend_, "")
      .help("id of the -object memory-backend-... that is the guest's memory");
  s.property("dumpdtb", &B::dump_tree_, "").help("writes the device tree to this file, and ends");
  declare_kernel(s, &B::kernel_);
  for (const std::string_view name : {"pcie", "usb"})
    s.computed(
         name, "OnOffAuto", [](const B&) { return Value(false); },
         [name](B&, const Value& value) -> Result<> {
           if (to_text(value) == "auto" || !TRY(parse_bool(value))) return {};
           return fail("'on' is not supported yet: '{}' is not there", name);
         })
        .help("not there yet, only off");
}

Result<> MicrovmBoard::check_options() const {
  for (const BlockBackend* drive : drives(machine()))
    if (drive->interface != DriveInterface::None)
      return fail(
          "-drive {}: this board has no such disks; write if=none, and -device "
          "virtio-blk-device,drive={}",
          drive->name(), drive->name());
  if (second_ioapic_ != OnOffAuto::On) return {};
  if (!acpi()) return fail("-machine ioapic2=on: acpi=off has no way to tell of it");
  if (machine().service<accel::AccelService>().accelerator().short_name() == "kvm")
    return fail("-machine ioapic2=on: KVM sends the ends of interrupts to the first one alone");
  return {};
}

Result<> MicrovmBoard::build() {
  auto& defaults = machine().service<DefaultDevices>();
  defaults.network = false;
  for (const net::NicRequest& request : TRY(machine().service<net::NicRequests>().take()))
    report_warning(fmt::format(
        "{}: this board has no place for a card; write -netdev, and -device virtio-net-device",
        request.option));
  TRY(check_options());
  TRY(tell_of_unused_options());
  memory_ = std::make_unique<MicrovmMemory>(machine());
  TRY(memory_->allocate(
      {.backend = memory_backend_, .merge = mem_merge_, .dump = dump_guest_core_}));
  TRY(memory_->add_firmware(acpi() ? "bios-microvm.bin" : "qboot.rom"));
  TRY(add_interrupt_controllers());
  TRY(add_legacy_devices());
  TRY(add_windows());
  TRY(add_events());
  machine().on_machine_ready([this] {
    auto described = describe_to_firmware();
    if (described && dump_tree_.empty()) return;
    if (!described) report_error(described.error().message());
    machine().exit(described ? 0 : 1);
  });
  return {};
}

// ---- Interrupts

Result<> MicrovmBoard::add_interrupt_controllers() {
  auto& hub = machine().interrupts;
  for (unsigned gsi = 0; gsi < gsis_.size(); ++gsi)
    gsis_[gsi].connect(Irq::to<&MicrovmBoard::set_gsi>(*this, gsi));
  hub.gsi = [this](unsigned gsi) { return gsi < gsis_.size() ? gsis_[gsi].add_source() : Irq(); };
  TRY(add("isabus-bridge", nullptr));
  isa_ = static_cast<IsaBus*>(machine().find_bus("ISA"));
  isa_->set_irqs(hub.gsi);
  auto& accel = machine().service<accel::AccelService>();
  const accel::BoardParts parts = accel.vm().parts();
  const auto bus_of = [this](std::string_view type) -> Bus* {
    const TypeInfo* info = find_type(type);
    return info != nullptr && info->bus == "ISA" ? isa_ : nullptr;
  };
  if (with_pic_ != OnOffAuto::Off) pic_ = TRY(add(parts.pic, bus_of(parts.pic)));
  ioapics_[0] = TRY(add(parts.ioapic, bus_of(parts.ioapic)));
  const bool kvm = accel.accelerator().short_name() == "kvm";
  if (acpi() && !kvm && second_ioapic_ != OnOffAuto::Off) {
    ends_.all.push_back(hub.ioapic);
    ioapics_[1] = TRY(add("ioapic", nullptr, {{"number", u64{1}}}));
    ends_.all.push_back(hub.ioapic);
    hub.ioapic = &ends_;
  }
  if (with_pit_ == OnOffAuto::Off) return {};
  Device* pit = TRY(add(parts.pit, bus_of(parts.pit)));
  if (pit->has_gpio_out("", 0)) pit->connect_gpio_out("", 0, isa_->irq(0));
  // A kernel measures the processor's clock by the counter that port 0x61 lets run.
  TRY(add("isa-pcspk", isa_, {{"pit", pit->path()}}));
  return {};
}

// ISA lines go to the 8259s as well, line 0 to the I/O APIC's pin 2.
void MicrovmBoard::set_gsi(unsigned gsi, bool level) {
  if (gsi < 16 && pic_ != nullptr) pic_->gpio_in("", gsi).set(level);
  Device* const ioapic = ioapics_[gsi / kIoApicInputs];
  if (ioapic != nullptr) ioapic->gpio_in("", gsi == 0 ? 2 : gsi % kIoApicInputs).set(level);
}

// ---- Devices

Result<> MicrovmBoard::add_legacy_devices() {
  TRY(add("fw_cfg_io", isa_, {}, "fw_cfg"));
  const bool kvm = machine().service<accel::AccelService>().accelerator().short_name() == "kvm";
  if (with_rtc_ == OnOffAuto::On || (with_rtc_ == OnOffAuto::Auto && !kvm))
    rtc_ =
        dynamic_cast<Mc146818*>(TRY(add("mc146818rtc", isa_, {{"base_year", i64{2000}}}, "rtc")));
  return isa_serial_ ? add_serial_ports(isa_, 1) : Result<>();
}

// The last comes first: -device takes the first that is free, as QEMU's does its last.
Result<> MicrovmBoard::add_windows() {
  const unsigned count = io_apics() == 2 ? kIoApicInputs : kFewWindows;
  for (unsigned n = count; n-- > 0;) {
    Device* window = TRY(add(VirtioMmio::kName, nullptr, {{"number", u64{n}}}));
    window->connect_gpio_out("sysbus-irq", 0, machine().interrupts.gsi(window_gsi() + n));
    windows_.push_back(window);
  }
  return {};
}

Result<> MicrovmBoard::add_events() {
  if (!acpi()) return {};
  Device* events = TRY(add(GenericEvents::kName, nullptr));
  events->connect_gpio_out("", 0, machine().interrupts.gsi(GenericEvents::kGsi));
  return {};
}

// By their numbers.
std::vector<MicrovmWindow> MicrovmBoard::used_windows() const {
  std::vector<MicrovmWindow> used;
  for (std::size_t at = windows_.size(); at-- > 0;) {
    if (windows_[at]->buses().front()->devices().empty()) continue;
    const auto number = static_cast<unsigned>(windows_.size() - 1 - at);
    used.push_back({.number = number,
                    .address = VirtioMmio::kBase + VirtioMmio::kBytes * number,
                    .gsi = window_gsi() + number});
  }
  return used;
}

// ---- What firmware is told

Result<> MicrovmBoard::describe_to_firmware() {
  FwCfg& fw_cfg = *FwCfg::of(machine());
  PcFacts facts{.ram = memory_->ram(),
                .acpi = false,
                .graphics = graphics_ && machine().config.graphics,
                .sleep = {.s3 = false, .s4 = false},
                .has_smbios = false};
  if (rtc_ != nullptr)
    for (const auto& [index, value] : cmos_contents(machine().config, facts))
      rtc_->set_cmos(index, value);
  TRY(fill_fw_cfg(fw_cfg, machine().config, facts));
  if (acpi()) add_acpi(fw_cfg);
  TRY(add_tree(fw_cfg));
  return add_boot(fw_cfg);
}

void MicrovmBoard::add_acpi(FwCfg& fw_cfg) const {
  const MachineConfig& config = machine().config;
  AcpiTables tables =
      build_microvm_tables({.madt = {.cpus = config.cpus,
                                     .max_cpus = config.max_cpus,
                                     .topology = accel::topology(config),
                                     .has_pic = pic_ != nullptr,
                                     .io_apics = io_apics()},
                            .has_serial = has_serial(),
                            .has_clock = rtc_ != nullptr,
                            .virtio = used_windows(),
                            .user_tables = machine().service<UserAcpiTables>().tables});
  fw_cfg.add_file("etc/acpi/tables", std::move(tables.tables));
  fw_cfg.add_file("etc/acpi/rsdp", std::move(tables.rsdp));
  fw_cfg.add_file("etc/table-loader", std::move(tables.loader));
}

Result<> MicrovmBoard::add_tree(FwCfg& fw_cfg) const {
  std::vector<u8> tree = build_device_tree({.io_apics = io_apics(),
                                            .has_serial = has_serial(),
                                            .has_clock = rtc_ != nullptr,
                                            .virtio = used_windows()});
  if (!dump_tree_.empty()) {
    const auto write = [&]() -> Result<> {
      OutputFile file = TRY(OutputFile::create(dump_tree_));
      TRY(file.write(tree));
      return file.finish();
    };
    if (auto written = write(); !written)
      return std::unexpected(std::move(written).error().within("-machine dumpdtb"));
  }
  fw_cfg.add_file("etc/fdt", std::move(tree));
  return {};
}

Result<> MicrovmBoard::add_boot(FwCfg& fw_cfg) {
  KernelOptions kernel = kernel_;
  kernel.option_rom = option_roms_;
  if (!acpi() && auto_cmdline_ && !kernel.kernel.empty())
    for (const MicrovmWindow& window : used_windows())
      kernel.append += fmt::format(" virtio_mmio.device=512@{:#x}:{}", window.address, window.gsi);
  TRY(add_kernel(machine(), fw_cfg, kernel, memory_->ram().below_4g));
  return add_boot_files(machine(), fw_cfg);
}

const RegisterType<IsaBridge> bridge;
const RegisterType<MicrovmBoard> board;

}  // namespace
}  // namespace rhea::hw
