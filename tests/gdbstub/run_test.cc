// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger makes processors run, stop and step.
#include "softmmu/standstill.h"
#include "target/x86/registers.h"
#include "tests/gdbstub/debug_bench.h"

namespace rhea::test {
namespace {

using Texts = std::vector<std::string>;
using Why = x86::DebugStop::Why;

constexpr x86::WatchedRange kWritten{.first = 0x500, .last = 0x503, .reads = false, .writes = true};

class GdbRun : public DebugBench {
 protected:
  /// The request is acknowledged, and the machine runs.
  void let_go(std::string_view request) { EXPECT_EQ(talk(packet(request)), "+"); }
  bool becomes(unsigned index, bool runs) {
    return bench_.run_until([&] { return cpu(index).runs == runs; });
  }
};

TEST_F(GdbRun, ConnectingStopsTheMachine) {
  peer().go();
  machine().resume();
  peer().come();
  EXPECT_EQ(machine().run_state(), RunState::Paused);
}

TEST_F(GdbRun, GoesOnUntilABreakpoint) {
  ask("Z0,7c00,1");
  let_go("c");
  EXPECT_TRUE(machine().running());
  stop(1, {.why = Why::Code, .address = 0x7c00});
  EXPECT_EQ(machine().run_state(), RunState::Debug);
  EXPECT_EQ(heard(), (Texts{"T05thread:02;"}));
  EXPECT_EQ(ask("qC"), "QC02");
}

// Gdb takes $eip for where it stands, and its breakpoint lies elsewhere.
TEST_F(GdbRun, InRealModeStepsOverTheBreakpointThatItStoppedAt) {
  ask("Z0,ffff0,1");
  ask("Z2,500,4");
  let_go("c");
  stop(0, {.why = Why::Code, .address = 0xffff0});
  EXPECT_EQ(heard(), (Texts{"T05thread:01;"}));
  let_go("c");
  EXPECT_TRUE(becomes(0, true));
  EXPECT_FALSE(cpu(1).runs);
  EXPECT_EQ(cpu(0).step, accel::SingleStep::HoldingInterrupts);
  EXPECT_TRUE(cpu(0).stops.code.empty());
  EXPECT_FALSE(cpu(0).stops.watches.empty());
  cpu(0).state.rip = 0xfff5;
  stop(0, {});
  EXPECT_EQ(heard(), (Texts{}));
  EXPECT_TRUE(becomes(1, true));
  EXPECT_EQ(cpu(0).step, accel::SingleStep::Off);
  EXPECT_EQ(cpu(0).stops.code, (std::vector<u64>{0xffff0}));
}

TEST_F(GdbRun, InRealModeGoesOnAtOnceWhereTheBreakpointHasGone) {
  ask("Z0,ffff0,1");
  let_go("c");
  stop(0, {.why = Why::Code, .address = 0xffff0});
  heard();
  ask("z0,ffff0,1");
  let_go("c");
  EXPECT_TRUE(becomes(1, true));
  EXPECT_EQ(cpu(0).step, accel::SingleStep::Off);
}

TEST_F(GdbRun, SaysWhatWasAccessed) {
  let_go("vCont;c");
  stop(0, {.why = Why::Watch, .address = 0x502, .watch = kWritten});
  EXPECT_EQ(heard(), (Texts{"T05thread:01;watch:502;"}));
  let_go("vCont;c");
  stop(0, {.why = Why::Watch,
           .address = 0x600,
           .watch = {.first = 0x600, .last = 0x600, .reads = true, .writes = false}});
  EXPECT_EQ(heard(), (Texts{"T05thread:01;rwatch:600;"}));
  let_go("vCont;c");
  stop(0, {.why = Why::Watch,
           .address = 0x600,
           .watch = {.first = 0x600, .last = 0x600, .reads = true, .writes = true}});
  EXPECT_EQ(heard(), (Texts{"T05thread:01;awatch:600;"}));
}

TEST_F(GdbRun, OfTwoProcessorsThatStopBothAreTold) {
  ask("Z2,500,4");
  let_go("vCont;c");
  cpu(1).stop = {.why = Why::Watch, .address = 0x500, .watch = kWritten};
  stop(0, {.why = Why::Watch, .address = 0x501, .watch = kWritten});
  EXPECT_EQ(heard(), (Texts{"T05thread:01;watch:501;"}));
  EXPECT_EQ(talk(packet("vCont;c")), "+" + packet("T05thread:02;watch:500;"));
  EXPECT_FALSE(machine().running());
  let_go("vCont;c");
}

TEST_F(GdbRun, AnAccessThatNobodyWaitsForAnyMoreIsForgotten) {
  ask("Z2,500,4");
  let_go("vCont;c");
  cpu(1).stop = {.why = Why::Watch, .address = 0x500, .watch = kWritten};
  stop(0, {.why = Why::Code, .address = 0x7c00});
  EXPECT_EQ(heard(), (Texts{"T05thread:01;"}));
  ask("z2,500,4");
  let_go("vCont;c");
}

TEST_F(GdbRun, InterruptStops) {
  let_go("vCont;c");
  EXPECT_EQ(talk("\x03"), packet("T02thread:01;"));
  EXPECT_EQ(machine().run_state(), RunState::Paused);
  EXPECT_EQ(talk("\x03"), "");
}

TEST_F(GdbRun, AMonitorThatStopsTheMachineIsHeardOf) {
  let_go("c");
  machine().pause();
  EXPECT_EQ(heard(), (Texts{"T02thread:01;"}));
}

TEST_F(GdbRun, OtherStopsHaveTheirSignals) {
  let_go("c");
  machine().pause(RunState::Shutdown);
  EXPECT_EQ(heard(), (Texts{"T03thread:01;"}));
  EXPECT_EQ(talk(packet("c")), "+" + packet("T03thread:01;"));
  machine().pause(RunState::Paused);
  let_go("c");
  machine().pause(RunState::IoError);
  EXPECT_EQ(heard(), (Texts{"T17thread:01;"}));
  let_go("c");
  machine().pause(RunState::GuestPanicked);
  EXPECT_EQ(heard(), (Texts{"T06thread:01;"}));
}

TEST_F(GdbRun, AnswersToMonitorsStopsGoToNobodyWhoDidNotAsk) {
  machine().resume();
  machine().pause();
  EXPECT_EQ(heard(), (Texts{}));
}

TEST_F(GdbRun, APacketStopsAMachineThatAMonitorLetGo) {
  machine().resume();
  EXPECT_EQ(ask("qAttached"), "1");
  EXPECT_FALSE(machine().running());
}

TEST_F(GdbRun, OneProcessorStepsAndTheOthersStay) {
  let_go("vCont;s:2");
  EXPECT_TRUE(becomes(1, true));
  EXPECT_FALSE(cpu(0).runs);
  EXPECT_EQ(cpu(0).step, accel::SingleStep::Off);
  EXPECT_EQ(cpu(1).step, accel::SingleStep::HoldingInterrupts);
  EXPECT_FALSE(machine().virtual_clock().ticking());
  stop(1, {});
  EXPECT_EQ(heard(), (Texts{"T05thread:02;"}));
  EXPECT_EQ(cpu(1).step, accel::SingleStep::Off);
  let_go("vCont;c");
  EXPECT_TRUE(becomes(0, true));
}

TEST_F(GdbRun, OneProcessorStepsAndTheOthersRun) {
  let_go("vCont;s:2;c");
  EXPECT_TRUE(becomes(0, true));
  EXPECT_TRUE(becomes(1, true));
  EXPECT_EQ(cpu(0).step, accel::SingleStep::Off);
  EXPECT_EQ(cpu(1).step, accel::SingleStep::HoldingInterrupts);
}

TEST_F(GdbRun, TheFirstActionForAProcessorCounts) {
  let_go("vCont;c:1;s:1;s");
  EXPECT_TRUE(becomes(0, true));
  EXPECT_EQ(cpu(0).step, accel::SingleStep::Off);
  EXPECT_EQ(cpu(1).step, accel::SingleStep::HoldingInterrupts);
}

TEST_F(GdbRun, StepsAsTheStepBitsSay) {
  EXPECT_EQ(ask("qqemu.sstepbits"), "ENABLE=1,NOIRQ=2,NOTIMER=4");
  EXPECT_EQ(ask("qqemu.sstep"), "0x7");
  EXPECT_EQ(ask("Qqemu.sstep=1"), "OK");
  EXPECT_EQ(ask("qqemu.sstep"), "0x1");
  let_go("vCont;s:1");
  EXPECT_TRUE(becomes(0, true));
  EXPECT_EQ(cpu(0).step, accel::SingleStep::On);
  stop(0, {});
  heard();
  EXPECT_EQ(ask("qqemu.sstep=0x7"), "OK");
  EXPECT_EQ(ask("Qqemu.sstep=8"), "E16");
  EXPECT_EQ(ask("Qqemu.sstep="), "E16");
}

TEST_F(GdbRun, SteppingAndRunningMayBeginElsewhere) {
  let_go("s7c00");
  EXPECT_TRUE(becomes(0, true));
  EXPECT_EQ(cpu(0).state.rip, 0x7c00U);
  EXPECT_EQ(cpu(0).step, accel::SingleStep::HoldingInterrupts);
  stop(0, {});
  heard();
  let_go("C05;8000");
  EXPECT_TRUE(becomes(0, true));
  EXPECT_EQ(cpu(0).state.rip, 0x8000U);
}

TEST_F(GdbRun, ActionsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(ask("vCont;"), "E16");
  EXPECT_EQ(ask("vCont;x"), "E16");
  EXPECT_EQ(ask("vCont;s:3"), "E16");
  EXPECT_EQ(ask("vCont;s:p2.1"), "E16");
  EXPECT_EQ(ask("vCont;c:1:2"), "E16");
  EXPECT_EQ(ask("cxyz"), "E16");
  EXPECT_FALSE(machine().running());
  EXPECT_EQ(ask("vCont?"), "vCont;c;C;s;S");
}

TEST_F(GdbRun, AMachineThatIsReadForADumpStaysAsItIs) {
  machine().service<Standstill>().begin("a dump");
  EXPECT_EQ(ask("c"), "E10");
  EXPECT_EQ(ask("s"), "E10");
  EXPECT_EQ(ask("c7c00"), "E10");
  EXPECT_EQ(ask("vCont;s:1"), "E10");
  EXPECT_EQ(ask("D"), "E10");
  EXPECT_EQ(ask("M500,1:00"), "E10");
  EXPECT_EQ(ask(std::string_view("X500,1:x")), "E10");
  EXPECT_EQ(ask("P10=0000000000000000"), "E10");
  EXPECT_EQ(talk(packet("R00")), "+");
  turn();
  EXPECT_FALSE(machine().running());
  EXPECT_EQ(cpu(0).state.rip, 0xfff0U);
  EXPECT_EQ(cpu(0).resets, 0U);
  machine().service<Standstill>().end();
  let_go("c");
  EXPECT_TRUE(machine().running());
}

TEST_F(GdbRun, AMachineThatStandsForADumpIsStoppedForGood) {
  let_go("c");
  machine().pause(RunState::SaveVm);
  EXPECT_EQ(talk("\x03"), packet("T02thread:01;"));
  EXPECT_EQ(machine().run_state(), RunState::Paused);
  machine().resume();
  machine().pause(RunState::SaveVm);
  reconnect();
  EXPECT_EQ(machine().run_state(), RunState::Paused);
}

TEST_F(GdbRun, DetachingLetsTheMachineGo) {
  ask("Z0,7c00,1");
  EXPECT_EQ(ask("D;1"), "OK");
  EXPECT_TRUE(machine().running());
  EXPECT_TRUE(cpu().stops.empty());
  EXPECT_EQ(ask("qAttached"), "1");
  EXPECT_TRUE(machine().running());
  EXPECT_EQ(ask("vAttach;1"), "T05thread:01;");
  EXPECT_FALSE(machine().running());
  EXPECT_EQ(ask("D;2"), "E16");
}

TEST_F(GdbRun, ADebuggerThatGoesInTheMiddleOfAStepHoldsNobody) {
  let_go("vCont;s:2");
  peer().go();
  EXPECT_TRUE(becomes(0, true));
  EXPECT_EQ(cpu(1).step, accel::SingleStep::Off);
}

TEST_F(GdbRun, KillEndsTheMachine) {
  EXPECT_EQ(ask("vKill;1"), "OK");
  turn();
  EXPECT_EQ(machine().exit_code(), 0);
}

TEST_F(GdbRun, RestartResets) {
  EXPECT_EQ(ask("!"), "OK");
  EXPECT_EQ(talk(packet("R00")), "+");
  turn();
  EXPECT_EQ(cpu().resets, 1U);
}

TEST_F(GdbRun, TheEndOfTheMachineIsTold) {
  let_go("c");
  session().say_goodbye();
  EXPECT_EQ(heard(), (Texts{"W00"}));
}

}  // namespace
}  // namespace rhea::test
