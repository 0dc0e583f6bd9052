// SPDX-License-Identifier: GPL-2.0-or-later
// What ATA disks and ATAPI drives have in common: the task file, interrupts, the data register,
// DMA, and disk requests that can be forgotten.
#pragma once

#include "hw/block/drive_io.h"
#include "hw/ide/ata_identify.h"
#include "hw/ide/ide_bus.h"
#include "rhea/block/block_backend.h"
#include "rhea/hw/boot_order.h"
#include "rhea/qom/device.h"

#include <string>
#include <vector>

namespace rhea::hw {

inline constexpr u8 kAtaExecuteDiagnostic = 0x90, kDeviceResetCommand = 0x08;

/// Bits of the status register (ATA/ATAPI-6, 7.15).
inline constexpr u8 kStatusError = 0x01, kStatusDrq = 0x08, kStatusSeekComplete = 0x10,
                    kStatusFault = 0x20, kStatusReady = 0x40, kStatusBusy = 0x80;
/// Bits of the error register (7.9).
inline constexpr u8 kErrorAbort = 0x04, kErrorNotFound = 0x10, kErrorUncorrectable = 0x40;
/// Bits of the device register (7.7).
inline constexpr u8 kDeviceLba = 0x40, kDeviceUnit = 0x10;

/// The command block registers; the previous contents of the two-deep ones are what HOB shows.
struct TaskFile {
  u8 features{}, count{}, lba_low{}, lba_mid{}, lba_high{};
  u8 previous_features{}, previous_count{}, previous_lba_low{}, previous_lba_mid{},
      previous_lba_high{};
  u8 device{}, error{}, status{};

  static void describe(StateFields<TaskFile>& s);
  u8 read(unsigned n, bool previous) const;
  void write(unsigned n, u8 value);
};

/// Which way the data register or DMA moves data just now.
enum class IdeTransfer : u8 { None, In, Out };

}  // namespace rhea::hw

namespace rhea {
template <>
struct EnumTraits<hw::IdeTransfer> {
  static constexpr std::string_view kType = "IdeTransfer";
  static constexpr std::array<std::string_view, 3> kNames = {"none", "in", "out"};
};
}  // namespace rhea

namespace rhea::hw {

/// A device on an IDE cable. Derived classes know the commands; this class knows the protocols
/// (ATA/ATAPI-6, chapter 9): they hand it buffers and hear when the host has moved them.
class IdeDevice : public Device, public FirmwareNamed {
 public:
  static constexpr std::string_view kName = "ide-device";
  static constexpr std::string_view kBus = "IDE";
  using Extendable = IdeDevice;
  static void describe(Schema<IdeDevice>& s);
  /// The longest piece of a transfer that is held at a time.
  static constexpr u32 kBufferSize = 128 * KiB;

  // For the bus.
  i32 wanted_unit() const { return unit_; }
  void set_unit(unsigned unit) { unit_ = static_cast<i32>(unit); }
  u8 status() const { return task_.status; }
  bool busy() const { return (task_.status & (kStatusBusy | kStatusDrq)) != 0; }
  bool interrupt() const { return interrupt_; }
  void set_interrupt(bool on);
  u8 read_register(unsigned n, bool previous) const { return task_.read(n, previous); }
  void write_register(unsigned n, u8 value) { task_.write(n, value); }
  u32 read_data(unsigned size);
  void write_data(u32 value, unsigned size);
  void execute(u8 command);
  void diagnose();
  void enter_soft_reset();
  void leave_soft_reset() { diagnose(); }
  void dma_ready();

  std::string firmware_name() const override;
  void reset(ResetKind kind) override;
  void pre_save() override;
  Result<> post_load(unsigned version) override;

 protected:
  /// BSY is set, the old error and interrupt are gone.
  virtual void command(u8 code) = 0;
  /// Power-on and DEVICE RESET values of the registers (9.12).
  virtual void set_signature() = 0;
  /// DEVICE RESET, the one command that a busy device takes; false when this is not such a device.
  virtual bool device_reset() { return false; }
  /// Soft or hard reset: forget the command under way.
  virtual void forget() {}
  /// A DRQ block of `bytes` is about to be shown.
  virtual void block_begins(u32 /*bytes*/) {}
  /// The host has taken (given) all of the buffer.
  virtual void transfer_done() = 0;
  /// The outcome of read_drive, write_drive or flush_drive; `data` is what was read.
  virtual void drive_done(bool ok, std::vector<u8> data) = 0;
  /// How the drive changes this device's medium, if it may.
  virtual MediaDevice* media() { return nullptr; }

  Result<> realize() override;

  IdeBus& ide_bus() const { return static_cast<IdeBus&>(*parent_bus()); }
  /// Ends a command.
  void finish(u8 status, u8 error, bool interrupt);
  /// Shows `data` to the host in DRQ blocks of `block` bytes, each with an interrupt.
  void pio_in(std::vector<u8> data, u32 block);
  /// Asks for `bytes` bytes; `interrupt` says whether the first block has one.
  void pio_out(u32 bytes, u32 block, bool interrupt);
  void dma_in(std::vector<u8> data);
  void dma_out(u32 bytes);
  std::span<const u8> buffer() const { return buffer_; }
  /// What IDENTIFY shows where the user said nothing; guests know disks of an older life by them.
  std::string shown_serial() const;
  std::string shown_version() const { return version_.empty() ? "2.5+" : version_; }

  // Disk work; one at a time, answered by drive_done unless cancel() came before.
  void read_drive(u64 offset, u32 bytes);
  void write_drive(u64 offset);  ///< the buffer
  void flush_drive();
  void discard_drive(u64 offset, u32 bytes);
  void cancel() { io_.cancel(); }
  /// Goes past the chunk that was moved; false when nothing remains.
  bool next_chunk();
  /// Refuses a loaded command that reaches beyond the medium.
  Result<> check_extent(u64 sectors) const;

  TaskFile task_;
  BlockBackend* drive_{};
  std::string serial_, model_, version_;
  u64 wwn_{};
  u32 logical_block_size_{}, physical_block_size_{};
  OnOffAuto write_cache_property_{};
  OnError on_read_error_{}, on_write_error_{};
  AtaModes modes_;
  // The command under way, in the medium's sectors: where the chunk that is being moved begins, how
  // much is left with it, and how long it is.
  u64 lba_{0};
  u32 remaining_{0};
  u32 chunk_{0};

 private:
  DriveIo::Done tell_owner();
  Result<> hold_loaded(HeldRequest held);
  void begin(IdeTransfer direction, u32 block, bool dma);
  void show_block(bool interrupt);
  u32 movable(u32 size) const;
  void moved(u32 bytes);
  void pump_dma();

  i32 unit_{-1};
  BootIndex boot_index_;
  bool interrupt_{false};
  IdeTransfer transfer_{IdeTransfer::None};
  bool dma_{false};
  u32 position_{0};   ///< next byte of the buffer
  u32 block_{0};      ///< bytes of a DRQ block
  u32 block_end_{0};  ///< where the present one ends
  std::vector<u8> buffer_;
  DriveIo io_;
  HeldRequest held_;  ///< of io_, while it is saved or loaded
};

}  // namespace rhea::hw
