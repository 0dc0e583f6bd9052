// SPDX-License-Identifier: GPL-2.0-or-later
// The qtest protocol.
#include "monitor/qtest/protocol.h"
#include "monitor/qtest/server.h"
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

class QtestTest : public MonitorTest {
 protected:
  std::string ask(std::string_view line) { return protocol_.execute(line); }
  std::vector<std::string> heard_;
  qtest::Protocol protocol_{machine(),
                            [this](std::string line) { heard_.push_back(std::move(line)); }};
};

TEST_F(QtestTest, memory_is_stored_and_loaded) {
  EXPECT_EQ(ask("writel 0x1000 0x12345678"), "OK");
  EXPECT_EQ(ask("readb 0x1000"), "OK 0x0000000000000078");
  EXPECT_EQ(ask("readw 0x1000"), "OK 0x0000000000005678");
  EXPECT_EQ(ask("readl 4096"), "OK 0x0000000012345678");
  EXPECT_EQ(ask("writeq 0x1000 0x1122334455667788"), "OK");
  EXPECT_EQ(ask("readq 0x1000"), "OK 0x1122334455667788");
}

TEST_F(QtestTest, blocks_are_written_read_and_filled) {
  EXPECT_EQ(ask("write 0x2000 4 0xdeadbeef"), "OK");
  EXPECT_EQ(ask("read 0x2000 4"), "OK 0xdeadbeef");
  EXPECT_EQ(ask("b64read 0x2000 4"), "OK 3q2+7w==");
  EXPECT_EQ(ask("b64write 0x3000 4 3q2+7w=="), "OK");
  EXPECT_EQ(ask("read 0x3000 5"), "OK 0xdeadbeef00");
  EXPECT_EQ(ask("memset 0x2000 0x3 0xff"), "OK");
  EXPECT_EQ(ask("read 0x2000 4"), "OK 0xffffffef");
}

TEST_F(QtestTest, ports_answer) {
  EXPECT_EQ(ask("inb 0x1234"), "OK 0x00ff");
  EXPECT_EQ(ask("inl 0x1234"), "OK 0xffffffff");
  EXPECT_EQ(ask("outb 0x80 1"), "OK");
}

TEST_F(QtestTest, time_moves_by_hand) {
  EXPECT_EQ(ask("clock_step 1000"), "OK 1000");
  EXPECT_EQ(ask("clock_set 5000"), "OK 5000");
  EXPECT_EQ(ask("clock_set 1"), "OK 5000");
  Timer timer;
  bool fired = false;
  timer.init(machine().virtual_clock(), [&] { fired = true; });
  timer.arm(7000);
  EXPECT_EQ(ask("clock_step"), "OK 7000");
  EXPECT_TRUE(fired);
  EXPECT_EQ(ask("clock_step"), "OK 7000");
}

TEST_F(QtestTest, interrupt_lines_are_watched_and_driven) {
  bench_.add("isa-i8259");
  Device& pic = *dynamic_cast<Device*>(machine().resolve("/machine/peripheral-anon/bench[0]"));
  const Irq wired_before = pic.gpio_in("", 4);
  EXPECT_EQ(ask("irq_intercept_in " + pic.path()), "OK");
  wired_before.set(true);
  wired_before.set(true);
  EXPECT_EQ(ask("set_irq_in " + pic.path() + " unnamed-gpio-in 4 0"), "OK");
  EXPECT_THAT(heard_, ElementsAre("IRQ raise 4", "IRQ lower 4"));
  EXPECT_EQ(ask("irq_intercept_in " + pic.path()), "OK");
  EXPECT_EQ(ask("irq_intercept_in /machine/nowhere"), "FAIL Unknown device");
  EXPECT_EQ(ask("set_irq_in " + pic.path() + " nope 4 0"), "FAIL no such pin");
}

TEST_F(QtestTest, nonsense_is_answered) {
  EXPECT_EQ(ask(""), "FAIL no command");
  EXPECT_EQ(ask("frob 1"), "FAIL Unknown command 'frob'");
  EXPECT_EQ(ask("readb"), "FAIL readb: arguments missing");
  EXPECT_EQ(ask("readb x"), "ERR not a number");
  EXPECT_EQ(ask("inb 0x10000"), "ERR not a number");
  EXPECT_THAT(ask("read 0 0xffffffffffffffff"), StartsWith("ERR length"));
  EXPECT_THAT(ask("write 0 0x7fffffffffffffff 0x00"), StartsWith("ERR length"));
  EXPECT_THAT(ask("memset 0 0x7fffffffffffffff 0"), StartsWith("ERR length"));
  EXPECT_EQ(ask("write 0 2 0xzz"), "ERR data is not hexadecimal");
  EXPECT_EQ(ask("write 0 2 1234"), "ERR data is not hexadecimal");
  EXPECT_EQ(ask("clock_step 0xffffffffffffffff"), "ERR not a number");
  EXPECT_EQ(ask("module_load a b"), "FAIL module_load is not available");
  EXPECT_EQ(ask("endianness"), "OK little");
}

TEST_F(QtestTest, server_speaks_over_a_socket) {
  const std::string path = scratch_.file("qtest");
  Chardev* chardev =
      create_chardev(machine(), "socket,id=q,server=on,wait=off,path=" + path).value();
  auto& server = machine().service<qtest::Server>();
  ASSERT_TRUE(server.log_to(scratch_.file("log")).has_value());
  ASSERT_TRUE(server.start(*chardev).has_value());
  UnixClient client(path);
  client.send("writeb 0x10 0x41\nreadb ");
  client.send("0x10\n");
  EXPECT_TRUE(turn_until(machine(), [&] {
    client.receive();
    return client.said == "OK\nOK 0x0000000000000041\n";
  }));
}

}  // namespace
}  // namespace rhea::test
