// SPDX-License-Identifier: GPL-2.0-or-later
// The PC's pair of 8237A DMA controllers with their page registers.
#include "hw/dma/i8237_chip.h"
#include "hw/dma/trace_events.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/deferred.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

constexpr unsigned kAllChannels = 8;
constexpr std::size_t kPageRegisters = 16;

// The page register of each channel, at 0x80 and the high byte at 0x480 (channel 4 has the refresh
// address).
constexpr std::array<u8, kAllChannels> kPageOf = {0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa};

/// Two 8237A (datasheet 231466) as the AT wires them: channels 0 to 3 move bytes (ports 0x00 to
/// 0x0f), channels 5 to 7 words (0xc0 to 0xdf), channel 4 is the cascade; page registers at 0x80,
/// high pages as EISA has them at 0x480. One schedule gives each requesting channel one turn, in
/// which its device moves as much as it has. State: complete. Missing: memory-to-memory transfers,
/// rotating priority, timing options.
class I8237 final : public IsaDevice, public IsaDma {
 public:
  static constexpr std::string_view kName = "i8237";
  static void describe(Schema<I8237>& s) {
    s.help("pair of 8237A DMA controllers");
    s.board_only();
    s.state("chips", &I8237::chips_);
    s.state("pages", &I8237::pages_).survives_reset();
    s.state("high-pages", &I8237::high_pages_).survives_reset();
  }

  void register_client(unsigned channel, IsaDmaClient& client) override;
  void hold_dreq(unsigned channel) override;
  void release_dreq(unsigned channel) override;
  void schedule() override;
  u32 write_memory(unsigned channel, u32 position, std::span<const u8> data) override;
  u32 read_memory(unsigned channel, u32 position, std::span<u8> data) override;
  bool auto_init(unsigned channel) const override;
  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  template <unsigned Chip>
  u64 read(u64 offset, unsigned size);
  template <unsigned Chip>
  void write(u64 offset, u64 value, unsigned size);
  template <std::array<u8, kPageRegisters> I8237::* Pages>
  u64 read_page(u64 offset, unsigned size);
  template <std::array<u8, kPageRegisters> I8237::* Pages>
  void write_page(u64 offset, u64 value, unsigned size);

  I8237Channel& channel(unsigned n) { return chips_[n / 4].channel(n % 4); }
  const I8237Channel& channel(unsigned n) const { return chips_[n / 4].channel(n % 4); }
  /// Channels of the second controller count words.
  static unsigned unit_shift(unsigned n) { return n >= 4 ? 1 : 0; }
  u64 address_of(unsigned n, u32 unit) const;
  u32 clip(unsigned n, u32 position, std::size_t length) const;
  template <class Move>
  void for_each_piece(unsigned n, u32 position, u32 length, Move move) const;
  void run();
  bool run_channel(unsigned n);

  std::array<I8237Chip, 2> chips_;
  std::array<u8, kPageRegisters> pages_{};
  std::array<u8, kPageRegisters> high_pages_{};
  std::array<IsaDmaClient*, kAllChannels> clients_{};
  Deferred run_;
  std::array<Region, 4> regions_;
};

Result<> I8237::realize() {
  constexpr AccessSizes any{.min = 1, .max = 4};
  constexpr AccessSizes bytes{.min = 1, .max = 1};
  regions_[0].init_io(*this, "dma-chan", 16, io<&I8237::read<0>, &I8237::write<0>>(any, bytes));
  regions_[1].init_io(*this, "dma-chan", 32, io<&I8237::read<1>, &I8237::write<1>>(any, bytes));
  regions_[2].init_io(
      *this, "dma-page", kPageRegisters,
      io<&I8237::read_page<&I8237::pages_>, &I8237::write_page<&I8237::pages_>>(any, bytes));
  regions_[3].init_io(
      *this, "dma-pageh", kPageRegisters,
      io<&I8237::read_page<&I8237::high_pages_>, &I8237::write_page<&I8237::high_pages_>>(any,
                                                                                          bytes));
  add_port(0x00, regions_[0]);
  add_port(0xc0, regions_[1]);
  add_port(0x80, regions_[2]);
  add_port(0x480, regions_[3]);
  isa().set_dma(this);
  on_unrealize([this] {
    if (isa().dma() == this) isa().set_dma(nullptr);
  });
  run_.init(machine().loop(), [this] { run(); });
  return {};
}

void I8237::reset(ResetKind) {
  for (I8237Chip& chip : chips_) chip.reset();
}

Result<> I8237::post_load(unsigned) {
  schedule();
  return {};
}

template <unsigned Chip>
u64 I8237::read(u64 offset, unsigned) {
  const u8 value = chips_[Chip].read(static_cast<unsigned>(offset >> Chip));
  dma_read(*this, u64{Chip} * 0xc0 + offset, value);
  return value;
}

template <unsigned Chip>
void I8237::write(u64 offset, u64 value, unsigned) {
  dma_write(*this, u64{Chip} * 0xc0 + offset, value);
  chips_[Chip].write(static_cast<unsigned>(offset >> Chip), static_cast<u8>(value));
  schedule();
}

template <std::array<u8, kPageRegisters> I8237::* Pages>
u64 I8237::read_page(u64 offset, unsigned) {
  return (this->*Pages)[offset];
}

template <std::array<u8, kPageRegisters> I8237::* Pages>
void I8237::write_page(u64 offset, u64 value, unsigned) {
  (this->*Pages)[offset] = static_cast<u8>(value);
}

void I8237::register_client(unsigned n, IsaDmaClient& client) {
  clients_[n % kAllChannels] = &client;
}

void I8237::hold_dreq(unsigned n) {
  chips_[n / 4 % 2].set_request(n % 4, true);
  schedule();
}

void I8237::release_dreq(unsigned n) { chips_[n / 4 % 2].set_request(n % 4, false); }

bool I8237::auto_init(unsigned n) const { return channel(n % kAllChannels).auto_init(); }

// Runs on the main loop, never inside a handler of the device that asked.
void I8237::schedule() {
  if (is_realized() && (chips_[0].active() | chips_[1].active()) != 0) run_.schedule();
}

void I8237::run() {
  bool moved = false;
  for (unsigned n = 0; n < kAllChannels; ++n)
    if ((chips_[n / 4].active() & 1u << n % 4) != 0) moved = run_channel(n) || moved;
  // A device that moved nothing asks again when it has something.
  if (moved) schedule();
}

// Gives the channel's device one turn; true when it moved something.
bool I8237::run_channel(unsigned n) {
  I8237Channel& c = channel(n);
  if (clients_[n] == nullptr || c.finished()) return false;
  I8237Chip& chip = chips_[n / 4];
  chip.begin(n % 4);
  const unsigned shift = unit_shift(n);
  const u32 position = c.done() << shift;
  const u32 left = (c.total() - c.done()) << shift;
  const u64 address = address_of(n, c.done());
  const u32 reached = clients_[n]->dma_transfer(n, position, left);
  const u32 moved = reached > position ? std::min(reached - position, left) : 0;
  dma_transfer(*this, n, address, moved, left);
  c.advance(moved >> shift);
  if (c.finished()) chip.end(n % 4);
  return moved >> shift != 0;
}

// Where unit number `unit` of the transfer lies. The address counter wraps within its page.
u64 I8237::address_of(unsigned n, u32 unit) const {
  const I8237Channel& c = channel(n);
  const auto counter =
      static_cast<u16>(c.decrements() ? c.base_address() - unit : c.base_address() + unit);
  const u64 high = u64{high_pages_[kPageOf[n]]} << 24;
  const u8 page = pages_[kPageOf[n]];
  if (unit_shift(n) == 0) return high | u64{page} << 16 | counter;
  return high | u64{page & 0xfeu} << 16 | u64{counter} << 1;
}

// How much of `length` bytes from `position` on belongs to the transfer.
u32 I8237::clip(unsigned n, u32 position, std::size_t length) const {
  const u32 total = channel(n).total() << unit_shift(n);
  if (position >= total) return 0;
  return static_cast<u32>(std::min<std::size_t>(length, total - position));
}

// Cuts a part of the transfer into pieces that lie in a row in memory: move(address, offset into
// the data, length). Downwards that is one unit each.
template <class Move>
void I8237::for_each_piece(unsigned n, u32 position, u32 length, Move move) const {
  const I8237Channel& c = channel(n);
  const unsigned shift = unit_shift(n);
  const u32 unit_bytes = 1u << shift;
  for (u32 offset = 0; offset < length;) {
    const u32 at = position + offset;
    const u32 unit = at >> shift;
    const u32 into_unit = at & (unit_bytes - 1);
    const u32 units_to_wrap =
        c.decrements() ? 1 : 0x10000u - static_cast<u16>(c.base_address() + unit);
    const u32 piece = std::min(length - offset, (units_to_wrap << shift) - into_unit);
    move(address_of(n, unit) + into_unit, offset, piece);
    offset += piece;
  }
}

u32 I8237::write_memory(unsigned n, u32 position, std::span<const u8> data) {
  n %= kAllChannels;
  const u32 length = clip(n, position, data.size());
  if (channel(n).direction() == DmaDirection::ToMemory)
    for_each_piece(n, position, length, [&](u64 address, u32 offset, u32 piece) {
      static_cast<void>(machine().memory().write(address, data.subspan(offset, piece)));
    });
  return length;
}

u32 I8237::read_memory(unsigned n, u32 position, std::span<u8> data) {
  n %= kAllChannels;
  const u32 length = clip(n, position, data.size());
  if (channel(n).direction() != DmaDirection::FromMemory) {
    std::ranges::fill(data.first(length), u8{0xff});
    return length;
  }
  for_each_piece(n, position, length, [&](u64 address, u32 offset, u32 piece) {
    static_cast<void>(machine().memory().read(address, data.subspan(offset, piece)));
  });
  return length;
}

const RegisterType<I8237> registration;

}  // namespace
}  // namespace rhea::hw
