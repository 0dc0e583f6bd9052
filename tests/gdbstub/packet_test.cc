// SPDX-License-Identifier: GPL-2.0-or-later
// Packets: framing, acknowledgements, sizes, peers that do not behave.
#include "gdbstub/hex.h"
#include "tests/gdbstub/debug_bench.h"

#include <random>

namespace rhea::test {
namespace {

class GdbPackets : public DebugBench {};

TEST_F(GdbPackets, AreAcknowledgedAndAnswered) { EXPECT_EQ(talk(packet("qAttached")), "+$1#31"); }

TEST_F(GdbPackets, UnknownOnesHaveAnEmptyAnswer) {
  EXPECT_EQ(ask("vMustReplyEmpty"), "");
  EXPECT_EQ(ask("_nonsense"), "");
  EXPECT_EQ(ask("qNonsense"), "");
  EXPECT_EQ(ask(""), "");
}

TEST_F(GdbPackets, WrongChecksumsAreRejected) {
  EXPECT_EQ(talk("$qAttached#00"), "-");
  EXPECT_EQ(talk("$qAttached#zz"), "-");
}

TEST_F(GdbPackets, BytesBetweenThemAreIgnored) {
  EXPECT_EQ(talk("noise" + packet("qAttached") + "#12"), "+$1#31");
}

TEST_F(GdbPackets, ABrokenOffPacketEndsWhereTheNextBegins) {
  EXPECT_EQ(talk("$m0,4" + packet("qAttached")), "+$1#31");
}

TEST_F(GdbPackets, MayComeByteByByte) {
  std::string heard;
  for (const char c : packet("qAttached")) heard += talk({&c, 1});
  EXPECT_EQ(heard, "+$1#31");
}

TEST_F(GdbPackets, EscapedBytesAreRestored) {
  EXPECT_EQ(ask("X500,4:}\x03}\x04}]}\x0a"), "OK");
  EXPECT_EQ(bench_.read(0x500, 4), (std::vector<u8>{'#', '$', '}', '*'}));
}

TEST_F(GdbPackets, TheLastAnswerIsRepeatedOnDemand) {
  EXPECT_EQ(talk(packet("qAttached")), "+$1#31");
  EXPECT_EQ(talk("-"), "$1#31");
  EXPECT_EQ(talk("-"), "$1#31");
}

TEST_F(GdbPackets, WithoutAcknowledgementsThereAreNone) {
  EXPECT_EQ(ask("QStartNoAckMode"), "OK");
  EXPECT_EQ(talk(packet("qAttached")), "$1#31");
  EXPECT_EQ(talk("-"), "");
}

TEST_F(GdbPackets, TooLongOnesAreRefusedWhole) {
  const std::string bytes(gdbstub::PacketReader::kLimit + 1, 'a');
  EXPECT_EQ(ask("X500,10001:" + bytes), "E07");
  EXPECT_EQ(ask("qAttached"), "1");
}

TEST_F(GdbPackets, OfTheAnnouncedSizeAreTaken) {
  EXPECT_EQ(ask("X500,ff00:" + std::string(0xff00, 'a')), "OK");
  EXPECT_EQ(bench_.load(0x500 + 0xfeff, 1), 'a');
}

TEST_F(GdbPackets, APeerThatDoesNotReadIsNotListenedTo) {
  peer().room = 1000;
  const std::string request = packet("m0,7f00");
  std::size_t said = 0;
  for (int i = 0; i < 1000; ++i) {
    said += peer().say(request);
    turn(1);
  }
  EXPECT_EQ(peer().takes(), 0U);
  EXPECT_LT(said, 20 * request.size());
}

TEST_F(GdbPackets, APeerThatDoesNotReadCostsNothingMeanwhile) {
  peer().room = 10;
  peer().say(packet("m0,100") + packet("qC"));
  turn(20);
  EXPECT_FALSE(machine().loop().iterate(false));
}

TEST_F(GdbPackets, ASlowPeerGetsEverything) {
  bench_.store(0x7ef8, 0x1122334455667788, 8);
  peer().room = 100;
  std::string all;
  peer().say(packet("m0,7f00"));
  for (int i = 0; i < 1000; ++i) {
    all += peer().read();
    turn(1);
  }
  EXPECT_EQ(all.size(), 1 + 4 + 2 * 0x7f00);
  EXPECT_TRUE(all.substr(0, all.size() - 3).ends_with("8877665544332211"));
}

TEST_F(GdbPackets, SeveralAtOnceAreAnsweredOneByOne) {
  EXPECT_EQ(talk(packet("qAttached") + "+" + packet("qC") + "+" + packet("qAttached")),
            "+$1#31+$QC01#f5+$1#31");
}

TEST_F(GdbPackets, NothingOfAConnectionReachesTheNext) {
  talk(packet("QStartNoAckMode") + "$m0");
  reconnect();
  EXPECT_EQ(ask("qAttached"), "1");
}

// Random packets made of what real ones are made of. Nothing but the machine itself must survive.
TEST_F(GdbPackets, HostilePeersDoNoHarm) {
  constexpr std::array<std::string_view, 46> kPieces = {"g",
                                                        "G",
                                                        "p",
                                                        "P",
                                                        "m",
                                                        "M",
                                                        "X",
                                                        "Z0",
                                                        "Z1",
                                                        "Z2",
                                                        "Z3",
                                                        "Z4",
                                                        "z0",
                                                        "z2",
                                                        "H",
                                                        "Hg",
                                                        "Hc",
                                                        "T",
                                                        "vCont;",
                                                        "vCont?",
                                                        "vAttach;",
                                                        "qXfer:features:read:",
                                                        "target.xml:",
                                                        "qRcmd,",
                                                        "qSupported:",
                                                        "qThreadExtraInfo,",
                                                        "qfThreadInfo",
                                                        "qsThreadInfo",
                                                        "Qqemu.sstep=",
                                                        "Qqemu.PhyMemMode:",
                                                        "p1.",
                                                        "-1",
                                                        "c",
                                                        "s",
                                                        ":",
                                                        ",",
                                                        ";",
                                                        "=",
                                                        "ffffffffffffffff",
                                                        "0",
                                                        "1",
                                                        "80000000",
                                                        "10000000000000000",
                                                        "00",
                                                        "*",
                                                        "}"};
  std::mt19937 random(20231126);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (unsigned n = random() % 8; n > 0; --n)
      text += random() % 16 == 0 ? std::string(1, static_cast<char>(random()))
                                 : kPieces[random() % kPieces.size()];
    peer().say(random() % 8 == 0 ? text : packet(text));
    if (random() % 4 == 0) peer().say(random() % 2 == 0 ? "\x03" : "-");
    if (random() % 64 == 0) stop(random() % 2, {.why = x86::DebugStop::Why::Watch});
    turn(2);
    static_cast<void>(peer().read());
  }
  reconnect();
  EXPECT_EQ(ask("qAttached"), "1");
  EXPECT_TRUE(cpu().stops.empty());
}

TEST(GdbHex, RoundTrips) {
  EXPECT_EQ(gdbstub::to_hex("az\x01"), "617a01");
  EXPECT_EQ(gdbstub::from_hex("00FfaB"), (std::vector<u8>{0, 0xff, 0xab}));
  EXPECT_FALSE(gdbstub::from_hex("0").has_value());
  EXPECT_FALSE(gdbstub::from_hex("0g").has_value());
}

}  // namespace
}  // namespace rhea::test
