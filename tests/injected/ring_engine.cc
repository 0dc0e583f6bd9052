// SPDX-License-Identifier: GPL-2.0-or-later
// The engine; each bug is a condition at the line that it spoils.
#include "tests/injected/ring_engine.h"

#include "rhea/util/log.h"

#include <algorithm>
#include <bit>

namespace injected {

enum RingEngine::Register : u64 {
  kId = 0x00,
  kControl = 0x04,
  kStatus = 0x08,
  kRingBase = 0x0c,
  kRingSize = 0x10,
  kHead = 0x14,
  kDoorbell = 0x18,
  kIndex = 0x1c,
  kTable = 0x20,
  kData = 0x24,
  kPeriod = 0x28,
  kTime = 0x2c,
  kRate = 0x30,
  kScratch = 0x34,
  kOption = 0x38,
  kBuffer = 0x400,
};

namespace {

constexpr u64 kBarBytes = 0x1000, kWindow = 0x800, kPort = 0x600;
constexpr u32 kIrqEnable = 1, kSoftReset = 2, kShowWindow = 4, kPeriodic = 8;
constexpr u32 kDone = 1, kError = 2, kTick = 4;
constexpr u32 kOwn = 1, kToMemory = 2, kChain = 4, kSkip = 8;
constexpr u32 kMostRing = 64, kLeastPeriod = 100;
constexpr unsigned kBudget = 16;

}  // namespace

void RingEngine::describe(Schema<RingEngine>& s) {
  s.help("ring engine, for tests of the tests");
  s.property("entries", &RingEngine::entries_, u32{16}).range(1, 256).help("of its table");
  s.link("chardev", &RingEngine::chardev_).help("its serial line");
  s.state("control", &RingEngine::control_);
  s.state("status", &RingEngine::status_);
  s.state("head", &RingEngine::head_);
  s.state("period", &RingEngine::period_);
  s.state("scratch", &RingEngine::scratch_);
  s.state("option", &RingEngine::option_);
  s.state("since", &RingEngine::since_);
  s.state("table", &RingEngine::table_);
  s.state("fifo", &RingEngine::fifo_);
  s.state("fifo-level", &RingEngine::fifo_level_).range(0, kFifoBytes);
  s.state("waiting", &RingEngine::waiting_).range(0, kMostWaiting);
}

RingEngine::RingEngine(Bug bug) : bug_(bug) {
  set_identity(kPci);
  init_gpio_out("alarm", alarm_);
  if (!has(Bug::MemberUninitialised)) option_ = 0;
}

Result<> RingEngine::realize() {
  TRY(PciDevice::realize());
  if (has(Bug::FailedRealizeLeavesThings)) TRY(attach_line());
  if (!std::has_single_bit(entries_))
    return fail("Property 'entries' must be a power of two, not {}", entries_);
  if (!has(Bug::FailedRealizeLeavesThings)) TRY(attach_line());
  table_.assign(entries_, 0);
  buffer_.assign(kBufferBytes, 0);
  fifo_.assign(kFifoBytes, 0);
  bar_.init_container(this, "ring", kBarBytes);
  registers_.init_io(*this, "ring-registers", kWindow,
                     io<&RingEngine::read, &RingEngine::write>({.min = 4, .max = 4}));
  window_.init_io(*this, "ring-window", kWindow,
                  io<&RingEngine::read_window, &RingEngine::write_window>({.min = 4, .max = 4}));
  bar_.add(0, registers_);
  bar_.add(kWindow, window_);
  TRY(bar(0, bar_));
  port_.init_io(*this, "ring-port", 4,
                io<&RingEngine::read_window, &RingEngine::write_window>({.min = 4, .max = 4}));
  machine().system_io().add(kPort, port_);
  timer_.init(has(Bug::TimerOfTheHost) ? machine().realtime_clock() : machine().virtual_clock(),
              [this] { tick(); });
  later_.init(machine().loop(), [this] { work(); });
  return {};
}

void RingEngine::unrealize() {
  if (!has(Bug::TimerAfterUnplug)) timer_.cancel();
  later_.cancel();
  if (chardev_ != nullptr && !has(Bug::ChardevNotDetached)) chardev_->detach(this);
  alarm_.lower();
  PciDevice::unrealize();
  if (!has(Bug::RegionLeftAtUnplug)) port_.reset();
  registers_.reset();
  window_.reset();
  bar_.reset();
}

void RingEngine::reset(ResetKind) {
  if (!has(Bug::TimerNotReset)) timer_.cancel();
  if (!has(Bug::RegisterNotReset)) period_ = 0;
  if (!has(Bug::MemberUninitialised)) option_ = 0;
  later_.cancel();
  control_ = status_ = ring_base_ = index_ = head_ = scratch_ = fifo_level_ = 0;
  scratch_of_all = has(Bug::StaticState) ? scratch_of_all : 0;
  ring_size_ = 1;
  since_ = 0;
  pending_ = false;
  std::ranges::fill(table_, 0);
  std::ranges::fill(buffer_, u8{0});
  std::ranges::fill(fifo_, u8{0});
  waiting_.clear();
  window_.set_enabled(false);
  if (!has(Bug::LineHighAtReset)) alarm_.lower();
}

Result<> RingEngine::post_load(unsigned) {
  if (!has(Bug::LoadedSizeUnchecked) && (ring_size_ == 0 || ring_size_ > kMostRing))
    return fail("its ring has a wrong size: {}", ring_size_);
  if (head_ >= ring_size_ && !has(Bug::LoadedSizeUnchecked))
    return fail("its ring has no entry {}", head_);
  if (has(Bug::PostLoadRefusesItsOwn) && status_ > kDone) return fail("its status is {}", status_);
  if (!has(Bug::DerivedNotRemade)) window_.set_enabled((control_ & kShowWindow) != 0);
  alarm_.set((status_ & kTick) != 0);
  return {};
}

u64 RingEngine::read(u64 offset, unsigned) {
  if (offset >= kBuffer && offset < kBuffer + kBufferBytes) return buffer_[offset - kBuffer];
  switch (offset) {
    case kId: return 0x474e4952;
    case kControl: return control_;
    case kStatus: return status_;
    case kRingBase: return ring_base_;
    case kRingSize: return ring_size_;
    case kHead: return head_;
    case kIndex: return index_;
    case kTable: return table_entry(index_);
    case kData: return take();
    case kPeriod: return period_;
    case kTime: return static_cast<u32>(now_us() - since_);
    case kRate: return period_ == 0 && !has(Bug::DivisionByZero) ? 0 : 1'000'000 / period_;
    case kScratch: return scratch();
    case kOption: return option_;
    default: return 0;
  }
}

void RingEngine::write(u64 offset, u64 raw, unsigned) {
  const auto value = static_cast<u32>(raw);
  switch (offset) {
    case kControl: return write_control(value);
    case kStatus:
      status_ &= ~value;
      if ((value & kTick) != 0) pending_ = false;
      alarm_.set((status_ & kTick) != 0);
      return update();
    case kRingBase: ring_base_ = value; return;
    case kRingSize:
      ring_size_ = std::clamp(value, u32{1}, kMostRing);
      head_ = 0;
      return;
    case kDoorbell:
      // Twice, as one that waits for the guest to be done with its ring.
      if (has(Bug::CallAfterUnplug))
        return machine().loop().defer([this] { machine().loop().defer([this] { work(); }); });
      return later_.schedule();
    case kIndex: return write_index(value);
    case kTable:
      if (has(Bug::ExceptionReachable)) table_.at(value >> 16) = value;
      table_[index_] = value;
      return;
    case kData: return send(static_cast<u8>(value));
    case kPeriod: return write_period(value);
    case kTime: since_ = now_us(); return;
    case kScratch: scratch() = value; return;
    case kOption: option_ = value & 3; return;
    default: break;
  }
  if (has(Bug::MessagesWithoutLimit)) return report_warning("ring engine: no such register");
  log_guest("ring-engine", "no register at {:#x}", offset);
}

void RingEngine::write_control(u32 value) {
  control_ = value & (kIrqEnable | kShowWindow | kPeriodic);
  window_.set_enabled((control_ & kShowWindow) != 0);
  if ((value & kSoftReset) != 0) {
    timer_.cancel();
    alarm_.lower();
    status_ = head_ = 0;
    pending_ = false;
    if (has(Bug::SoftResetLeavesIntx)) return;
  }
  update();
}

void RingEngine::write_index(u32 value) {
  const auto size = static_cast<u32>(table_.size());
  if (has(Bug::IndexUnbounded))
    index_ = value;
  else if (has(Bug::IndexOffByOne))
    index_ = std::min(value, size);
  else
    index_ = value % size;
}

void RingEngine::write_period(u32 value) {
  if (has(Bug::AssertionReachable)) RHEA_ASSERT(value < 1'000'000);
  period_ = value % 1'000'000;
  timer_.cancel();
  if (value != 0 || has(Bug::TimerOfNoDelay)) arm();
}

u32 RingEngine::table_entry(u32 index) { return table_[index]; }

u32& RingEngine::scratch() { return has(Bug::StaticState) ? scratch_of_all : scratch_; }

u64 RingEngine::now_us() const {
  const Clock& clock =
      has(Bug::ClockOfTheHost) ? machine().realtime_clock() : machine().virtual_clock();
  return static_cast<u64>(clock.now_ns()) / 1000;
}

// Entries that the guest gave away, at most a budget of them.
void RingEngine::work() {
  for (unsigned n = 0; n < kBudget || has(Bug::RingWithoutBudget); ++n) {
    u64 at = u64{ring_base_} + head_ * sizeof(Descriptor);
    Descriptor descriptor{};
    if (dma().read_value(at, descriptor) != MemResult::Ok || (descriptor.flags & kOwn) == 0) break;
    head_ = (head_ + 1) % ring_size_;
    if ((descriptor.flags & kSkip) != 0) continue;
    for (unsigned links = 0; links < kBudget || has(Bug::ChainEndless); ++links) {
      if (!serve(at, descriptor) || (descriptor.flags & kChain) == 0) break;
      at = descriptor.next;
      if (dma().read_value(at, descriptor) != MemResult::Ok) break;
    }
  }
  update();
}

bool RingEngine::serve(u64 at, Descriptor& descriptor) {
  const bool done = copy(descriptor);
  status_ |= done ? kDone : kError;
  const u32 flags = descriptor.flags & ~kOwn;
  return dma().write_value(at + offsetof(Descriptor, flags), flags) == MemResult::Ok && done;
}

bool RingEngine::copy(const Descriptor& descriptor) {
  if (has(Bug::AllocationOfGuestSize)) {
    std::vector<u8> bounce(descriptor.length);
    if (dma().read(descriptor.address, bounce) != MemResult::Ok) return false;
  }
  if (descriptor.length > kBufferBytes && !has(Bug::LengthUnchecked)) return false;
  const std::span part(buffer_.data(), descriptor.length);
  if ((descriptor.flags & kToMemory) != 0) {
    if (has(Bug::DmaAroundTheApi))
      return machine().memory().write(descriptor.address, part) == MemResult::Ok;
    return dma().write(descriptor.address, part) == MemResult::Ok;
  }
  if (has(Bug::DmaResultIgnored)) {
    const auto bounce = std::make_unique_for_overwrite<u8[]>(descriptor.length);
    (void)dma().read(descriptor.address, {bounce.get(), descriptor.length});
    std::copy_n(bounce.get(), descriptor.length, buffer_.begin());
    return true;
  }
  return dma().read(descriptor.address, part) == MemResult::Ok;
}

void RingEngine::tick() {
  status_ |= kTick;
  pending_ = true;
  alarm_.raise();
  update();
  if ((control_ & kPeriodic) != 0) arm();
}

void RingEngine::arm() {
  const u32 least = has(Bug::TimerOfNoDelay) ? 0 : kLeastPeriod;
  timer_.arm_in(i64{std::max(period_, least)} * 1000);
}

void RingEngine::update() {
  const bool level = pending_ || (status_ & (kDone | kError)) != 0;
  set_intx(level && (control_ & kIrqEnable) != 0);
}

Result<> RingEngine::attach_line() {
  if (chardev_ == nullptr) return {};
  Chardev::FrontEnd front_end;
  front_end.can_receive = [this] { return can_receive(); };
  front_end.receive = [this](std::span<const u8> data) { receive(data); };
  front_end.can_send = [this] { flush(); };
  front_end.owner = this;
  return chardev_->attach(std::move(front_end));
}

std::size_t RingEngine::can_receive() const {
  return has(Bug::FifoOverrun) ? kFifoBytes : kFifoBytes - fifo_level_;
}

void RingEngine::receive(std::span<const u8> data) {
  for (const u8 byte : data) fifo_[fifo_level_++] = byte;
}

u32 RingEngine::take() {
  if (fifo_level_ == 0) return 0;
  const u8 first = fifo_[0];
  std::ranges::rotate(fifo_, fifo_.begin() + 1);
  if (--fifo_level_ == 0 && chardev_ != nullptr) chardev_->accept_input();
  return u32{first} | 0x100;
}

void RingEngine::send(u8 byte) {
  if (chardev_ == nullptr) return;
  const bool full = waiting_.size() >= kMostWaiting && !has(Bug::QueueWithoutBound);
  if (!full) waiting_.push_back(byte);
  flush();
}

void RingEngine::flush() {
  const std::size_t sent = waiting_.empty() ? 0 : chardev_->write(waiting_);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent));
}

namespace {
const RegisterAbstractType<RingEngine, PciDevice> engine_registration;
}  // namespace

}  // namespace injected
