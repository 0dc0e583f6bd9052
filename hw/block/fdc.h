// SPDX-License-Identifier: GPL-2.0-or-later
// The floppy disk controller.
#pragma once

#include "hw/block/drive_io.h"
#include "hw/block/floppy_drive.h"
#include "rhea/hw/boot_order.h"
#include "rhea/hw/isa.h"

#include <array>
#include <span>
#include <string>
#include <vector>

namespace rhea::hw {

/// Which part of a command the data register serves (82078, 5.1).
enum class FdcPhase : u8 { Command, Execution, Result };
/// What the execution phase does with sectors.
enum class FdcTask : u8 { None, Read, Write, Verify, Scan, Format };

}  // namespace rhea::hw

namespace rhea {
template <>
struct EnumTraits<hw::FdcPhase> {
  static constexpr std::string_view kType = "FdcPhase";
  static constexpr std::array<std::string_view, 3> kNames = {"command", "execution", "result"};
};
template <>
struct EnumTraits<hw::FdcTask> {
  static constexpr std::string_view kType = "FdcTask";
  static constexpr std::array<std::string_view, 6> kNames = {"none",   "read", "write",
                                                             "verify", "scan", "format"};
};
}  // namespace rhea

namespace rhea::hw {

/// The bytes of a command (at most 17) or of its result; no index can leave it.
class FdcFifo {
 public:
  static constexpr unsigned kSize = 32;
  u8 operator[](unsigned index) const { return bytes_[index % kSize]; }
  void set(unsigned index, u8 value) { bytes_[index % kSize] = value; }
  static void describe(StateFields<FdcFifo>& s) { s.state("bytes", &FdcFifo::bytes_); }

 private:
  std::array<u8, kSize> bytes_{};
};

/// Intel 82078 in AT mode (order number 290468), as a PC has it at 3F0h with interrupt 6 and DMA
/// channel 2. Implied seeks are on after reset, as firmware for virtual machines counts on it.
/// State: complete. Missing: FORMAT AND WRITE, FM recording, other sector sizes than 512, tape
/// drives, timing (seeks and transfers take no time of the guest's).
class Fdc final : public IsaDevice, public IsaDmaClient, public FirmwareNamed {
 public:
  static constexpr std::string_view kName = "isa-fdc";
  static void describe(Schema<Fdc>& s);

  Fdc();
  Result<> realize() override;
  std::string firmware_name() const override { return fmt::format("fdc@{:04x}", iobase_); }
  void reset(ResetKind kind) override;
  void pre_save() override;
  Result<> post_load(unsigned version) override;
  u32 dma_transfer(unsigned channel, u32 position, u32 size) override;

 private:
  struct Command;
  static const Command* find_command(u8 code);

  // Ports.
  u64 read_port(u64 offset, unsigned size);
  void write_port(u64 offset, u64 value, unsigned size);
  u64 read_digital_input(u64 offset, unsigned size);
  void write_configuration_control(u64 offset, u64 value, unsigned size);
  u8 status_a() const;
  u8 status_b() const;
  u8 main_status() const;
  void write_output(u8 value);
  void write_rate_select(u8 value);
  u8 read_fifo();
  void write_fifo(u8 value);

  // The course of a command.
  void begin_reset();
  void end_reset();
  void set_interrupt(bool pending);
  void execute();
  void result(std::initializer_list<u8> bytes);
  void command_done();  ///< without a result phase
  void invalid() { result({0x80}); }

  // Drives.
  FloppyDrive* drive(unsigned unit) const;
  FloppyDrive* addressed() const { return drive(fifo_[1] & 3); }
  u8 select_bits() const { return fifo_[1] & 7; }

  // Commands.
  void read_data();
  void read_deleted();
  void read_track();
  void write_data();
  void verify();
  void scan();
  void format_track();
  void read_id();
  void recalibrate();
  void seek();
  void relative_seek();
  void sense_interrupt();
  void sense_drive();
  void specify();
  void configure();
  void perpendicular();
  void dump_registers();
  void lock();
  void version() { result({0x90}); }
  void part_id() { result({0x41}); }
  void save_registers();
  void restore_registers();
  void drive_specification();
  void option() { command_done(); }
  void power_down() { result({fifo_[1]}); }
  void seek_ended(unsigned unit, u8 status);
  /// Steps the heads from where the controller believes them to be.
  void seek_to(u8 cylinder);

  // Sectors.
  void start(FdcTask task);
  /// Status 1 and 2 of a transfer that cannot begin; 0 if it can.
  u16 transfer_problem(const FloppyDrive* drive, bool write) const;
  bool implied_seek() const { return (config_ & 0x40) != 0; }
  bool uses_dma() const { return !non_dma_ && isa().dma() != nullptr; }
  void next_chunk();
  void chunk_loaded(bool ok, std::vector<u8> data);
  void chunk_stored(bool ok);
  void open_channel();
  void close_channel();
  void data_moved(u32 bytes);
  void chunk_moved();
  void store_chunk();
  void format_next();
  bool compare(std::span<const u8> host);
  void advance(u32 sectors);
  void next_side();
  void finish(u8 status0, u8 status1, u8 status2);
  bool to_host() const { return task_ == FdcTask::Read; }
  std::span<u8> rest();

  u32 iobase_{}, irq_number_{}, dma_channel_{};
  BootIndex boot_a_, boot_b_;
  FloppyDriveType type_a_{}, type_b_{}, fallback_{};
  bool check_media_rate_{true};
  Region base_region_, input_region_;
  IrqOutput irq_;
  FloppyBus* bus_{};

  // Registers.
  u8 output_{0};  ///< DOR
  u8 rate_{0};    ///< DSR, with the bits of CCR
  u8 tape_{0};    ///< TDR
  bool interrupt_{false};
  FdcPhase phase_{FdcPhase::Command};
  FdcFifo fifo_;
  u8 index_{0};                      ///< next byte of the FIFO
  u8 length_{0};                     ///< bytes of this command, or result
  u8 reset_senses_{0};               ///< reports that SENSE INTERRUPT owes after a reset
  std::array<u8, 4> seek_status_{};  ///< of each drive, when it owes one
  std::array<bool, 4> seek_done_{};
  /// Present cylinder numbers: where the controller believes each drive's heads to be. A reset
  /// forgets that, and moves nothing.
  std::array<u8, 4> present_{};
  // SPECIFY, CONFIGURE, PERPENDICULAR, LOCK, DRIVE SPECIFICATION.
  u8 step_unload_{0}, head_load_{0};
  bool non_dma_{false};
  u8 config_{0x60}, precompensation_{0};
  u8 perpendicular_{0};
  bool locked_{false};
  u8 last_count_{0};  ///< EOT or SC of the last command, for DUMPREG

  // The transfer under way.
  FdcTask task_{FdcTask::None};
  bool multi_track_{false};
  bool terminal_count_{false};
  u8 unit_{0}, cylinder_{0}, head_{0}, sector_{0}, last_sector_{0}, step_{1};
  u8 status2_{0};
  bool scan_equal_{false};
  u32 left_{0};  ///< sectors that VERIFY with a count, or FORMAT, still has to do
  u8 filler_{0};
  u32 chunk_{0};     ///< sectors of the buffer
  u32 position_{0};  ///< next byte of the buffer
  std::vector<u8> buffer_;
  std::vector<u8> compared_;  ///< SCAN: what is on the disk
  DriveIo io_;
};

}  // namespace rhea::hw
