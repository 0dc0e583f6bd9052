// SPDX-License-Identifier: GPL-2.0-or-later
// Serial ports of virtio's console device: how they are found, and what goes through them.
#include "tests/virtio/serial_fixture.h"

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SerialPorts : public VirtioSerialTest {
 protected:
  /// A port number 1 for a guest agent.
  void use_agent(u64 features = kManyPorts) {
    use(features == kManyPorts ? Properties{} : Properties{{"packed", "on"}});
    agent = &plug("virtserialport", {{"chardev", "agent"}, {"name", "org.test.0"}}, "channel0");
    begin(features);
  }
  FakeChardev& peer = FakeChardev::make(bench, "agent");
  FakeChardev& screen = FakeChardev::make(bench, "screen");
  Device* agent{};
};

TEST_F(SerialPorts, TheDriverHearsOfThemWhenItIsReady) {
  use_agent();
  EXPECT_THAT(all_told(), ElementsAre(ToldOfPort{1, Event::PortAdd, 1}));
}

TEST_F(SerialPorts, ItHearsOfANameWhenItIsReadyForThePort) {
  use_agent();
  all_told();
  use_port(1);
  EXPECT_THAT(all_told(),
              ElementsAre(ToldOfPort{1, Event::PortName, 1, std::string("org.test.0\0", 11)}));
}

TEST_F(SerialPorts, ItHearsOfAConsole) {
  use();
  plug("virtconsole", {{"chardev", "screen"}});
  begin();
  use_port(0);
  EXPECT_THAT(all_told(),
              ElementsAre(ToldOfPort{0, Event::PortAdd, 1}, ToldOfPort{0, Event::ConsolePort, 1}));
}

TEST_F(SerialPorts, ItHearsWhetherSomebodyIsThere) {
  use_agent();
  open_port(1);
  peer.tell(ChardevEvent::Opened);
  EXPECT_THAT(all_told(), ElementsAre(ToldOfPort{1, Event::PortOpen, 1}));
  peer.tell(ChardevEvent::Closed);
  EXPECT_THAT(all_told(), ElementsAre(ToldOfPort{1, Event::PortOpen, 0}));
}

TEST_F(SerialPorts, WhoWasThereBeforeItsDriverIsTold) {
  use_agent();
  peer.tell(ChardevEvent::Opened);
  all_told();
  use_port(1);
  EXPECT_THAT(all_told(),
              ElementsAre(ToldOfPort{1, Event::PortName, 1, std::string("org.test.0\0", 11)},
                          ToldOfPort{1, Event::PortOpen, 1}));
}

TEST_F(SerialPorts, WhatThereIsNoBufferForIsToldLater) {
  use_agent();
  all_told();
  control_in = queue(2, 0x4'0000);
  driver->set_status(0);
  ASSERT_TRUE(driver->negotiate(kManyPorts));
  control_in = queue(2, 0x4'0000);
  bench.store(control_in->place().driver, 0, 4);
  bench.store(control_in->place().device, 0, 4);
  control_out = queue(3, 0x5'0000);
  bench.store(control_out->place().driver, 0, 4);
  bench.store(control_out->place().device, 0, 4);
  driver->drive();
  say(~u32{0}, Event::DeviceReady, 1);
  EXPECT_EQ(control_in->take_used(), std::nullopt);
  offered = looked_at = 0;
  offer_control();
  driver->notify(2);
  EXPECT_THAT(all_told(), ElementsAre(ToldOfPort{1, Event::PortAdd, 1}));
}

TEST_F(SerialPorts, OnePortThatIsPluggedInIsAdded) {
  use();
  begin();
  EXPECT_THAT(all_told(), IsEmpty());
  plug("virtserialport", {{"nr", "7"}});
  EXPECT_THAT(all_told(), ElementsAre(ToldOfPort{7, Event::PortAdd, 1}));
}

TEST_F(SerialPorts, OneThatIsTakenOutIsRemoved) {
  use_agent();
  open_port(1);
  ASSERT_TRUE(bench.machine().unplug(*agent));
  EXPECT_THAT(all_told(), ElementsAre(ToldOfPort{1, Event::PortRemove, 1}));
  EXPECT_EQ(send(1, "x"), 0u);
  EXPECT_NE(out[1]->take_used(), std::nullopt) << "it goes nowhere";
  EXPECT_EQ(peer.written, "");
}

TEST_F(SerialPorts, WhatTheGuestSendsArrives) {
  use_agent();
  open_port(1);
  const u16 id = send(1, "hello");
  EXPECT_EQ(peer.written, "hello");
  EXPECT_EQ(out[1]->take_used(), (UsedBuffer{.id = id, .written = 0}));
  EXPECT_TRUE(driver->interrupted());
}

TEST_F(SerialPorts, ItArrivesByAPackedRing) {
  use_agent(kManyPorts | kPacked);
  open_port(1);
  send(1, "hello");
  EXPECT_EQ(peer.written, "hello");
}

TEST_F(SerialPorts, WhatTheOtherEndDoesNotTakeWaits) {
  use_agent();
  open_port(1);
  peer.room = 3;
  send(1, "hello");
  EXPECT_EQ(peer.written, "hel");
  EXPECT_EQ(out[1]->take_used(), std::nullopt);
  peer.make_room(100);
  turn();
  EXPECT_EQ(peer.written, "hello");
  EXPECT_NE(out[1]->take_used(), std::nullopt);
}

TEST_F(SerialPorts, WhatWaitsIsSaved) {
  use_agent();
  open_port(1);
  peer.room = 3;
  send(1, "hello");
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  peer.room = 100;
  turn();
  turn();
  EXPECT_EQ(peer.written, "hello");
}

TEST_F(SerialPorts, WhatWaitsForOneWhoLeavesIsGone) {
  use_agent();
  open_port(1);
  peer.tell(ChardevEvent::Opened);
  peer.room = 3;
  send(1, "hello");
  peer.room = 100;
  peer.tell(ChardevEvent::Closed);
  turn();
  EXPECT_NE(out[1]->take_used(), std::nullopt);
}

TEST_F(SerialPorts, AConsoleWaitsForNobody) {
  use();
  plug("virtconsole", {{"chardev", "screen"}});
  begin();
  open_port(0);
  screen.room = 3;
  send(0, "hello");
  EXPECT_EQ(screen.written, "hel");
  EXPECT_NE(out[0]->take_used(), std::nullopt);
  screen.room = 100;
  send(0, "again");
  EXPECT_EQ(screen.written, "helagain");
}

TEST_F(SerialPorts, ALongBufferTakesSeveralTurns) {
  use_agent();
  open_port(1);
  out[1]->add({{kOut, 512 * KiB}});
  driver->notify(5);
  EXPECT_EQ(peer.written.size(), 256 * KiB);
  turn();
  EXPECT_EQ(peer.written.size(), 512 * KiB);
  turn();
  EXPECT_NE(out[1]->take_used(), std::nullopt);
}

TEST_F(SerialPorts, SeveralBuffersShareATurn) {
  use_agent();
  open_port(1);
  out[1]->add({{kOut, 200 * KiB}});
  out[1]->add({{kOut, 200 * KiB}});
  driver->notify(5);
  EXPECT_EQ(peer.written.size(), 256 * KiB);
  turn();
  EXPECT_EQ(peer.written.size(), 400 * KiB);
}

TEST_F(SerialPorts, WhatComesWaitsUntilTheGuestOpensThePort) {
  use_agent();
  use_port(1);
  offer(1);
  EXPECT_EQ(peer.say("early"), 0u);
  say(1, Event::PortOpen, 1);
  EXPECT_EQ(peer.say("hello"), 5u);
  EXPECT_EQ(received(1), "hello");
}

TEST_F(SerialPorts, WhatComesWaitsForABuffer) {
  use_agent();
  open_port(1);
  EXPECT_EQ(peer.say("hello"), 0u);
  offer(1);
  EXPECT_EQ(peer.say("hello and more than fits"), kInBytes);
  EXPECT_EQ(received(1), "hello and more t");
}

TEST_F(SerialPorts, NothingComesWhileTheMachineStands) {
  use_agent();
  open_port(1);
  offer(1);
  bench.machine().resume();
  bench.machine().pause();
  EXPECT_EQ(peer.say("hello"), 0u);
  bench.machine().resume();
  EXPECT_EQ(peer.say("hello"), 5u);
}

TEST_F(SerialPorts, WithOnePortThereIsNothingToSay) {
  use({{"max_ports", "1"}});
  plug("virtconsole", {{"chardev", "screen"}});
  EXPECT_EQ(driver->offered() & hw::virtio::bit(hw::virtio_serial::kMultiport), 0u);
  begin(kVersion1);
  in[0] = queue(0, 0x6'0000);
  out[0] = queue(1, 0x7'0000);
  send(0, "hello");
  offer(0);
  EXPECT_EQ(screen.written, "hello");
  EXPECT_EQ(screen.say("echo"), 4u);
  EXPECT_EQ(received(0), "echo");
}

TEST_F(SerialPorts, ACharacterNeedsNoQueue) {
  use();
  plug("virtserialport", {{"chardev", "agent"}});
  plug("virtconsole", {{"chardev", "screen"}});
  driver->modern(0x2000 + hw::virtio_serial::kEmergencyAt, 'x', 4);
  EXPECT_EQ(screen.written, "x");
  EXPECT_EQ(peer.written, "");
  EXPECT_EQ(driver->modern(0x2000 + hw::virtio_serial::kEmergencyAt, 4), 0u);
}

TEST_F(SerialPorts, ToolsHearThatTheGuestOpenedOne) {
  use_agent();
  use_port(1);
  say(1, Event::PortOpen, 1);
  ASSERT_TRUE(bench.run_until([this] { return !news.empty(); }));
  EXPECT_THAT(news, ElementsAre("VSERPORT_CHANGE channel0 on"));
}

TEST_F(SerialPorts, ABackEndIsInUseWhileTheGuestHasOpenedItsPort) {
  use_agent();
  EXPECT_FALSE(peer.used());
  open_port(1);
  EXPECT_TRUE(peer.used());
  driver->set_status(0);
  EXPECT_FALSE(peer.used());
}

TEST_F(SerialPorts, TheBackEndOfAConsoleIsAlwaysInUse) {
  use();
  plug("virtconsole", {{"chardev", "screen"}});
  EXPECT_TRUE(screen.used());
}

TEST_F(SerialPorts, AResetClosesThem) {
  use_agent();
  open_port(1);
  ASSERT_TRUE(bench.run_until([this] { return !news.empty(); }));
  bench.reset();
  EXPECT_EQ(peer.say("hello"), 0u);
  auto& clock = bench.machine().realtime_clock();
  ASSERT_TRUE(bench.run_until([&] { return clock.now_ns() != 0 && news.size() == 2; }));
  EXPECT_EQ(news.back(), "VSERPORT_CHANGE channel0 off");
}

TEST_F(SerialPorts, AnOpenPortIsSaved) {
  use_agent();
  open_port(1);
  offer(1);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(peer.say("hello"), 5u);
  EXPECT_EQ(received(1), "hello");
}

TEST_F(SerialPorts, NonsenseOfTheDriverIsPassedOver) {
  use_agent();
  open_port(1);
  say(99, Event::PortOpen, 1);
  say(1, Event::PortName, 1);
  say(2, Event::PortReady, 1);
  control_out->add({{kSaid, 3}});
  driver->notify(3);
  EXPECT_NE(control_out->take_used(), std::nullopt);
  EXPECT_EQ(driver->status() & hw::VirtioCore::kNeedsReset, 0);
  EXPECT_THAT(all_told(), IsEmpty());
}

TEST_F(SerialPorts, NumbersAndNamesAreTakenOnce) {
  use({{"max_ports", "4"}});
  plug("virtserialport", {{"name", "one"}});
  const auto refused = [this](const Properties& properties, std::string_view type) {
    return bench.try_add(type, properties).error().message();
  };
  EXPECT_THAT(refused({{"nr", "1"}}, "virtserialport"), HasSubstr("A port already exists at id 1"));
  EXPECT_THAT(refused({{"name", "one"}}, "virtserialport"),
              HasSubstr("A port already exists by name one"));
  EXPECT_THAT(refused({{"nr", "4"}}, "virtserialport"),
              HasSubstr("Out-of-range port id specified, max. allowed: 3"));
  EXPECT_THAT(refused({{"nr", "0"}}, "virtserialport"),
              HasSubstr("Port number 0 on virtio-serial devices reserved for virtconsole"));
  plug("virtserialport", {});
  plug("virtserialport", {});
  EXPECT_THAT(refused({}, "virtserialport"), HasSubstr("Maximum port limit"));
  EXPECT_TRUE(bench.try_add("virtconsole")) << "number 0 is left";
}

TEST_F(SerialPorts, HowManyThereMayBeHasALimit) {
  EXPECT_THAT(bench.try_add("virtio-serial-pci", {{"max_ports", "0"}}).error().message(),
              HasSubstr("Maximum number of serial ports not specified"));
  EXPECT_THAT(bench.try_add("virtio-serial-pci", {{"max_ports", "512"}}).error().message(),
              HasSubstr("maximum ports supported: 511"));
}

TEST_F(SerialPorts, ItsBusHasItsName) {
  ASSERT_TRUE(bench.machine().plug("virtio-serial-pci", {}, "vs0"));
  ASSERT_TRUE(bench.machine().plug("virtio-serial-pci", {}));
  ASSERT_TRUE(bench.machine().plug("virtserialport", {}, "a", "vs0.0"));
  ASSERT_TRUE(bench.machine().plug("virtserialport", {}, "b", "virtio-serial-bus.1"));
}

TEST_F(SerialPorts, TheirDeviceMayBeOfAnotherClass) {
  use({{"class", "0x0380"}});
  EXPECT_EQ(bench.config_read(VirtioPciDriver::kDevfn, pci::kSubclass, 2), 0x0380u);
}

TEST_F(SerialPorts, WhatHappensWhileTheMachineStandsIsToldWhenItGoesOn) {
  use_agent();
  open_port(1);
  peer.room = 0;
  send(1, "x");
  bench.machine().resume();
  bench.machine().pause();
  ASSERT_TRUE(bench.machine().unplug(*agent));
  bench.machine().resume();
  EXPECT_THAT(all_told(), ElementsAre(ToldOfPort{1, Event::PortRemove, 1}));
  EXPECT_NE(out[1]->take_used(), std::nullopt) << "what the other end did not take";
}

// A port that is plugged in is reset behind that, and its driver may have been faster.
TEST_F(SerialPorts, OnlyItsDevicesResetClosesAPort) {
  use_agent();
  open_port(1);
  offer(1);
  agent->reset_tree(ResetKind::Cold);
  EXPECT_EQ(peer.say("hello"), 5u);
}

TEST_F(SerialPorts, TheyGoWithTheirDevice) {
  use_agent();
  open_port(1);
  peer.tell(ChardevEvent::Opened);
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  EXPECT_FALSE(peer.attached());
  peer.tell(ChardevEvent::Closed);
}

}  // namespace
}  // namespace rhea::test
