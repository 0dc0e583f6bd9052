// SPDX-License-Identifier: GPL-2.0-or-later
// The watchdog timer of Intel's 6300ESB I/O controller hub.
#include "rhea/hw/pci.h"
#include "rhea/softmmu/actions.h"
#include "rhea/softmmu/registers.h"
#include "rhea/softmmu/smm.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {
namespace {

/// Intel 6300ESB watchdog timer (datasheet 300641, chapter 16). Two stages: the first one's end is
/// told by the interrupt status bit, and by an SMI where that is chosen and the machine has them;
/// the second one's is WDT_TOUT#, which here is what -watchdog-action says. In free-running mode
/// there is the second stage alone, over and over, and each end of it turns the pin over: its
/// falling is the action. What writes to a preload register does counts from when its stage is next
/// entered. Preloads and the reload register are written behind 0x80, 0x86 alone.
/// State: complete. Missing: the first stage's interrupt, which goes to an I/O APIC of the 6300ESB
/// that a PC does not have. A free-running stage lasts 200 us at least, for the host's sake.
class I6300esb final : public PciDevice {
 public:
  static constexpr std::string_view kName = "i6300esb";
  static constexpr PciIdentity kPci{.vendor = 0x8086, .device = 0x25ab, .klass = 0x088000};
  static void describe(Schema<I6300esb>& s) {
    s.help("Intel 6300ESB watchdog timer");
    s.registers(&I6300esb::bank_, [](auto reg) {
       return reg.bank({.name = "i6300esb", .size = 16, .elsewhere = 0},
                       reg("PRELOAD_1", 0x00, &I6300esb::preload_1_)
                           .reset(kPreloadBits)
                           .writable(kPreloadBits)
                           .write_by(&I6300esb::set_preload_1),
                       reg("PRELOAD_2", 0x04, &I6300esb::preload_2_)
                           .reset(kPreloadBits)
                           .writable(kPreloadBits)
                           .write_by(&I6300esb::set_preload_2),
                       reg("INTERRUPT_STATUS", 0x08, &I6300esb::interrupt_)
                           .write_1_clears(kFirstStage)
                           .field("FIRST_STAGE", kFirstStage),
                       reg("RELOAD", 0x0c, 2)
                           .read_by(&I6300esb::timed_out)
                           .write_by(&I6300esb::write_reload)
                           .field("RELOAD", kReload)
                           .field("TIMEOUT", kTimeout));
     }).bar(0);
    s.state("timed-out", &I6300esb::timed_out_).survives_reset();
    s.state("unlock", &I6300esb::unlock_).range(0, kUnlocked);
    s.state("second-stage", &I6300esb::second_stage_);
    s.state("output-low", &I6300esb::output_low_);
    s.state("timer", &I6300esb::timer_);
  }

  I6300esb() {
    config_set16(pci::kStatus, 0x0280);
    config_set16(kConfig, 0, kConfigBits);
    config_set8(kLock, 0, kLockBits);
  }

  Result<> realize() override {
    TRY(PciDevice::realize());
    timer_.init(machine().virtual_clock(), [this] { expired(); });
    return {};
  }

  // WDT_TIMEOUT is powered by the battery: by it the next system knows what became of this one.
  void reset(ResetKind) override {
    timer_.cancel();
    unlock_ = kNotUnlocked;
    second_stage_ = false;
    output_low_ = false;
  }

  void config_write(unsigned reg, u32 value, unsigned size) override {
    const u8 before = config8(kLock);
    PciDevice::config_write(reg, value, size);
    const u8 lock = config8(kLock);
    if ((before & kLocked) != 0) return config_put8(kLock, before);
    if ((lock & kEnable) == 0)
      timer_.cancel();
    else if ((before & kEnable) == 0)
      start(free_running());
  }

 private:
  enum Reg : u8 { kConfig = 0x60, kLock = 0x68 };
  static constexpr u16 kConfigBits = 0x0027, kOutputOff = 0x20, kFast = 0x04, kInterruptType = 0x03,
                       kSmi = 0x02;
  static constexpr u8 kLockBits = 0x07, kLocked = 0x01, kEnable = 0x02, kFreeRunning = 0x04;
  static constexpr u32 kPreloadBits = 0xf'ffff, kFirstStage = 0x1;
  static constexpr u16 kReload = 0x100, kTimeout = 0x200, kFirstKey = 0x80, kSecondKey = 0x86;
  static constexpr u64 kPciHz = 33'000'000;
  static constexpr unsigned kSlowShift = 15, kFastShift = 5;
  static constexpr i64 kShortestPeriod = 200'000;
  enum Unlock : u8 { kNotUnlocked, kHalfWay, kUnlocked };

  bool free_running() const { return (config8(kLock) & kFreeRunning) != 0; }

  void start(bool second) {
    second_stage_ = second;
    const bool fast = (config16(kConfig) & kFast) != 0;
    const u64 clocks = u64{second ? preload_2_ : preload_1_} << (fast ? kFastShift : kSlowShift);
    const auto ns = static_cast<i64>(u128{clocks} * kNsPerSecond / kPciHz);
    timer_.arm_in(free_running() ? std::max(ns, kShortestPeriod) : ns);
  }

  void expired() {
    if (second_stage_) return time_out();
    interrupt_ |= kFirstStage;
    if ((config16(kConfig) & kInterruptType) == kSmi)
      if (const auto& management = machine().service<SystemManagement>(); management.interrupt)
        management.interrupt();
    start(true);
  }

  void time_out() {
    output_low_ = !free_running() || !output_low_;
    if (free_running()) start(true);
    if ((config16(kConfig) & kOutputOff) != 0) return;
    timed_out_ = true;
    if (output_low_) machine().service<MachineActions>().watchdog_expired();
  }

  /// Whether this write may be: the two keys have come, and nothing since.
  bool take_lock() {
    const bool open = unlock_ == kUnlocked;
    unlock_ = kNotUnlocked;
    if (!open) log_guest("i6300esb", "a register is written that was not unlocked");
    return open;
  }
  void set_preload_1(u32 value) {
    if (take_lock()) preload_1_ = value;
  }
  void set_preload_2(u32 value) {
    if (take_lock()) preload_2_ = value;
  }

  u16 timed_out() const { return timed_out_ ? kTimeout : u16{0}; }
  void write_reload(u16 value) {
    const auto key = static_cast<u16>(value & ~kTimeout);
    if (key == kFirstKey) {
      unlock_ = kHalfWay;
    } else if (key == kSecondKey && unlock_ == kHalfWay) {
      unlock_ = kUnlocked;
    } else if (take_lock()) {
      if ((value & kTimeout) != 0) timed_out_ = false;
      if ((value & kReload) != 0 && (config8(kLock) & kEnable) != 0) {
        output_low_ = false;
        start(free_running());
      }
    }
  }

  u32 preload_1_{}, preload_2_{}, interrupt_{};
  bool timed_out_{false};
  u8 unlock_{kNotUnlocked};
  bool second_stage_{false};  ///< the timer counts preload 2
  bool output_low_{false};    ///< WDT_TOUT#
  Timer timer_;
  RegisterBank bank_;
};

const RegisterType<I6300esb> registration;

}  // namespace
}  // namespace rhea::hw
