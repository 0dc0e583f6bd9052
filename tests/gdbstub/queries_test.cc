// SPDX-License-Identifier: GPL-2.0-or-later
// What a debugger asks: features, threads, monitor commands; the server's own commands.
#include "gdbstub/hex.h"
#include "gdbstub/server.h"
#include "monitor/hmp/command.h"
#include "rhea/softmmu/debugger_link.h"
#include "tests/chardev/client.h"
#include "tests/gdbstub/debug_bench.h"

#include <gmock/gmock.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

class GdbQueries : public DebugBench {
 protected:
  std::string hmp(std::string_view line) {
    rhea::hmp::View view;
    qmp::Client client;
    rhea::hmp::Context context{.machine = machine(), .view = view, .client = client, .out = {}};
    rhea::hmp::run_line(context, line);
    return context.out;
  }
};

TEST_F(GdbQueries, FeaturesAreAnnounced) {
  const std::string features = ask("qSupported:multiprocess+;xmlRegisters=i386");
  EXPECT_THAT(features, HasSubstr("PacketSize=ffc0"));
  EXPECT_THAT(features, HasSubstr("qXfer:features:read+"));
  EXPECT_THAT(features, HasSubstr("vContSupported+"));
}

TEST_F(GdbQueries, ThreadsAreProcessors) {
  EXPECT_EQ(ask("qfThreadInfo"), "m01,02");
  EXPECT_EQ(ask("qsThreadInfo"), "l");
  EXPECT_EQ(ask("T2"), "OK");
  EXPECT_EQ(ask("T3"), "E16");
  EXPECT_EQ(ask("T0"), "E16");
  EXPECT_EQ(ask("Hg2"), "OK");
  EXPECT_EQ(ask("Hg3"), "E16");
  EXPECT_EQ(ask("Hg-1"), "OK");
  EXPECT_EQ(ask("Hx1"), "E16");
  EXPECT_EQ(ask("qC"), "QC02");
}

TEST_F(GdbQueries, ThreadsHaveAProcessWhereThePeerKnowsOfThem) {
  ask("qSupported:multiprocess+");
  EXPECT_EQ(ask("qfThreadInfo"), "mp01.01,p01.02");
  EXPECT_EQ(ask("Tp1.2"), "OK");
  EXPECT_EQ(ask("Tp2.2"), "E16");
  EXPECT_EQ(ask("Hgp0.0"), "OK");
  EXPECT_EQ(ask("?"), "T05thread:p01.01;");
}

TEST_F(GdbQueries, ThreadsSayWhatTheyDo) {
  cpu(1).state.mp_state = x86::MpState::Halted;
  EXPECT_EQ(ask("qThreadExtraInfo,1"), gdbstub::to_hex("CPU#0 [running]"));
  EXPECT_EQ(ask("qThreadExtraInfo,2"), gdbstub::to_hex("CPU#1 [halted ]"));
  EXPECT_EQ(ask("qThreadExtraInfo,9"), "E16");
}

TEST_F(GdbQueries, OfOtherDocumentsThereAreNone) {
  EXPECT_EQ(ask("qXfer:features:read:other.xml:0,100"), "E00");
  EXPECT_EQ(ask("qXfer:features:read:target.xml:fffff,100"), "E16");
  EXPECT_EQ(ask("qXfer:features:read:target.xml:0"), "E16");
  EXPECT_EQ(ask("qXfer:features:read:target.xml"), "E16");
}

TEST_F(GdbQueries, MonitorCommandsAreRun) {
  machine().service<DebuggerLink>().run_command = [](const std::string& line) {
    return "you said " + line + "\r\n";
  };
  EXPECT_EQ(talk(packet("qRcmd," + gdbstub::to_hex("info cpus"))),
            "+" + packet("O" + gdbstub::to_hex("you said info cpus\n")) + packet("OK"));
  EXPECT_EQ(ask("qRcmd,1"), "E16");
}

TEST_F(GdbQueries, MonitorCommandsMaySayMuch) {
  machine().service<DebuggerLink>().run_command = [](const std::string&) {
    return std::string(3 * MiB, 'a');
  };
  peer().room = 100'000;
  std::string all;
  peer().say(packet("qRcmd,00"));
  for (int i = 0; i < 1000; ++i) {
    all += peer().read();
    turn(1);
  }
  EXPECT_GT(all.size(), 2 * MiB);
  EXPECT_LT(all.size(), 3 * MiB);
  EXPECT_THAT(all, HasSubstr(gdbstub::to_hex("(the rest is left out)")));
  EXPECT_TRUE(all.ends_with(packet("OK")));
}

TEST_F(GdbQueries, WithoutAMonitorThereAreNoCommands) {
  machine().service<DebuggerLink>().run_command = nullptr;
  EXPECT_EQ(ask("qRcmd,00"), "");
}

TEST_F(GdbQueries, QemusOwnAreKnown) {
  EXPECT_EQ(ask("qqemu.Supported"), "sstepbits;sstep;PhyMemMode");
}

TEST_F(GdbQueries, TheServerIsStartedAndStoppedByAMonitor) {
  const ScratchFolder scratch;
  EXPECT_THAT(hmp("gdbserver"), HasSubstr("no server for a debugger"));
  machine().service<gdbstub::Server>();
  const std::string device = "unix:" + scratch.file("s") + ",server=on,wait=off";
  EXPECT_EQ(hmp("gdbserver \"" + device + "\""), "Could not open gdbserver on device '" + device +
                                                     "': Chardev with id 'gdb' already exists\n");
  session_.reset();
  peer_->parent()->remove_child(*peer_);
  EXPECT_EQ(hmp("gdbserver \"" + device + "\""),
            "Waiting for gdb connection on device '" + device + "'\n");
  UnixClient client(scratch.file("s"));
  ASSERT_TRUE(client.ok());
  client.send(packet("qAttached"));
  EXPECT_TRUE(bench_.run_until([&] { return client.receive() && client.said == "+$1#31"; }));
  EXPECT_EQ(hmp("gdbserver none"), "Disabled gdbserver\n");
  EXPECT_TRUE(bench_.run_until([&] { return !client.receive(); }));
}

TEST_F(GdbQueries, AMonitorChoosesTheNextLayout) {
  auto& server = machine().service<gdbstub::Server>();
  EXPECT_EQ(hmp("gdb_layout"), "the next debugger to connect is told: auto\n");
  EXPECT_EQ(hmp("gdb_layout i386"), "the next debugger to connect is told: i386\n");
  EXPECT_EQ(hmp("gdb_layout auto"), "the next debugger to connect is told: auto\n");
  EXPECT_THAT(hmp("gdb_layout arm"), HasSubstr("'arm' is no layout"));
  EXPECT_EQ(*server.choose_layout("i8086"), "i8086");
}

}  // namespace
}  // namespace rhea::test
