// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger's breakpoints and watchpoints: who is told of which.
#include "tests/gdbstub/debug_bench.h"

namespace rhea::test {
namespace {

using Codes = std::vector<u64>;
using Watches = std::vector<x86::WatchedRange>;

class GdbPoints : public DebugBench {};

TEST_F(GdbPoints, AreThoseOfEveryProcessor) {
  EXPECT_EQ(ask("Z0,7c00,1"), "OK");
  EXPECT_EQ(ask("Z1,8000,1"), "OK");
  EXPECT_EQ(cpu(0).stops.code, (Codes{0x7c00, 0x8000}));
  EXPECT_EQ(cpu(1).stops.code, (Codes{0x7c00, 0x8000}));
}

TEST_F(GdbPoints, WatchWritesReadsOrBoth) {
  EXPECT_EQ(ask("Z2,500,4"), "OK");
  EXPECT_EQ(ask("Z3,600,1"), "OK");
  EXPECT_EQ(ask("Z4,700,100"), "OK");
  EXPECT_EQ(cpu().stops.watches,
            (Watches{{.first = 0x500, .last = 0x503, .reads = false, .writes = true},
                     {.first = 0x600, .last = 0x600, .reads = true, .writes = false},
                     {.first = 0x700, .last = 0x7ff, .reads = true, .writes = true}}));
}

TEST_F(GdbPoints, InsertedTwiceAreThereOnce) {
  EXPECT_EQ(ask("Z0,7c00,1"), "OK");
  EXPECT_EQ(ask("Z0,7c00,1"), "OK");
  EXPECT_EQ(cpu().stops.code, (Codes{0x7c00}));
  EXPECT_EQ(ask("z0,7c00,1"), "OK");
  EXPECT_TRUE(cpu().stops.empty());
  EXPECT_EQ(ask("z0,7c00,1"), "E16");
}

TEST_F(GdbPoints, ThatOneProcessorCannotHaveAreNobodys) {
  cpu(1).most_stops = 1;
  EXPECT_EQ(ask("Z0,7c00,1"), "OK");
  EXPECT_EQ(ask("Z0,8000,1"), "E16");
  EXPECT_EQ(cpu(0).stops.code, (Codes{0x7c00}));
  EXPECT_EQ(cpu(1).stops.code, (Codes{0x7c00}));
}

TEST_F(GdbPoints, HaveANumber) {
  for (unsigned i = 0; i < 1024; ++i) EXPECT_EQ(ask(fmt::format("Z2,{:x},1", i)), "OK");
  EXPECT_EQ(ask("Z2,5000,1"), "E16");
}

TEST_F(GdbPoints, ThatMakeNoSenseAreRefused) {
  EXPECT_EQ(ask("Z5,0,1"), "E16");
  EXPECT_EQ(ask("Z0"), "E16");
  EXPECT_EQ(ask("Z2,500"), "E16");
  EXPECT_EQ(ask("Z2,500,0"), "E16");
  EXPECT_EQ(ask("Z2,ffffffffffffffff,2"), "E16");
  EXPECT_TRUE(cpu().stops.empty());
}

TEST_F(GdbPoints, GoWithTheDebugger) {
  EXPECT_EQ(ask("Z0,7c00,1"), "OK");
  peer().go();
  EXPECT_TRUE(cpu(0).stops.empty());
  EXPECT_TRUE(cpu(1).stops.empty());
}

TEST_F(GdbPoints, GoWithTheServer) {
  EXPECT_EQ(ask("Z0,7c00,1"), "OK");
  session_.reset();
  EXPECT_TRUE(cpu().stops.empty());
}

TEST_F(GdbPoints, GoWhenTheDebuggerBeginsAnew) {
  EXPECT_EQ(ask("Z0,7c00,1"), "OK");
  EXPECT_EQ(ask("?"), "T05thread:01;");
  EXPECT_TRUE(cpu().stops.empty());
}

}  // namespace
}  // namespace rhea::test
