// SPDX-License-Identifier: GPL-2.0-or-later
// The memory balloon (OASIS Virtual I/O Device 1.2, 5.5), however it is reached.
#pragma once

#include "hw/virtio/memory_balloon.h"
#include "hw/virtio/virtio_core.h"
#include "rhea/softmmu/clock.h"
#include "rhea/softmmu/deferred.h"
#include "rhea/util/message_limit.h"

#include <array>
#include <string>

namespace rhea::hw {

namespace virtio_balloon {

// Feature bits.
inline constexpr unsigned kStatistics = 1, kDeflateOnOom = 2, kPagePoison = 4, kReporting = 5;
// Configuration.
inline constexpr std::size_t kTargetAt = 0, kActualAt = 4, kPoisonAt = 12, kShortConfig = 8,
                             kConfigBytes = 16;
inline constexpr u16 kInflateQueue = 0, kDeflateQueue = 1, kStatisticsQueue = 2, kReportQueue = 3;
inline constexpr unsigned kPageShift = 12;

inline constexpr std::array kFeatures{
    VirtioFeature{"deflate-on-oom", kDeflateOnOom, false,
                  "the guest takes pages back when it runs out of memory; off"},
    VirtioFeature{"page-poison", kPagePoison, true, "the guest says what free pages hold; on"},
    VirtioFeature{"free-page-reporting", kReporting, false,
                  "the guest tells of pages that it does not use; off"}};

}  // namespace virtio_balloon

/// The guest's pages that its driver hands in go back to the host, and are the guest's again when
/// it touches them. A part of a long list in each turn.
class VirtioBalloon : public VirtioFunction, public MemoryBalloon {
 public:
  template <class Self>
  static void declare(Schema<Self>& s);

  VirtioKind kind() const final;
  Result<> start(Device& owner, VirtioCore& core) final;
  void serve(u16 number) final;
  void reset() final;
  void queue_reset(u16 number) final;
  Result<> loaded() final;
  std::span<u8> config() final { return std::span(config_).first(config_bytes_); }
  void config_written(u64 offset, unsigned size) final;

  u64 guest_bytes() const final;
  void set_target(u64 bytes) final;

 protected:
  VirtioBalloon() = default;
  ~VirtioBalloon() = default;

 private:
  static constexpr std::size_t kKinds = 10;  ///< of statistics
  static constexpr u64 kUnknown = ~u64{0};

  Result<> take_the_place();
  u64 bytes_left() const;
  void fill_config();
  void tell_tools();
  u16 queues() const;

  // Pages.
  void use_queue(u16 number);
  bool finish(u16 number, u64& pages);
  bool give_back_listed(u64& pages);
  bool give_back_reported(u64& pages);
  void give_back(const AddressSpace& space, u64 address, u64 bytes);

  // Statistics.
  std::string statistics_text() const;
  Result<> set_polling(const Value& value);
  void take_statistics();
  void read_statistics();
  void forget_statistics();
  void ask_for_statistics();
  void poll_in_time();

  u64 features_{usually_offered(virtio_balloon::kFeatures)};  ///< that properties switch
  bool hints_{}, whole_config_{};
  u32 polling_s_{0};  ///< seconds; 0: off

  VirtioCore* core_{};
  Device* owner_{};
  std::array<u8, virtio_balloon::kConfigBytes> config_{};
  std::size_t config_bytes_{virtio_balloon::kConfigBytes};
  u32 target_pages_{0};  ///< that the balloon shall have
  u32 actual_pages_{0};  ///< that it has
  u32 poison_{0};
  std::array<u64, 4> done_{};     ///< bytes of the next buffer of each queue
  bool holds_statistics_{false};  ///< the buffer that is given back to ask for the next ones
  VirtBuffer statistics_buffer_;
  Timer poll_;
  std::array<u64, kKinds> statistics_ = unknown_statistics();
  i64 statistics_at_s_{0};  ///< seconds since 1970
  Deferred changed_;
  u32 told_pages_{0};  ///< of which tools have heard
  MessageLimit refusals_;
  VirtBuffer buffer_;

  static constexpr std::array<u64, kKinds> unknown_statistics() {
    std::array<u64, kKinds> all{};
    all.fill(kUnknown);
    return all;
  }
};

template <class Self>
void VirtioBalloon::declare(Schema<Self>& s) {
  declare_features<Self>(s, virtio_balloon::kFeatures, [](Self& self) -> u64& {
    return static_cast<VirtioBalloon&>(self).features_;
  });
  s.property("free-page-hint", &VirtioBalloon::hints_, false)
      .help("free pages for a migration: off alone");
  s.property("qemu-4-0-config-size", &VirtioBalloon::whole_config_, false)
      .help("the configuration has page-poison's part even where that is off");
  s.computed("guest-stats", "guest statistics", [](const Self& self) -> Value {
     return self.VirtioBalloon::statistics_text();
   }).help("what the guest said last of its memory");
  s.computed(
       "guest-stats-polling-interval", "int",
       [](const Self& self) -> Value { return u64{self.VirtioBalloon::polling_s_}; },
       [](Self& self, const Value& value) { return self.VirtioBalloon::set_polling(value); })
      .help("seconds between questions for guest-stats; 0: none")
      .settable_when_realized();
  s.state("target-pages", &VirtioBalloon::target_pages_).survives_reset();
  s.state("actual-pages", &VirtioBalloon::actual_pages_);
  s.state("poison", &VirtioBalloon::poison_);
  s.state("bytes-done", &VirtioBalloon::done_);
  s.state("holds-statistics", &VirtioBalloon::holds_statistics_);
  s.state("statistics-buffer", &VirtioBalloon::statistics_buffer_);
  s.state("poll-timer", &VirtioBalloon::poll_);
}

}  // namespace rhea::hw
