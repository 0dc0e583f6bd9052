// SPDX-License-Identifier: GPL-2.0-or-later
// isa-fdc: declaration, ports, phases of a command.
#include "hw/block/fdc.h"

#include "hw/block/fdc_command.h"
#include "hw/block/trace_events.h"
#include "rhea/util/log.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea::hw {
namespace {

// DOR: drive select, not reset, interrupt and DMA gate, motors.
constexpr u8 kOutputNotReset = 0x04, kOutputGate = 0x08;
constexpr u8 kRateReset = 0x80;
// MSR.
constexpr u8 kStatusReady = 0x80, kStatusToHost = 0x40, kStatusNonDma = 0x20, kStatusBusy = 0x10;
constexpr u8 kInputChanged = 0x80;
constexpr u32 kBufferSize = 255 * 512;

}  // namespace

void Fdc::describe(Schema<Fdc>& s) {
  s.help("virtual floppy controller");
  s.property("iobase", &Fdc::iobase_, u32{0x3f0}).range(0, 0xfff8);
  s.property("irq", &Fdc::irq_number_, u32{6}).range(0, 15);
  s.property("dma", &Fdc::dma_channel_, u32{2}).range(0, 3);
  s.property("fdtypeA", &Fdc::type_a_, FloppyDriveType::Auto);
  s.property("fdtypeB", &Fdc::type_b_, FloppyDriveType::Auto);
  s.property("fallback", &Fdc::fallback_, FloppyDriveType::Fd288);
  s.property("check_media_rate", &Fdc::check_media_rate_, true);
  BootIndex::declare(s, "bootindexA", &Fdc::boot_a_);
  BootIndex::declare(s, "bootindexB", &Fdc::boot_b_);
  s.state("output", &Fdc::output_);
  s.state("rate", &Fdc::rate_);
  s.state("tape", &Fdc::tape_);
  s.state("interrupt", &Fdc::interrupt_);
  s.state("phase", &Fdc::phase_);
  s.state("fifo", &Fdc::fifo_);
  s.state("index", &Fdc::index_).range(0, FdcFifo::kSize);
  s.state("length", &Fdc::length_).range(0, FdcFifo::kSize);
  s.state("reset-senses", &Fdc::reset_senses_).range(0, 4);
  s.state("seek-status", &Fdc::seek_status_);
  s.state("seek-done", &Fdc::seek_done_);
  s.state("present-cylinder", &Fdc::present_);
  s.state("step-unload", &Fdc::step_unload_);
  s.state("head-load", &Fdc::head_load_);
  s.state("non-dma", &Fdc::non_dma_);
  s.state("config", &Fdc::config_);
  s.state("precompensation", &Fdc::precompensation_);
  s.state("perpendicular", &Fdc::perpendicular_);
  s.state("locked", &Fdc::locked_);
  s.state("last-count", &Fdc::last_count_);
  s.state("task", &Fdc::task_);
  s.state("multi-track", &Fdc::multi_track_);
  s.state("terminal-count", &Fdc::terminal_count_);
  s.state("unit", &Fdc::unit_).range(0, 3);
  s.state("cylinder", &Fdc::cylinder_);
  s.state("head", &Fdc::head_).range(0, 1);
  s.state("sector", &Fdc::sector_);
  s.state("last-sector", &Fdc::last_sector_);
  s.state("step", &Fdc::step_);
  s.state("status2", &Fdc::status2_);
  s.state("scan-equal", &Fdc::scan_equal_);
  s.state("left", &Fdc::left_).range(0, 256);
  s.state("filler", &Fdc::filler_);
  s.state("chunk", &Fdc::chunk_).range(0, 255);
  s.state("position", &Fdc::position_).range(0, kBufferSize);
  s.state("buffer", &Fdc::buffer_).range(0, kBufferSize);
  s.state("compared", &Fdc::compared_).range(0, kBufferSize);
}

Fdc::Fdc() { bus_ = &add_child("floppy-bus.0", create<FloppyBus>()); }

Result<> Fdc::realize() {
  if (fallback_ == FloppyDriveType::Auto)
    return fail("Property 'isa-fdc.fallback' must name a drive type, not 'auto'");
  TRY(boot_a_.join(*this, "/floppy@0"));
  TRY(boot_b_.join(*this, "/floppy@1"));
  bus_->set_types({type_a_, type_b_}, fallback_);
  constexpr AccessSizes kBytes{.min = 1, .max = 1};
  base_region_.init_io(
      *this, "fdc", 6,
      io<&Fdc::read_port, &Fdc::write_port>({.min = 1, .max = 4, .unaligned = true}, kBytes));
  input_region_.init_io(*this, "fdc-input", 1,
                        io<&Fdc::read_digital_input, &Fdc::write_configuration_control>(kBytes));
  add_port(static_cast<u16>(iobase_), base_region_);
  add_port(static_cast<u16>(iobase_ + 7), input_region_);
  if (isa().dma() != nullptr) isa().dma()->register_client(dma_channel_, *this);
  return connect_isa_irq(irq_, irq_number_);
}

void Fdc::reset(ResetKind) {
  locked_ = false;
  output_ = kOutputNotReset | kOutputGate;
  rate_ = 0;
  tape_ = 0;
  step_unload_ = head_load_ = 0;
  non_dma_ = false;
  perpendicular_ = 0;
  last_count_ = 0;
  fifo_ = {};
  begin_reset();
  // No interrupt: nobody has asked for this reset through the registers.
  reset_senses_ = 0;
  set_interrupt(false);
}

// What RESET# and the reset bits do; what LOCK protects stays.
void Fdc::begin_reset() {
  io_.cancel();
  close_channel();
  task_ = FdcTask::None;
  phase_ = FdcPhase::Command;
  index_ = length_ = 0;
  seek_done_ = {};
  seek_status_ = {};
  present_ = {};
  terminal_count_ = multi_track_ = scan_equal_ = false;
  unit_ = cylinder_ = head_ = sector_ = last_sector_ = status2_ = filler_ = 0;
  step_ = 1;
  left_ = chunk_ = position_ = 0;
  buffer_.clear();
  compared_.clear();
  if (!locked_) {
    config_ = 0x60;  // implied seek, no FIFO, polling
    precompensation_ = 0;
  }
  set_interrupt(false);
}

// Polling finds that all four drives have become ready (5.2.6).
void Fdc::end_reset() {
  reset_senses_ = 4;
  set_interrupt(true);
}

void Fdc::set_interrupt(bool pending) {
  interrupt_ = pending;
  irq_.set(interrupt_ && (output_ & kOutputGate) != 0);
}

FloppyDrive* Fdc::drive(unsigned unit) const {
  FloppyDrive* found = bus_->drive(unit);
  return found != nullptr && found->drive_type() != FloppyDriveType::None ? found : nullptr;
}

// ---- Ports

u64 Fdc::read_port(u64 offset, unsigned) {
  u8 value = 0xff;
  switch (offset) {
    case 0: value = status_a(); break;
    case 1: value = status_b(); break;
    case 2: value = output_; break;
    case 3: value = tape_; break;
    case 4: value = main_status(); break;
    case 5: value = read_fifo(); break;
    default: break;
  }
  fdc_ioport_read(*this, offset, value);
  return value;
}

void Fdc::write_port(u64 offset, u64 value, unsigned) {
  fdc_ioport_write(*this, offset, value);
  const auto byte = static_cast<u8>(value);
  switch (offset) {
    case 2: return write_output(byte);
    case 3: tape_ = byte & 3; return;
    case 4: return write_rate_select(byte);
    case 5: return write_fifo(byte);
    default: return;
  }
}

// The lower bits are not driven in AT mode.
u64 Fdc::read_digital_input(u64, unsigned) {
  const FloppyDrive* selected = drive(output_ & 3);
  const u8 value =
      selected != nullptr && (selected->changed() || !selected->has_medium()) ? kInputChanged : 0;
  fdc_ioport_read(*this, 7, value);
  return value;
}

void Fdc::write_configuration_control(u64, u64 value, unsigned) {
  fdc_ioport_write(*this, 7, value);
  rate_ = static_cast<u8>((rate_ & ~3) | (value & 3));
}

// SRA (2.1.1): interrupt pending, no second drive, track 0, head, write protect.
u8 Fdc::status_a() const {
  const FloppyDrive* selected = drive(output_ & 3);
  u8 value = interrupt_ ? 0x80 : 0;
  if (bus_->drive(1) == nullptr) value |= 0x40;
  if (selected == nullptr || selected->cylinder() != 0) value |= 0x10;
  if (head_ != 0) value |= 0x08;
  if (selected == nullptr || !selected->write_protected()) value |= 0x02;
  return value;
}

// SRB (2.1.2): drive select and motors.
u8 Fdc::status_b() const { return static_cast<u8>(0xc0 | (output_ & 1) << 5 | (output_ >> 4 & 3)); }

u8 Fdc::main_status() const {
  if ((output_ & kOutputNotReset) == 0) return 0;
  switch (phase_) {
    case FdcPhase::Command: return kStatusReady | (index_ != 0 ? kStatusBusy : 0);
    case FdcPhase::Result: return kStatusReady | kStatusToHost | kStatusBusy;
    default: break;
  }
  if (uses_dma()) return kStatusBusy;
  const bool ready = position_ < buffer_.size() && !io_.busy();
  return static_cast<u8>(kStatusBusy | kStatusNonDma | (ready ? kStatusReady : 0) |
                         (to_host() ? kStatusToHost : 0));
}

void Fdc::write_output(u8 value) {
  const u8 before = output_;
  output_ = value;
  if ((value & kOutputNotReset) == 0)
    begin_reset();
  else if ((before & kOutputNotReset) == 0)
    end_reset();
  set_interrupt(interrupt_);
}

void Fdc::write_rate_select(u8 value) {
  rate_ = value & 0x7f;
  if ((value & kRateReset) == 0 || (output_ & kOutputNotReset) == 0) return;
  begin_reset();
  end_reset();
}

// ---- The data register

u8 Fdc::read_fifo() {
  if ((output_ & kOutputNotReset) == 0) return 0;
  if (phase_ == FdcPhase::Execution && to_host() && !uses_dma()) {
    const auto data = rest();
    if (data.empty()) return 0;
    const u8 value = data.front();
    set_interrupt(false);
    data_moved(1);
    return value;
  }
  if (phase_ != FdcPhase::Result) {
    log_guest(kName, "the data register was read when there is nothing to read");
    return 0;
  }
  const u8 value = fifo_[index_++];
  set_interrupt(false);
  if (index_ >= length_) command_done();
  return value;
}

void Fdc::write_fifo(u8 value) {
  if ((output_ & kOutputNotReset) == 0) return;
  if (phase_ == FdcPhase::Execution && !to_host() && !uses_dma()) {
    const auto data = rest();
    if (data.empty()) return;
    data.front() = value;
    set_interrupt(false);
    return data_moved(1);
  }
  if (phase_ != FdcPhase::Command)
    return log_guest(kName, "{:#04x} was written in another phase", value);
  if (index_ == 0) {
    const Command* command = find_command(value);
    length_ = command != nullptr ? command->length : 1;
  }
  fifo_.set(index_++, value);
  // DRIVE SPECIFICATION goes on until a byte with the highest bit.
  const bool last = fifo_[0] == kDriveSpecification && index_ > 1 && (value & 0x80) != 0;
  if (index_ >= length_ || last) execute();
}

void Fdc::execute() {
  if (fdc_command.enabled()) {
    std::string text;
    for (unsigned i = 0; i < index_; ++i) text += fmt::format("{:02x} ", fifo_[i]);
    fdc_command(*this, text);
  }
  const Command* command = find_command(fifo_[0]);
  if (command == nullptr) {
    log_guest(kName, "command {:#04x} is not known", fifo_[0]);
    return invalid();
  }
  (this->*command->run)();
}

void Fdc::result(std::initializer_list<u8> bytes) {
  task_ = FdcTask::None;
  phase_ = FdcPhase::Result;
  index_ = 0;
  length_ = 0;
  for (const u8 byte : bytes) fifo_.set(length_++, byte);
  if (fdc_result.enabled()) fdc_result(*this, fmt::format("{:02x}", fmt::join(bytes, " ")));
}

void Fdc::command_done() {
  task_ = FdcTask::None;
  phase_ = FdcPhase::Command;
  index_ = length_ = 0;
}

// ---- State

void Fdc::pre_save() {
  for (unsigned unit = 0; unit < FloppyBus::kUnits; ++unit)
    if (const FloppyDrive* d = bus_->drive(unit); d != nullptr && d->backend() != nullptr)
      d->backend()->drain();
}

Result<> Fdc::post_load(unsigned) {
  io_.cancel();
  irq_.set(interrupt_ && (output_ & kOutputGate) != 0);
  if (position_ > buffer_.size())
    return fail("the position in the data buffer is out of range: {} of {}", position_,
                buffer_.size());
  return {};
}

namespace {
const RegisterType<Fdc> registration;
}  // namespace

}  // namespace rhea::hw
