// SPDX-License-Identifier: GPL-2.0-or-later
// The "pc" board: i440FX and PIIX3 with the usual ISA devices, wired as QEMU's pc-i440fx-7.2.
#include "accel/accelerator.h"
#include "hw/acpi/vm_generation.h"
#include "hw/block/floppy_drive.h"
#include "hw/i386/acpi_table_option.h"
#include "hw/i386/board.h"
#include "hw/i386/kernel_boot.h"
#include "hw/i386/pc_boot.h"
#include "hw/i386/pc_firmware.h"
#include "hw/i386/pc_memory.h"
#include "hw/misc/pvpanic_isa.h"
#include "hw/pci-host/i440fx.h"
#include "hw/rtc/mc146818.h"
#include "hw/timer/hpet.h"
#include "net/nic_requests.h"
#include "rhea/block/block_backend.h"
#include "rhea/chardev/chardev.h"
#include "rhea/hw/isa.h"
#include "rhea/qom/shared_line.h"
#include "rhea/softmmu/a20.h"
#include "rhea/softmmu/smm.h"
#include "rhea/softmmu/suspension.h"
#include "rhea/util/log.h"
#include "softmmu/default_devices.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

// CMOS register 0x10's code for a kind of drive.
u8 cmos_floppy_type(FloppyDriveType type) {
  switch (type) {
    case FloppyDriveType::Fd120: return 2;
    case FloppyDriveType::Fd144: return 4;
    case FloppyDriveType::Fd288: return 5;
    default: return 0;
  }
}

constexpr unsigned kPowerManagement = 1 << 3 | 3, kPmBaseRegister = 0x40;

u64 number(const Device& device, std::string_view property) {
  const auto value = device.get(property);
  return value ? parse_unsigned(*value, {}, false).value_or(0) : 0;
}

SleepStates sleep_states(const Device& pm) {
  return {.s3 = number(pm, "disable_s3") == 0,
          .s4 = number(pm, "disable_s4") == 0,
          .s4_type = static_cast<u8>(number(pm, "s4_val"))};
}

constexpr unsigned kGsis = 24;

class PcBoard final : public Board {
 public:
  static constexpr std::string_view kName = "pc-i440fx-7.2-machine";
  static void describe(Schema<PcBoard>& s);
  Result<> build() override;
  void pre_save() override { a20_open_ = machine().service<A20Gate>().open(); }
  Result<> post_load(unsigned) override {
    machine().service<A20Gate>().set(a20_open_);
    return {};
  }

 private:
  Result<> add_chipset();
  Result<> add_interrupt_controllers();
  Result<> add_isa_devices();
  Result<> add_hpet();
  Result<> add_drives();
  Result<> add_parallel_ports();
  Result<> add_graphics();
  Result<> add_network_cards();
  void describe_to_firmware();
  BoardVersion version() const { return machine().service<BoardService>().version; }
  void set_gsi(unsigned gsi, bool level);
  void set_smi(unsigned, bool level);

  OnOffAuto acpi_{};
  OnOffAuto smm_{};
  OnOffAuto with_pic_{}, with_pit_{};
  bool with_hpet_{};
  bool graphics_{};
  bool dump_guest_core_{};
  bool a20_open_{true};
  bool fd_bootchk_{};
  bool mem_merge_{};
  std::string memory_backend_;
  std::string speaker_audio_;
  u64 max_ram_below_4g_{};
  KernelOptions kernel_;
  std::array<std::string, 2> flash_;
  std::unique_ptr<PcMemory> memory_;
  I440fxHost* host_{};
  IsaBus* isa_{};
  std::array<SharedLine, kGsis> gsis_;  ///< of devices, links and the SCI
  bool line_0_{false}, line_2_{false};  ///< of those, at one pin
  Device* pic_{};
  Device* pit_{};
  Device* ioapic_{};
  Mc146818* rtc_{};
  Hpet* hpet_{};
  std::unique_ptr<PcBoot> boot_;
  Device* pm_{};
  FloppyBus* floppies_{};
};

void PcBoard::describe(Schema<PcBoard>& s) {
  s.help("Standard PC (i440FX + PIIX, 1996)");
  s.property("acpi", &PcBoard::acpi_, OnOffAuto::Auto).help("ACPI tables; auto: they are there");
  s.property("graphics", &PcBoard::graphics_, true)
      .help("off: the firmware's text goes to the first serial port, as with -nographic");
  s.property("dump-guest-core", &PcBoard::dump_guest_core_, true)
      .help("guest memory in core dumps");
  s.property("mem-merge", &PcBoard::mem_merge_, true)
      .help("the host may share pages of guest memory that are alike");
  s.property("memory-backend", &PcBoard::memory_backend_, "")
      .help("id of the -object memory-backend-... that is the guest's memory");
  s.property("pcspk-audiodev", &PcBoard::speaker_audio_, "")
      .help("id of the -audiodev that the PC speaker sounds on");
  s.property("max-ram-below-4g", &PcBoard::max_ram_below_4g_, u64{0})
      .as_size()
      .range(0, 4 * GiB)
      .help("most of the memory below 4 GiB; 0: the board's choice");
  s.property("fd-bootchk", &PcBoard::fd_bootchk_, true)
      .help("the firmware looks for a boot signature on floppies");
  declare_kernel(s, &PcBoard::kernel_);
  for (const unsigned unit : {0U, 1U})
    s.computed(
         fmt::format("pflash{}", unit), "str",
         [unit](const PcBoard& b) { return Value(b.flash_[unit]); },
         [unit](PcBoard& b, const Value& value) -> Result<> {
           b.flash_[unit] = to_text(value);
           return {};
         })
        .help("id of the drive that is firmware's flash, as -drive if=pflash");
  // What is so may be said.
  const auto fixed = [&s](std::string_view name, bool there) {
    s.computed(
         name, "OnOffAuto", [there](const PcBoard&) { return Value(there); },
         [name, there](PcBoard&, const Value& value) -> Result<> {
           if (to_text(value) == "auto") return {};
           if (TRY(parse_bool(value)) == there) return {};
           return fail("'{}' is not supported yet: '{}' is {}", there ? "off" : "on", name,
                       there ? "always there" : "not there");
         })
        .help(there ? "always there, only on" : "not there yet, only off");
  };
  s.property("smm", &PcBoard::smm_, OnOffAuto::Auto)
      .help("system management mode; auto: where the accelerator has it");
  s.property("pic", &PcBoard::with_pic_, OnOffAuto::Auto)
      .help("the two 8259 interrupt controllers; auto: they are there");
  s.property("pit", &PcBoard::with_pit_, OnOffAuto::Auto)
      .help("the 8254 timer, and the speaker on it; auto: they are there");
  s.property("hpet", &PcBoard::with_hpet_, true).help("the high precision event timers");
  fixed("i8042", true);
  for (const std::string_view name : {"usb", "vmport", "sata", "nvdimm", "hmat"})
    fixed(name, false);
  s.state("a20-open", &PcBoard::a20_open_);
}

Result<> PcBoard::build() {
  if (max_ram_below_4g_ != 0 && max_ram_below_4g_ < MiB)
    return fail("-machine max-ram-below-4g={}: firmware needs at least 1M", max_ram_below_4g_);
  memory_ = std::make_unique<PcMemory>(machine());
  TRY(memory_->allocate(
      {.backend = memory_backend_, .merge = mem_merge_, .dump = dump_guest_core_}));
  TRY(add_chipset());
  TRY(memory_->add_firmware(flash_));
  machine().service<A20Gate>().set_wrap([this](bool open) { memory_->wrap_at_1m(!open); });
  TRY(add_interrupt_controllers());
  TRY(add_isa_devices());
  TRY(add_hpet());
  TRY(add_serial_ports(isa_, 4));
  TRY(add_parallel_ports());
  TRY(add_graphics());
  TRY(add_network_cards());
  TRY(add_drives());
  TRY(add_kernel(machine(), *FwCfg::of(machine()), kernel_, host_->ram().below_4g));
  boot_ = std::make_unique<PcBoot>(machine(), *FwCfg::of(machine()), *rtc_);
  TRY(boot_->set_up(fd_bootchk_));
  machine().on_machine_ready([this] { describe_to_firmware(); });
  return {};
}

Result<> PcBoard::add_chipset() {
  std::unique_ptr<Object> host = TRY(machine().make(I440fxHost::kName));
  host_ = static_cast<I440fxHost*>(host.get());
  host_->set_regions({.ram = &memory_->ram(),
                      .system_memory = &machine().system_memory(),
                      .pci_memory = &memory_->pci_memory(),
                      .system_io = &machine().system_io(),
                      .max_ram_below_4g = max_ram_below_4g_,
                      .align_to_gigabytes = version().aligns_to_gigabytes()});
  TRY(machine().add_device(std::move(host), nullptr, "i440fx"));
  for (unsigned gsi = 0; gsi < kGsis; ++gsi)
    gsis_[gsi].connect(Irq::to<&PcBoard::set_gsi>(*this, gsi));
  machine().interrupts.gsi = [this](unsigned gsi) {
    return gsi < kGsis ? gsis_[gsi].add_source() : Irq();
  };
  Device* bridge = TRY(add("PIIX3", &host_->bus(), {{"addr", "1.0"}}));
  isa_ = static_cast<IsaBus*>(machine().find_bus("ISA"));
  isa_->set_irqs(machine().interrupts.gsi);
  for (unsigned n = 0; n < 16; ++n) bridge->connect_gpio_out("isa-irq", n, isa_->irq(n));
  return {};
}

// ISA lines 0..15 go to both controllers, line 0 to the I/O APIC's pin 2; the others to the I/O
// APIC alone, and so does line 2, an HPET's: at the 8259s that is where one is on the other.
void PcBoard::set_gsi(unsigned gsi, bool level) {
  if (gsi < 16 && gsi != 2 && pic_ != nullptr) pic_->gpio_in("", gsi).set(level);
  if (ioapic_ == nullptr) return;
  if (gsi != 0 && gsi != 2) return ioapic_->gpio_in("", gsi).set(level);
  (gsi == 0 ? line_0_ : line_2_) = level;
  ioapic_->gpio_in("", 2).set(line_0_ || line_2_);
}

void PcBoard::set_smi(unsigned, bool level) {
  const auto& management = machine().service<SystemManagement>();
  if (level && management.interrupt) management.interrupt();
}

Result<> PcBoard::add_interrupt_controllers() {
  const accel::BoardParts parts = machine().service<accel::AccelService>().vm().parts();
  const auto bus_of = [this](std::string_view type) -> Bus* {
    const TypeInfo* info = find_type(type);
    return info != nullptr && info->bus == "ISA" ? isa_ : nullptr;
  };
  if (with_pic_ != OnOffAuto::Off) pic_ = TRY(add(parts.pic, bus_of(parts.pic)));
  ioapic_ = TRY(add(parts.ioapic, bus_of(parts.ioapic)));
  if (with_pit_ == OnOffAuto::Off) return {};
  pit_ = TRY(add(parts.pit, bus_of(parts.pit)));
  if (pit_->has_gpio_out("", 0)) pit_->connect_gpio_out("", 0, isa_->irq(0));
  Settings speaker = {{"pit", pit_->path()}};
  if (!speaker_audio_.empty()) speaker.emplace_back("audiodev", speaker_audio_);
  TRY(add("isa-pcspk", isa_, speaker));
  return {};
}

Result<> PcBoard::add_isa_devices() {
  TRY(add("i8237", isa_));
  rtc_ = dynamic_cast<Mc146818*>(TRY(add("mc146818rtc", isa_, {{"base_year", i64{2000}}}, "rtc")));
  for (const std::string_view type : {"i8042", "port92"}) TRY(add(type, isa_));
  TRY(add("fw_cfg_io", isa_, {}, "fw_cfg"));
  const auto& accel = machine().service<accel::AccelService>();
  const bool has_smm = machine().service<SystemManagement>().available;
  if (smm_ == OnOffAuto::On && !has_smm)
    return fail("-machine smm=on: accelerator {} has no system management mode",
                accel.accelerator().short_name());
  const bool smm = smm_ != OnOffAuto::Off && has_smm;
  pm_ = TRY(add("PIIX4_PM", &host_->bus(), {{"addr", "1.3"}, {"smm-enabled", smm}}));
  pm_->connect_gpio_out("smi-irq", 0, Irq::to<&PcBoard::set_smi>(*this, 0));
  pm_->connect_gpio_out("sci", 0, machine().interrupts.gsi(9));
  constexpr u64 kFirstModule = 0x50, kModules = 8;
  for (u64 address = kFirstModule; address < kFirstModule + kModules; ++address)
    TRY(add("smbus-eeprom", pm_->buses().front(), {{"address", address}}));
  return {};
}

// The 8254 and the real-time clock reach their lines through the HPET, which can take their places.
// A timer in the kernel is told of that, since its interrupts do not come by here.
Result<> PcBoard::add_hpet() {
  constexpr u64 kPins = 1 << 2;
  if (!with_hpet_) return {};
  hpet_ = static_cast<Hpet*>(TRY(add(Hpet::kName, nullptr, {{"hpet-intcap", kPins}})));
  for (unsigned pin = 0; pin < Hpet::kPins; ++pin)
    hpet_->connect_gpio_out("", pin, machine().interrupts.gsi(pin));
  dynamic_cast<Device*>(rtc_)->connect_gpio_out("", 0, hpet_->gpio_in("legacy", Hpet::kFromRtc));
  if (pit_ == nullptr) return {};
  if (pit_->has_gpio_out("", 0))
    pit_->connect_gpio_out("", 0, hpet_->gpio_in("legacy", Hpet::kFromPit));
  hpet_->connect_gpio_out("pit-enable", 0, pit_->gpio_in("enable", 0));
  return {};
}

Result<> PcBoard::add_parallel_ports() {
  constexpr std::size_t kMost = 3;
  auto& parallels = machine().config.parallels;
  if (parallels.empty() && machine().service<DefaultDevices>().parallel) {
    TRY(create_chardev_legacy(machine(), "parallel0", "null"));
    parallels.emplace_back("parallel0");
  }
  if (parallels.size() > kMost)
    return fail("-parallel: there are at most {} parallel ports", kMost);
  for (std::size_t i = 0; i < parallels.size(); ++i)
    if (!parallels[i].empty())
      TRY(add("isa-parallel", isa_, {{"index", u64{i}}, {"chardev", parallels[i]}}));
  return {};
}

Result<> PcBoard::add_graphics() {
  if (machine().config.vga == "none" || !machine().service<DefaultDevices>().vga) return {};
  TRY(add("VGA", &host_->bus(), {{"addr", "2.0"}}));
  return {};
}

Result<> PcBoard::add_network_cards() {
  for (const net::NicRequest& request : TRY(machine().service<net::NicRequests>().take())) {
    const std::string model = request.model.empty() ? "e1000" : request.model;
    const TypeInfo* type = find_type(model);
    Bus* bus = type != nullptr && type->bus == "ISA" ? static_cast<Bus*>(isa_) : &host_->bus();
    Settings settings = {{"netdev", request.netdev}};
    if (request.mac != MacAddress{}) settings.emplace_back("mac", request.mac.text());
    if (!request.address.empty()) settings.emplace_back("addr", request.address);
    if (request.vectors) settings.emplace_back("vectors", u64{*request.vectors});
    if (auto card = add(model, bus, settings, {}, request.name); !card)
      return std::unexpected(std::move(card).error().within(request.option));
  }
  return {};
}

Result<> PcBoard::add_drives() {
  TRY(add("piix3-ide", &host_->bus(), {{"addr", "1.1"}}));
  const auto& defaults = machine().service<DefaultDevices>();
  const auto present = [this](DriveInterface interface, int bus, int unit) {
    return std::ranges::any_of(drives(machine()), [&](const BlockBackend* d) {
      return d->interface == interface && d->bus == bus && d->unit == unit;
    });
  };
  if (defaults.cdrom && !present(DriveInterface::Ide, 1, 0))
    TRY(create_drive(machine(), "if=ide,index=2,media=cdrom,id=ide1-cd0"));
  if (defaults.floppy && !present(DriveInterface::Floppy, 0, 0))
    TRY(create_drive(machine(), "if=floppy,index=0,id=floppy0"));
  Device* fdc = TRY(add("isa-fdc", isa_));
  floppies_ = static_cast<FloppyBus*>(fdc->buses().front());
  for (BlockBackend* drive : drives(machine())) {
    const Settings settings = {{"drive", drive->name()}, {"unit", u64(drive->unit)}};
    if (drive->interface == DriveInterface::Ide) {
      Bus* bus = machine().find_bus("IDE", fmt::format("ide.{}", drive->bus));
      if (bus == nullptr)
        return fail("-drive {}: there is no IDE bus {}", drive->name(), drive->bus);
      TRY(add(drive->is_cdrom() ? "ide-cd" : "ide-hd", bus, settings));
    } else if (drive->interface == DriveInterface::Floppy) {
      TRY(add("floppy", floppies_, settings));
    } else if (drive->interface == DriveInterface::Virtio) {
      TRY(add("virtio-blk-pci", &host_->bus(), {{"drive", drive->name()}}));
    } else if (drive->interface == DriveInterface::Scsi) {
      return fail(
          "-drive {}: machine type does not support if=scsi,bus={},unit={}; write if=none, and "
          "-device virtio-scsi-pci -device scsi-hd,drive={}",
          drive->name(), drive->bus, drive->unit, drive->name());
    }
  }
  return {};
}

void PcBoard::describe_to_firmware() {
  PcFacts facts{.ram = host_->ram(),
                .acpi = acpi_ != OnOffAuto::Off && version().has_acpi(),
                .graphics = graphics_ && machine().config.graphics,
                .sleep = sleep_states(*pm_)};
  facts.pic = pic_ != nullptr;
  facts.pm_base = [bus = &host_->bus()] {
    return static_cast<u16>(bus->config_read(kPowerManagement, kPmBaseRegister, 2) & 0xffc0);
  };
  for (unsigned unit = 0; unit < FloppyBus::kUnits; ++unit)
    if (const FloppyDrive* drive = floppies_->drive(unit))
      facts.floppy_types[unit] = cmos_floppy_type(drive->drive_type());
  for (const auto& [index, value] : cmos_contents(machine().config, facts))
    rtc_->set_cmos(index, value);
  // By CMOS's shutdown status firmware knows that it is to wake what lies in memory.
  const auto falls_asleep = [rtc = rtc_] {
    constexpr u8 kShutdownStatus = 0x0f, kAsleep = 0xfe;
    rtc->set_cmos(kShutdownStatus, kAsleep);
  };
  machine().service<Suspension>().observe({.suspended = falls_asleep}, host_);
  facts.numa = numa_tables(machine().config, machine().service<Numa>());
  facts.devices = {.panic_port = PvpanicIsa::port_of(machine()),
                   .hpet_block = hpet_ == nullptr ? std::nullopt : std::optional(hpet_->block_id()),
                   .generation = VmGeneration::of(machine()) != nullptr};
  facts.acpi_tables = machine().service<UserAcpiTables>().tables;
  facts.has_smbios = version().has_usual_smbios();
  facts.smbios = {.board = version().name(),
                  .uuid = machine().service<MachineUuid>().given.value_or(MachineUuid::Bytes{}),
                  .swap_uuid = version().swaps_uuid(),
                  .user = &machine().service<SmbiosOptions>(),
                  .pci_device = [this](const std::string& id) -> std::optional<u8> {
                    const auto* device = dynamic_cast<const PciDevice*>(
                        machine().container("/machine/peripheral").child(id));
                    return device == nullptr ? std::nullopt : std::optional(device->devfn());
                  }};
  if (auto filled = fill_fw_cfg(*FwCfg::of(machine()), machine().config, facts); !filled) {
    report_error(filled.error().message());
    machine().exit(1);
  }
}

const RegisterType<PcBoard> registration;

}  // namespace
}  // namespace rhea::hw
