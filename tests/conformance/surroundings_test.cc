// SPDX-License-Identifier: GPL-2.0-or-later
// The suite's own: what stands around a device happens to it.
#include "rhea/block/block_backend.h"
#include "rhea/net/net_port.h"
#include "tests/conformance/conformance.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>

namespace rhea::test {
namespace {

/// Reads and writes its drive and sends a frame whenever it is touched, and remembers what came of
/// it all.
class Witness final : public IsaDevice, public MediaDevice {
 public:
  static constexpr std::string_view kName = "test-witness";
  static void describe(Schema<Witness>& s) {
    s.help("sees what happens around it");
    s.link("drive", &Witness::drive_);
    NetPort::declare(s, &Witness::port_);
  }
  Witness() { init_gpio_in<&Witness::set_pin>(*this, "", 1); }

  unsigned worked{}, failed{}, full{}, media{}, highs{}, resets{};
  unsigned frames{}, unsent{}, cables{};
  bool pin{};

 protected:
  Result<> realize() override {
    region_.init_io(*this, "witness", 1, io<&Witness::read, &Witness::write>({.max = 1}));
    add_port(0x300, region_);
    TRY(port_.attach(*this, {.receive =
                                 [this](std::span<const Frame> some) {
                                   frames += static_cast<unsigned>(some.size());
                                   return some.size();
                                 },
                             .can_send = {},
                             .link_changed = [this](bool) { ++cables; }}));
    return take_drive(drive_, *this, DriveUse::Write, this);
  }
  void reset(ResetKind) override { ++resets; }

 private:
  void medium_changed(bool) override { ++media; }
  void set_pin(unsigned, bool level) {
    pin = level;
    highs += unsigned{level};
  }
  u64 read(u64, unsigned) {
    const std::array<Frame, 1> frame = {Frame(buffer_).first(64)};
    unsent += unsigned{port_.send(frame) == 0};
    drive_->read(512 * (worked % 64), buffer_, [this](const Result<>& done) { answer(done); });
    return 0;
  }
  void write(u64, u64, unsigned) {
    drive_->write(512 * (worked % 64), buffer_, [this](const Result<>& done) { answer(done); });
  }
  void answer(const Result<>& done) {
    worked += unsigned{done.has_value()};
    failed += unsigned{!done && done.error().message() == errno_text(EIO)};
    full += unsigned{!done && done.error().message() == errno_text(ENOSPC)};
  }

  std::array<u8, 512> buffer_{};
  BlockBackend* drive_{};
  NetPort port_;
  Region region_;
};
const RegisterType<Witness> witness_registration;

struct SurroundingsOfADevice : public ::testing::Test {
  Specimen specimen{*find_type("test-witness"), Specimen::Given::Everything};
  Witness& witness{dynamic_cast<Witness&>(*specimen.device())};
};

TEST_F(SurroundingsOfADevice, DisksFailAndAreFullAndWorkAgain) {
  Fuzzer(specimen, 1).run(20'000);
  EXPECT_GT(witness.worked, 1000u);
  EXPECT_GT(witness.failed, 100u);
  EXPECT_GT(witness.full, 10u);
}

TEST_F(SurroundingsOfADevice, MediaComeAndGo) {
  Fuzzer(specimen, 1).run(20'000);
  EXPECT_GT(witness.media, 10u);
  EXPECT_TRUE(specimen.disks()[0].first->inserted());
}

TEST_F(SurroundingsOfADevice, PinsMoveAndAreLowInTheEnd) {
  Fuzzer(specimen, 1).run(20'000);
  EXPECT_GT(witness.highs, 10u);
  EXPECT_FALSE(witness.pin);
}

TEST_F(SurroundingsOfADevice, NetworksSpeakAndStallAndCablesArePulledOut) {
  Fuzzer(specimen, 1).run(20'000);
  EXPECT_GT(witness.frames, 100u);
  EXPECT_GT(witness.unsent, 10u);
  EXPECT_GT(witness.cables, 2u);
  EXPECT_TRUE(specimen.net_peers()[0].netdev().link_up());
}

TEST_F(SurroundingsOfADevice, ResetsComeInTheMidstOfIt) {
  Fuzzer(specimen, 1).run(20'000);
  EXPECT_GT(witness.resets, 2u);
}

TEST_F(SurroundingsOfADevice, NothingHappensThatWasNotAskedFor) {
  Fuzzer(specimen, 1, {.peers_speak = false, .resets = false}).run(20'000);
  EXPECT_EQ(witness.failed + witness.full + witness.media + witness.highs + witness.frames, 0u);
}

TEST_F(SurroundingsOfADevice, MachinesThatAskTheSameHearTheSame) {
  Specimen other(*find_type("test-witness"), Specimen::Given::Everything);
  Fuzzer here(specimen, 7, {.compares = true});
  Fuzzer there(other, 7, {.compares = true});
  here.run(5000);
  there.run(5000);
  EXPECT_EQ(first_difference(here, there, "test-witness"), "");
  EXPECT_EQ(dynamic_cast<Witness&>(*other.device()).failed, witness.failed);
}

}  // namespace
}  // namespace rhea::test
