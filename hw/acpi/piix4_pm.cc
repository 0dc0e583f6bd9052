// SPDX-License-Identifier: GPL-2.0-or-later
// The PIIX4's power management function: ACPI registers, the timer, sleeping, SMBus, APM ports.
#include "hw/acpi/acpi_events.h"
#include "hw/acpi/pm1.h"
#include "hw/acpi/smbus_host.h"
#include "hw/acpi/trace_events.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/registers.h"
#include "rhea/softmmu/suspension.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <memory>

namespace rhea::hw {
namespace {

enum Reg : u8 {
  kPmBase = 0x40,
  kDeviceMonitors = 0x44,
  kDeviceActivityB = 0x58,
  kPmMisc = 0x80,
  kSmbusBase = 0x90,
  kSmbusConfig = 0xd2,
};
constexpr u8 kPmMiscIoEnable = 0x01;
constexpr u8 kSmbusEnable = 0x01, kSmbusIrqSelect = 0x0e, kSmbusIrq9 = 0x08;
constexpr u32 kApmcSmi = 1U << 25;
constexpr u32 kGlobalControlBits = 0x0101'ff07, kSmiEnable = 0x0001;

constexpr u16 kApmPort = 0xb2;
constexpr u8 kAcpiEnable = 0xf1, kAcpiDisable = 0xf0;
// General-purpose events are not the PIIX4's own block here but the one ACPI tables of PC emulators
// name.
constexpr u16 kGpePort = 0xafe0;
constexpr unsigned kGpeEvents = 16;

constexpr u8 kSleepOff = 0, kSleepToRam = 1;

/// Intel 82371AB (order 290562), function 3, with general-purpose events at 0xafe0.
/// State: PM1 registers, the 24-bit timer, soft-off, the power button, SMBus, APM ports. Writing
/// 0xf1 or 0xf0 to 0xb2 turns ACPI mode on and off directly: there is no system management mode to
/// ask.
/// Suspension to RAM keeps the resume well: the upper bytes of PM1's status and enable, the sleep
/// type (as the ICH's data sheet, 290655, has it for the same registers), the general-purpose
/// events, and PMBA with PMREGMISC. The core well (the lower bytes, SCI_EN, global control, SMBus,
/// APM) is reset. Missing: processor clock control, device monitors (their registers are
/// storage), SMIs other than those of APM writes (pin "smi-irq").
class Piix4Pm final : public PciDevice {
 public:
  static constexpr std::string_view kName = "PIIX4_PM";
  static constexpr PciIdentity kPci{
      .vendor = 0x8086, .device = 0x7113, .klass = 0x068000, .revision = 3};
  static void describe(Schema<Piix4Pm>& s) {
    s.help("Intel 82371AB (PIIX4) power management and SMBus");
    s.board_only();
    s.property("smb_io_base", &Piix4Pm::smb_io_base_, u32{0})
        .range(0, 0xfff0)
        .help("SMBus ports after reset");
    s.property("disable_s3", &Piix4Pm::disable_s3_, u8{0})
        .range(0, 1)
        .help("refuse to suspend to RAM");
    s.property("disable_s4", &Piix4Pm::disable_s4_, u8{0})
        .range(0, 1)
        .help("refuse to suspend to disk");
    s.property("s4_val", &Piix4Pm::s4_val_, u8{2})
        .range(0, 7)
        .help("sleep type of suspend to disk");
    s.property("smm-enabled", &Piix4Pm::smm_, false)
        .help("there is a system management mode for firmware to set up");
    s.state("pm1", &Piix4Pm::pm1_);
    s.state("smbus", &Piix4Pm::smbus_);
    describe_registers(s);
  }
  static void describe_registers(Schema<Piix4Pm>& s) {
    s.registers(&Piix4Pm::pm_ports_, [](auto reg) {
      const auto events = [](auto row) {
        return row.field("TIMER", Pm1::kTimer)
            .field("GLOBAL", Pm1::kGlobal)
            .field("POWER_BUTTON", Pm1::kPowerButton)
            .field("RTC", Pm1::kRtc);
      };
      return reg.bank({.name = "piix4-pm", .size = 64, .elsewhere = 0},
                      events(reg("PMSTS", 0x00, 2)
                                 .read_by(&Piix4Pm::pm1_status)
                                 .write_by(&Piix4Pm::clear_pm1_status)
                                 .write_1_clears(0xffff))
                          .field("WAKE", Pm1::kWake),
                      events(reg("PMEN", 0x02, 2)
                                 .read_by(&Piix4Pm::pm1_enable)
                                 .write_by(&Piix4Pm::set_pm1_enable)),
                      reg("PMCNTRL", 0x04, 2)
                          .read_by(&Piix4Pm::pm1_control)
                          .write_by(&Piix4Pm::set_pm1_control)
                          .field("SCI_EN", Pm1::kSciEnable)
                          .field("SLP_TYP", Pm1::kSleepType)
                          .field("SLP_EN", Pm1::kSleepEnable),
                      reg("PMTMR", 0x08, 4).read_by(&Piix4Pm::pm_timer),
                      reg("GLBCTL", 0x28, &Piix4Pm::global_control_)
                          .writable(kGlobalControlBits)
                          .field("SMI_EN", kSmiEnable));
    });
    s.registers(&Piix4Pm::apm_ports_, [](auto reg) {
      return reg.bank({.name = "apm-io", .sizes = {.min = 1, .max = 2}},
                      reg("APMC", 0, &Piix4Pm::apm_control_).after_write(&Piix4Pm::apm_command),
                      reg("APMS", 1, &Piix4Pm::apm_status_));
    });
    s.registers(&Piix4Pm::gpe_ports_, [](auto reg) {
      return reg.bank({.name = "acpi-gpe0"},
                      reg("GPE0_STS", 0, &Piix4Pm::gpe_status_)
                          .write_1_clears(0xffff)
                          .after_write(&Piix4Pm::update_sci),
                      reg("GPE0_EN", 2, &Piix4Pm::gpe_enable_).after_write(&Piix4Pm::update_sci));
    });
  }

  Piix4Pm() {
    smbus_.connect(add_child("i2c", create<I2cBus>()));
    init_gpio_out("sci", sci_);
    init_gpio_out("smi-irq", smi_);
    init_gpio_in<&Piix4Pm::set_gpe>(*this, "gpe", kGpeEvents);
    config_set16(pci::kCommand, 0x0000, 0x0001);
    config_set16(pci::kStatus, 0x0280);
    config_set32(kPmBase, 0x0000'0001, 0x0000'ffc0);
    for (unsigned reg = kDeviceMonitors; reg < kPmMisc; reg += 4) config_set32(reg, 0, ~u32{0});
    config_set8(kPmMisc, 0x00, kPmMiscIoEnable);
  }

  Result<> realize() override {
    TRY(PciDevice::realize());
    set_interrupt_pin(1);
    // Firmware takes this for "SMM is set up".
    config_set32(kDeviceActivityB, smm_ ? 0 : kApmcSmi, ~u32{0});
    config_set32(kSmbusBase, (smb_io_base_ & 0xfff0) | 1, 0x0000'fff0);
    config_set8(kSmbusConfig, smb_io_base_ != 0 ? kSmbusIrq9 | kSmbusEnable : 0, 0x0f);
    timer_.init(machine().virtual_clock(), [this] { update_sci(); });
    for (RegisterBank* bank : {&pm_ports_, &apm_ports_, &gpe_ports_}) bank->init(*this);
    smbus_ports_.init_io(
        *this, "pm-smbus", SmbusHost::kRegisters,
        io<&Piix4Pm::read_smbus, &Piix4Pm::write_smbus>({.min = 1, .max = 4}, kBytes));
    for (Region* region : {static_cast<Region*>(&pm_ports_), &smbus_ports_}) {
      region->set_enabled(false);
      pci_bus().io().add(0, *region);
    }
    pci_bus().io().add(kApmPort, apm_ports_);
    pci_bus().io().add(kGpePort, gpe_ports_);
    machine().on_powerdown([this] { press_power_button(); }, this);
    auto& events = machine().service<AcpiEvents>();
    events.raise = [this](unsigned event) { set_gpe(event, true); };
    on_unrealize([&events] { events.raise = nullptr; });
    machine().service<Suspension>().observe({.waking = [this] { asleep_ = resume_well(); },
                                             .woken = [this](WakeSource source) { awake(source); }},
                                            this);
    pm1_.reset(now());
    return {};
  }

  void reset(ResetKind) override {
    pm1_.reset(now());
    tell_wake_sources();
    smbus_.reset();
    update_ports();
    update_sci();
  }

  Result<> post_load(unsigned) override {
    pm1_.settle(now());
    update_ports();
    tell_wake_sources();
    update_sci();
    return {};
  }

  void config_write(unsigned reg, u32 value, unsigned size) override {
    PciDevice::config_write(reg, value, size);
    update_ports();
    update_sci();
  }

 private:
  static constexpr AccessSizes kBytes{.min = 1, .max = 1};

  u64 now() const { return machine().virtual_clock().ticks(Pm1::kTimerHz); }

  static void place(Region& region, u64 address, bool enabled) {
    region.set_enabled(enabled && address != 0);
    region.set_address(address);
  }

  void update_ports() {
    const Transaction transaction(machine().map());
    place(pm_ports_, config16(kPmBase) & 0xffc0, (config8(kPmMisc) & kPmMiscIoEnable) != 0);
    const bool smbus = (config8(kSmbusConfig) & kSmbusEnable) != 0 &&
                       (config16(pci::kCommand) & pci::kCommandIo) != 0;
    place(smbus_ports_, config16(kSmbusBase) & 0xfff0, smbus);
  }

  bool smbus_interrupt() const {
    return smbus_.interrupt() && (config8(kSmbusConfig) & kSmbusIrqSelect) == kSmbusIrq9;
  }

  void update_sci() {
    const bool events = pm1_.pending(now()) || (gpe_status_ & gpe_enable_) != 0;
    sci_.set((events && pm1_.sci_enabled()) || smbus_interrupt());
    const auto next = pm1_.next_event();
    if (!next) return timer_.cancel();
    // Rounded up: the tick must have come when the timer fires.
    const u128 ns = (static_cast<u128>(*next) * kNsPerSecond + Pm1::kTimerHz - 1) / Pm1::kTimerHz;
    timer_.arm(static_cast<i64>(ns));
  }

  u16 pm1_status() const { return pm1_.status(now()); }
  void clear_pm1_status(u16 bits) {
    pm1_.clear_status(bits, now());
    update_sci();
  }
  u16 pm1_enable() const { return pm1_.enable(); }
  void set_pm1_enable(u16 events) {
    pm1_.set_enable(events);
    tell_wake_sources();
    update_sci();
  }
  u16 pm1_control() const { return pm1_.control(); }
  void set_pm1_control(u16 value) {
    if (const auto type = pm1_.set_control(value)) sleep(*type);
    update_sci();
  }
  u32 pm_timer() const { return Pm1::timer(now()); }

  void tell_wake_sources() {
    const bool rtc = (pm1_.enable() & Pm1::kRtc) != 0;
    machine().service<Suspension>().enable(WakeSource::RtcAlarm, rtc);
  }

  void sleep(u8 type) {
    piix4_sleep(*this, type);
    if (type == kSleepOff || (type == s4_val_ && disable_s4_ == 0))
      machine().request_shutdown(ShutdownCause::GuestShutdown);
    else if (type == kSleepToRam && disable_s3_ == 0)
      machine().service<Suspension>().suspend();
    else
      log_guest("piix4-pm", "sleep type {} is not there", type);
  }

  void press_power_button() {
    pm1_.raise(Pm1::kPowerButton);
    update_sci();
    machine().service<Suspension>().wake(WakeSource::PowerButton);
  }

  /// What outlasts the reset that ends a sleep.
  struct ResumeWell {
    u32 pm_base{};
    u8 pm_misc{};
    Pm1 pm1;
    u16 gpe_status{}, gpe_enable{};
  };
  ResumeWell resume_well() {
    pm1_.pending(now());  // what has come by now is kept
    return {.pm_base = config32(kPmBase),
            .pm_misc = config8(kPmMisc),
            .pm1 = pm1_,
            .gpe_status = gpe_status_,
            .gpe_enable = gpe_enable_};
  }

  // ACPI 6.4, 4.8.3.1.1: the status of what woke the machine outlasts the reset.
  // The ports are where they were: firmware turns SMIs on before it looks at PCI again.
  void awake(WakeSource source) {
    config_put32(kPmBase, asleep_.pm_base);
    config_put8(kPmMisc, asleep_.pm_misc);
    update_ports();
    pm1_.keep_powered(asleep_.pm1);
    gpe_status_ = asleep_.gpe_status;
    gpe_enable_ = asleep_.gpe_enable;
    tell_wake_sources();
    pm1_.raise(Pm1::kWake);
    if (source == WakeSource::RtcAlarm) pm1_.raise(Pm1::kRtc);
    if (source == WakeSource::PowerButton) pm1_.raise(Pm1::kPowerButton);
    update_sci();
  }

  u64 read_smbus(u64 offset, unsigned) { return smbus_.read(static_cast<unsigned>(offset)); }
  void write_smbus(u64 offset, u64 value, unsigned) {
    smbus_.write(static_cast<unsigned>(offset), static_cast<u8>(value));
    update_sci();
  }

  void apm_command(u8 value) {
    if (value == kAcpiEnable || value == kAcpiDisable) {
      pm1_.set_sci_enabled(value == kAcpiEnable);
      update_sci();
    } else if (smm_ && (config32(kDeviceActivityB) & kApmcSmi) != 0 &&
               (global_control_ & kSmiEnable) != 0) {
      smi_.pulse();
    }
  }

  void set_gpe(unsigned event, bool level) {
    if (level) gpe_status_ |= static_cast<u16>(1U << event);
    update_sci();
  }

  u32 smb_io_base_{};
  u8 disable_s3_{}, disable_s4_{}, s4_val_{};
  Pm1 pm1_;
  SmbusHost smbus_;
  bool smm_{};
  u32 global_control_{0};
  u16 gpe_status_{0}, gpe_enable_{0};
  u8 apm_control_{0}, apm_status_{0};
  IrqOutput sci_, smi_;
  Timer timer_;
  ResumeWell asleep_;  ///< while the machine wakes
  RegisterBank pm_ports_, apm_ports_, gpe_ports_;
  Region smbus_ports_;
};

const RegisterType<Piix4Pm> registration;

}  // namespace
}  // namespace rhea::hw
