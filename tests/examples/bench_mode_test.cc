// SPDX-License-Identifier: GPL-2.0-or-later
// What RHEA_BENCH makes of a bench's steps.
#include "tests/support/bench_mode.h"

#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr u16 kUnsaved = 0x300, kUnreset = 0x301, kKept = 0x302, kUnrepeated = 0x303, kLine = 0x304;

/// A port for each way to be careless.
class Careless final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "test-careless";
  static void describe(Schema<Careless>& s) {
    s.help("forgets things");
    s.state("unreset", &Careless::unreset_);
    s.state("kept", &Careless::kept_).survives_reset();
    s.state("line", &Careless::line_);
  }

 protected:
  Result<> realize() override {
    region_.init_io(*this, "careless", 5, io<&Careless::read, &Careless::write>({.max = 1}));
    add_port(kUnsaved, region_);
    TRY(connect_isa_irq(line_, 5));
    return connect_isa_irq(unrepeated_, 6);
  }
  void reset(ResetKind) override {
    unsaved_ = 0;
    unrepeated_.lower();
    line_.lower();
  }

 private:
  u64 read(u64 offset, unsigned) {
    switch (kUnsaved + offset) {
      case kUnsaved: return unsaved_;
      case kUnreset: return unreset_;
      case kKept: return kept_;
      default: return 0;
    }
  }
  void write(u64 offset, u64 value, unsigned) {
    switch (kUnsaved + offset) {
      case kUnsaved: unsaved_ = static_cast<u8>(value); break;
      case kUnreset: unreset_ = static_cast<u8>(value); break;
      case kKept: kept_ = static_cast<u8>(value); break;
      case kUnrepeated: unrepeated_.set(value != 0); break;
      default: line_.set(value != 0);
    }
  }

  u8 unsaved_{}, unreset_{}, kept_{};
  IrqOutput unrepeated_, line_;
  Region region_;
};
const RegisterType<Careless> careless_registration;

/// A bench in a mode, whatever the program runs in.
class InMode {
 public:
  explicit InMode(const char* mode) {
    const char* now = std::getenv("RHEA_BENCH");  // NOLINT(concurrency-mt-unsafe): no threads yet
    before_ = now != nullptr ? now : "";
    ::setenv("RHEA_BENCH", mode, 1);
  }
  ~InMode() { ::setenv("RHEA_BENCH", before_.c_str(), 1); }
  InMode(const InMode&) = delete;
  InMode& operator=(const InMode&) = delete;

 private:
  std::string before_;
};

TEST(BenchModes, WithoutOneNothingHappensBetweenSteps) {
  const InMode mode("");
  Bench bench;
  bench.add("test-careless");
  bench.outb(kUnsaved, 5);
  bench.outb(kUnrepeated, 1);
  EXPECT_EQ(bench.inb(kUnsaved), 5);
}

TEST(BenchModes, AReloadLosesWhatIsNotSaved) {
  const InMode mode("reload");
  Bench bench;
  bench.add("test-careless");
  bench.outb(kUnsaved, 5);
  EXPECT_EQ(bench.inb(kUnsaved), 0);
}

TEST(BenchModes, AReloadKeepsStateLinesAndEdges) {
  const InMode mode("reload");
  Bench bench;
  bench.add("test-careless");
  bench.outb(kUnreset, 5);
  bench.outb(kLine, 1);
  EXPECT_EQ(bench.inb(kUnreset), 5);
  EXPECT_TRUE(bench.irq(5));
  EXPECT_EQ(bench.irq_edges(5), 1u);
}

TEST(BenchModes, ALineThatIsNotRepeatedAfterAReloadIsAnError) {
  const InMode mode("reload");
  Bench bench;
  bench.add("test-careless");
  bench.outb(kUnrepeated, 1);
  EXPECT_THAT([&] { bench.inb(kKept); },
              ThrowsMessage<std::runtime_error>(HasSubstr("a line is not repeated after a load")));
}

TEST(BenchModes, WhatAResetLeavesIsNamed) {
  const InMode mode("reset-check");
  Bench bench;
  bench.add("test-careless");
  bench.outb(kUnreset, 5);
  EXPECT_THAT([&] { bench.inb(kKept); },
              ThrowsMessage<std::runtime_error>(HasSubstr("state field 'unreset' of")));
}

TEST(BenchModes, WhatSurvivesAResetMayStay) {
  const InMode mode("reset-check");
  Bench bench;
  bench.add("test-careless");
  bench.outb(kKept, 5);
  EXPECT_EQ(bench.inb(kKept), 5);
}

TEST(BenchModes, AnUnknownOneIsRefused) {
  const InMode mode("twice");
  EXPECT_THAT(
      [] { const Bench bench; },
      ThrowsMessage<std::runtime_error>("RHEA_BENCH is 'reload' or 'reset-check', not 'twice'"));
}

}  // namespace
}  // namespace rhea::test
