// SPDX-License-Identifier: GPL-2.0-or-later
// Port 0x61: the speaker, counter 2's gate, and what else the chipset put there.
#include "audio/audiodev.h"
#include "hw/misc/trace_events.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/speaker_timer.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {
namespace {

/// System control port B (PIIX3 datasheet 290550, 2.6.1; AT technical reference): gate of the
/// 8254's counter 2 (bit 0), speaker data (1), the NMI enables (2, 3), refresh toggle (4), OUT 2
/// (5).
///
/// A guest that measures its clock polls OUT 2 in a loop and takes the time of its last look before
/// OUT rose. Where the host takes the processor away between that look and the next, the
/// measurement comes out short, and nothing tells the guest. So a loop that is held up sees once
/// more what it saw before: it looks at its clock again and finds the gap. State: complete.
/// Missing: sound, sources of NMI (bits 6 and 7 read 0).
class PcSpeaker final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "isa-pcspk";
  static void describe(Schema<PcSpeaker>& s) {
    s.help("PC speaker and system control port B");
    s.property("iobase", &PcSpeaker::iobase_, u32{0x61}).range(0, 0xffff).help("I/O port");
    s.property("pit", &PcSpeaker::pit_path_, std::string())
        .help("path of the timer whose counter 2 it uses (default: the machine's)");
    s.property("audiodev", &PcSpeaker::audiodev_, std::string())
        .help("id of the -audiodev it sounds on (default: none)");
    s.state("control", &PcSpeaker::control_).range(0, kWritable);
    s.state("looks", &PcSpeaker::looks_);
    s.state("looked-at", &PcSpeaker::looked_at_);
    s.state("output-seen", &PcSpeaker::output_seen_);
  }

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  static constexpr u8 kGate = 0x01;
  static constexpr u8 kWritable = 0x0f;
  static constexpr u8 kRefresh = 0x10;
  static constexpr u8 kOutput = 0x20;
  static constexpr u64 kTimerHz = 1'193'182;
  static constexpr u64 kRefreshPulses = 18;  // counter 1 as every PC sets it: 15 us

  /// So many looks, no further apart, are a loop.
  static constexpr u8 kLoop = 64;
  static constexpr i64 kLoopStepNs = 20'000;

  SpeakerTimer* find_timer();
  bool loop_was_held_up();
  bool output();
  u64 read(u64 offset, unsigned size);
  void write(u64 offset, u64 value, unsigned size);

  u32 iobase_{};
  std::string pit_path_, audiodev_;
  u8 control_{0};
  u8 looks_{0};  ///< one closely behind the other
  i64 looked_at_{0};
  bool output_seen_{false};
  SpeakerTimer* timer_{};
  Region region_;
};

Result<> PcSpeaker::realize() {
  timer_ = find_timer();
  if (timer_ == nullptr && !pit_path_.empty())
    return fail("Property 'isa-pcspk.pit': '{}' is no timer", pit_path_);
  const auto& known = machine().service<audio::AudioBackends>().ids();
  if (!audiodev_.empty() && std::ranges::find(known, audiodev_) == known.end())
    return fail("Property 'isa-pcspk.audiodev' can't find value '{}'", audiodev_);
  region_.init_io(*this, "pcspk", 1, io<&PcSpeaker::read, &PcSpeaker::write>({.min = 1, .max = 1}));
  add_port(static_cast<u16>(iobase_), region_);
  return {};
}

// The timer may be a device of ours or the kernel's, and may come after this one.
SpeakerTimer* PcSpeaker::find_timer() {
  if (!pit_path_.empty()) return dynamic_cast<SpeakerTimer*>(resolve(pit_path_));
  SpeakerTimer* found = nullptr;
  machine().visit([&](Object& object) {
    if (auto* timer = dynamic_cast<SpeakerTimer*>(&object); found == nullptr) found = timer;
  });
  return found;
}

void PcSpeaker::reset(ResetKind) {
  control_ = 0;
  looks_ = 0;
  looked_at_ = 0;
  output_seen_ = false;
  timer_ = find_timer();
  if (timer_ != nullptr) timer_->set_gate(false);
}

bool PcSpeaker::loop_was_held_up() {
  const i64 now = machine().virtual_clock().now_ns();
  const bool close = now - std::exchange(looked_at_, now) < kLoopStepNs;
  const bool loop = looks_ == kLoop;
  looks_ = close ? std::min<u8>(looks_ + 1, kLoop) : 0;
  return loop && !close;
}

// OUT first: the processor may be taken away in between, and then OUT is of before.
bool PcSpeaker::output() {
  const bool output = timer_->output();
  const bool hides_rise = loop_was_held_up() && !output_seen_;
  output_seen_ = output && !hides_rise;
  return output_seen_;
}

u64 PcSpeaker::read(u64, unsigned) {
  u8 value = control_;
  if (machine().virtual_clock().ticks(kTimerHz) / kRefreshPulses % 2 != 0) value |= kRefresh;
  if (timer_ != nullptr && output()) value |= kOutput;
  return value;
}

void PcSpeaker::write(u64, u64 value, unsigned) {
  pcspk_write(*this, value);
  control_ = value & kWritable;
  looks_ = 0;
  if (timer_ != nullptr) timer_->set_gate((control_ & kGate) != 0);
}

const RegisterType<PcSpeaker> registration;

}  // namespace
}  // namespace rhea::hw
