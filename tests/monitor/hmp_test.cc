// SPDX-License-Identifier: GPL-2.0-or-later
// Commands of the human monitor.
#include "rhea/block/block_backend.h"
#include "rhea/util/log.h"
#include "softmmu/boot_options.h"
#include "tests/monitor/fixture.h"

#include <fstream>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class HmpTest : public MonitorTest {};

TEST_F(HmpTest, expressions_bind_as_qemus) {
  EXPECT_EQ(hmp("p 1+2*3"), "0x7\n");
  EXPECT_EQ(hmp("p 6 & 3 | 8 ^ 1"), "0xb\n");
  EXPECT_EQ(hmp("p /d (1+2)*3"), "9\n");
  EXPECT_EQ(hmp("p 3 % 2"), "1\n");
  EXPECT_EQ(hmp("p 0x10 - 020"), "0\n");
  EXPECT_EQ(hmp("p 'a'"), "97\n");
  EXPECT_EQ(hmp("p -1"), "-1\n");
  EXPECT_EQ(hmp("p /u -1"), "18446744073709551615\n");
  EXPECT_EQ(hmp("p /x 255"), "0xff\n");
  EXPECT_EQ(hmp("p /o 8"), "010\n");
  EXPECT_EQ(hmp("p /c 65"), "'A'\n");
  EXPECT_EQ(hmp("print/x ~0"), "0xffffffffffffffff\n");
}

TEST_F(HmpTest, expression_errors) {
  const std::string hint = "\nTry \"help p\" for more information\n";
  EXPECT_EQ(hmp("p"), "unexpected end of expression" + hint);
  EXPECT_EQ(hmp("p 1/0"), "division by zero" + hint);
  EXPECT_EQ(hmp("p (1"), "')' expected" + hint);
  EXPECT_EQ(hmp("p q"), "invalid char 'q' in expression" + hint);
  EXPECT_EQ(hmp("p $nope"), "unknown register" + hint);
  EXPECT_EQ(hmp("p 5 6"), "print|p: extraneous characters at the end of line" + hint);
  EXPECT_EQ(hmp("p /q 0"), "invalid char in format: 'q'" + hint);
  EXPECT_EQ(hmp("p 99999999999999999999"), "number too large" + hint);
  EXPECT_EQ(hmp("p " + std::string(1000, '(')), "expression too deep" + hint);
  EXPECT_EQ(hmp("p 0x8000000000000000 / -1"), "0x8000000000000000\n");
}

TEST_F(HmpTest, registers_stand_in_expressions) {
  add_fake_cpus(machine(), 1);
  EXPECT_EQ(hmp("p /x $rax"), "0x1122334455667788\n");
  EXPECT_EQ(hmp("p /x $eax"), "0x55667788\n");
  EXPECT_EQ(hmp("p /x $rip+1"), "0x7c01\n");
  EXPECT_EQ(hmp("p /x $cs"), "0xf000\n");
}

TEST_F(HmpTest, memory_is_shown_as_qemu_shows_it) {
  const std::array<u8, 20> bytes = {0x43, 0x24, 0x83, 0xc4, 0x20, 0x5b, 0x5e, 0x5f, 0x5d, 0xc3,
                                    0x55, 0x57, 0x56, 0x53, 0x83, 0xec, 0x08, 0x89, 0xc6, 0x89};
  bench_.write(0x1000, bytes);
  EXPECT_EQ(hmp("xp /20xb 0x1000"),
            "0000000000001000: 0x43 0x24 0x83 0xc4 0x20 0x5b 0x5e 0x5f\n"
            "0000000000001008: 0x5d 0xc3 0x55 0x57 0x56 0x53 0x83 0xec\n"
            "0000000000001010: 0x08 0x89 0xc6 0x89\n");
  EXPECT_EQ(hmp("xp /3xh 0x1000"), "0000000000001000: 0x2443 0xc483 0x5b20\n");
  EXPECT_EQ(hmp("xp /2xg 0x1000"), "0000000000001000: 0x5f5e5b20c4832443 0xec8353565755c35d\n");
  EXPECT_EQ(hmp("xp /2d 0x1000"), "0000000000001000:  6872030277707965507 -1404187028511931555\n");
  EXPECT_EQ(hmp("xp /3db 0x1000"), "0000000000001000:  67  36 131\n");
  EXPECT_EQ(hmp("xp /3uw 0x1000"), "0000000000001000: 3296928835 1600019232 1465238365\n");
  EXPECT_EQ(hmp("xp /3ow 0x1000"), "0000000000001000: 030440622103 013727455440 012725341535\n");
  EXPECT_EQ(hmp("xp /4cb 0x1000"), "0000000000001000: 'C' '$' '\\x83' '\\xc4'\n");
  EXPECT_EQ(hmp("xp 0x1000"), "0000000000001000: 'C'\n");
}

TEST_F(HmpTest, virtual_memory_ends_where_nothing_is_mapped) {
  add_fake_cpus(machine(), 1);
  bench_.write(0xffffc, bytes_of("last"));
  EXPECT_EQ(hmp("x /2xw 0xffffc"), "00000000000ffffc: 0x7473616c\nCannot access memory\n");
  EXPECT_EQ(hmp("x /1xw 0x100000"), "Cannot access memory\n");
}

TEST_F(HmpTest, too_much_memory_at_once_is_refused) {
  EXPECT_THAT(hmp("xp /1000000000xg 0"), StartsWith("Error: at most"));
  EXPECT_THAT(hmp("xp /99999999999999999999xg 0"), StartsWith("Error: at most"));
}

TEST_F(HmpTest, code_is_disassembled) {
  bench_.write(0x7c00, std::array<u8, 2>{0xfa, 0xf4});
  EXPECT_THAT(hmp("xp /2i 0x7c00"), HasSubstr("cli"));
  EXPECT_THAT(hmp("xp /2i 0x7c00"), HasSubstr("hlt"));
}

TEST_F(HmpTest, checksum_is_bsds) {
  bench_.write(0x1000, bytes_of("hello\n"));
  EXPECT_EQ(hmp("sum 0x1000 6"), "36979\n");
}

TEST_F(HmpTest, memory_is_saved_to_a_path_with_or_without_quotes) {
  bench_.write(0, bytes_of("abc"));
  EXPECT_EQ(hmp("pmemsave 0 3 " + scratch_.file("a")), "");
  EXPECT_EQ(hmp("pmemsave 0 3 \"" + scratch_.file("b c") + "\""), "");
  EXPECT_TRUE(std::filesystem::exists(scratch_.file("a")));
  EXPECT_TRUE(std::filesystem::exists(scratch_.file("b c")));
  EXPECT_EQ(hmp("pmemsave 0 3"),
            "pmemsave: string expected\nTry \"help pmemsave\" for more information\n");
  EXPECT_THAT(hmp("pmemsave 0 3 \"x"), StartsWith("unterminated string\n"));
  EXPECT_EQ(hmp("pmemsave 0 3 /nowhere/x"),
            "Error: Could not open '/nowhere/x': No such file or directory\n");
}

TEST_F(HmpTest, ports_are_read_and_written) {
  bench_.add("edu");
  EXPECT_EQ(hmp("i /b 0x1234"), "portb[0x1234] = 0xff\n");
  EXPECT_EQ(hmp("i /h 0x1234"), "portw[0x1234] = 0xffff\n");
  EXPECT_EQ(hmp("i /w 0x1234"), "portl[0x1234] = 0xffffffff\n");
  EXPECT_EQ(hmp("o /b 0x80 5"), "");
  EXPECT_THAT(hmp("o /b 0x80"), StartsWith("unexpected end of expression\n"));
}

TEST_F(HmpTest, keys_are_named) {
  EXPECT_EQ(hmp("sendkey ctrl-alt-f1 100"), "");
  EXPECT_EQ(hmp("sendkey 0x1e"), "");
  EXPECT_EQ(hmp("sendkey a-b-q9"), "invalid parameter: q9\n");
  EXPECT_THAT(hmp("sendkey"), StartsWith("sendkey: string expected\n"));
  EXPECT_EQ(hmp("sendkey a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a"), "too many keys\n");
  EXPECT_EQ(hmp("mouse_move -5 3"), "");
  EXPECT_EQ(hmp("mouse_button 2"), "");
  EXPECT_THAT(hmp("mouse_move 1"), StartsWith("mouse_move: string expected\n"));
}

TEST_F(HmpTest, information_about_the_machine) {
  machine().config.name = "guest7";
  EXPECT_EQ(hmp("info name"), "guest7\n");
  EXPECT_EQ(hmp("info status"), "VM status: paused (prelaunch)\n");
  EXPECT_EQ(hmp("info kvm"), "kvm support: disabled\n");
  EXPECT_THAT(hmp("info version"), StartsWith("7.2.0"));
  EXPECT_THAT(hmp("info mtree"), HasSubstr("pc.ram"));
  EXPECT_THAT(hmp("info mtree -f"), HasSubstr("pc.ram"));
  EXPECT_THAT(hmp("info qom-tree /"), HasSubstr("/machine (container)"));
  EXPECT_EQ(hmp("info status now"),
            "status: extraneous characters at the end of line\nTry \"help info status\" for more "
            "information\n");
  EXPECT_EQ(hmp("info nope"), "unknown command: 'info nope'\n");
}

TEST_F(HmpTest, cpus_are_listed_and_chosen) {
  add_fake_cpus(machine(), 2);
  EXPECT_EQ(hmp("cpu 1"), "");
  EXPECT_THAT(hmp("info cpus"),
              testing::ContainsRegex("  CPU #0: thread_id=[0-9]+\n\\* CPU #1: thread_id=[0-9]+\n"));
  EXPECT_EQ(hmp("cpu 2"), "invalid CPU index\n");
  EXPECT_THAT(hmp("info registers"), StartsWith("\nCPU#1\nEAX=55667788"));
  EXPECT_THAT(hmp("info registers -a"), testing::ContainsRegex("^\nCPU#0\nEAX=.*\nCPU#1\nEAX="));
  EXPECT_EQ(hmp("info registers 7"), "CPU#7 not available\n");
}

TEST_F(HmpTest, pci_devices_are_listed) {
  bench_.add("edu", {{"addr", "4"}});
  EXPECT_THAT(hmp("info pci"), HasSubstr("  Bus  0, device   4, function 0:\n"
                                         "    Class 0255: PCI device 1234:11e8\n"
                                         "      PCI subsystem 1af4:1100\n"
                                         "      IRQ 0, pin A\n"));
  EXPECT_THAT(hmp("info qtree"), HasSubstr("dev: edu, id \"\""));
}

TEST_F(HmpTest, devices_come_and_go) {
  EXPECT_EQ(hmp("device_add edu,id=e1"), "");
  EXPECT_EQ(hmp("qom-get e1 dma_mask"), "268435455\n");
  EXPECT_EQ(hmp("qom-get e1 type"), "\"edu\"\n");
  EXPECT_THAT(hmp("qom-list e1"), HasSubstr("dma_mask (uint64)\n"));
  EXPECT_EQ(hmp("device_del e1"), "");
  EXPECT_EQ(hmp("device_del e1"), "Error: Device 'e1' not found\n");
  EXPECT_EQ(hmp("device_add"), "Error: Parameter 'driver' is missing\n");
  EXPECT_EQ(hmp("device_add nope"), "Error: 'nope' is not a valid device model name\n");
  EXPECT_THAT(hmp("device_add help"), HasSubstr("name \"edu\", bus PCI"));
}

TEST_F(HmpTest, trace_events_are_switched) {
  EXPECT_EQ(hmp("trace-event hmp_command on"), "");
  EXPECT_EQ(hmp("info trace-events hmp_*"), "hmp_command : state 1\n");
  EXPECT_EQ(hmp("trace-event hmp_command off"), "");
  EXPECT_EQ(hmp("info trace-events hmp_*"), "hmp_command : state 0\n");
  EXPECT_EQ(hmp("trace-event nope on"), "unknown event \"nope\"\n");
  EXPECT_THAT(hmp("trace-event x maybe"), StartsWith("Expected 'on' or 'off'\n"));
}

TEST_F(HmpTest, trace_events_belong_to_no_processor) {
  add_fake_cpus(machine(), 1);
  EXPECT_EQ(hmp("trace-event hmp_command on 0"), "event \"hmp_command\" is not vCPU-specific\n");
  EXPECT_EQ(hmp("trace-event hmp_* on 0"), "");
  EXPECT_EQ(hmp("info trace-events hmp_command"), "hmp_command : state 0\n");
  EXPECT_EQ(hmp("trace-event hmp_command on 5"), "invalid vCPU index 5\n");
  EXPECT_EQ(hmp("info trace-events nope"), "unknown event \"nope\"\n");
  EXPECT_EQ(hmp("info trace-events nope*"), "");
}

TEST_F(HmpTest, all_items_can_be_logged_and_an_unknown_one_is_named) {
  const u32 before = log_mask;
  EXPECT_EQ(hmp("log all"), "");
  EXPECT_TRUE(log_enabled(LogItem::GuestErrors) && log_enabled(LogItem::Mmu));
  EXPECT_THAT(hmp("log int,foo"), StartsWith("unknown log item 'foo'\nLog items"));
  EXPECT_TRUE(log_enabled(LogItem::Mmu));
  EXPECT_EQ(hmp("log none"), "");
  EXPECT_FALSE(log_enabled(LogItem::GuestErrors));
  log_mask = before;
}

TEST_F(HmpTest, descriptors_are_named_and_closed) {
  EXPECT_EQ(hmp("getfd a"), "Error: No file descriptor supplied via SCM_RIGHTS\n");
  client_.received.emplace_back(::dup(0));
  EXPECT_EQ(hmp("getfd a"), "");
  EXPECT_EQ(hmp("closefd a"), "");
  EXPECT_EQ(hmp("closefd a"), "Error: File descriptor named 'a' not found\n");
}

TEST_F(HmpTest, blocks_are_shown_with_their_images) {
  const std::string path = scratch_.file("disk");
  std::ofstream(path) << std::string(1 * MiB, 'x');
  ASSERT_TRUE(create_drive(machine(), "if=none,id=d0,format=raw,file=" + path));
  EXPECT_THAT(hmp("info block -v d0"),
              HasSubstr("    Cache mode:       writeback\n\nImages:\nimage: " + path +
                        "\nfile format: raw\nvirtual size: 1 MiB (1048576 bytes)\ndisk size: 1"));
  EXPECT_EQ(hmp("info block -n -v nope"), "");
  EXPECT_THAT(hmp("info block -x"), HasSubstr("unsupported option -x"));
}

TEST_F(HmpTest, named_nodes_are_shown) {
  const std::string path = scratch_.file("disk");
  std::ofstream(path) << std::string(1 * MiB, 'x');
  qmp(fmt::format(R"({{"execute":"blockdev-add","arguments":{{"driver":"file","node-name":"n0",)"
                  R"("filename":"{}"}}}})",
                  path));
  EXPECT_EQ(hmp("info block -n"),
            fmt::format("n0: {} (file)\n    Cache mode:       writeback\n", path));
}

TEST_F(HmpTest, trace_events_of_one_device_are_switched) {
  hmp("device_add edu,id=e1");
  EXPECT_EQ(hmp("trace-event e1:edu_dma on"), "");
  EXPECT_EQ(hmp("info trace-events edu_dma"), "edu_dma : state 1 (e1 on)\n");
  EXPECT_EQ(hmp("trace-event e2:edu_dma on"),
            "no device is \"e2\" now: its events show once it is there\n");
  EXPECT_EQ(hmp("trace-event edu_dma on"), "");
  EXPECT_EQ(hmp("trace-event e1:edu_dma off"), "");
  EXPECT_EQ(hmp("info trace-events edu_dma"), "edu_dma : state 1 (e1 off)\n");
  EXPECT_EQ(hmp("trace-event edu_dma off"), "");
  EXPECT_EQ(hmp("info trace-events edu_dma"), "edu_dma : state 0\n");
  EXPECT_EQ(hmp("trace-event e1:hmp_command on"), "unknown event \"e1:hmp_command\"\n");
}

TEST_F(HmpTest, help_is_there_for_everything) {
  EXPECT_THAT(hmp("help"), HasSubstr("quit|q  -- quit the emulator\n"));
  EXPECT_EQ(hmp("help quit"), "quit|q  -- quit the emulator\n");
  EXPECT_EQ(hmp("? nope"), "unknown command: 'nope'\n");
  EXPECT_THAT(hmp("info"), HasSubstr("info status  -- "));
  EXPECT_EQ(hmp("help info status"),
            "info status  -- show the current VM status (running|paused)\n");
}

TEST_F(HmpTest, running_and_stopping) {
  hmp("c");
  EXPECT_EQ(hmp("info status"), "VM status: running\n");
  hmp("s");
  EXPECT_EQ(hmp("info status"), "VM status: paused\n");
  EXPECT_EQ(
      hmp("quit now"),
      "quit|q: extraneous characters at the end of line\nTry \"help quit\" for more information\n");
}

TEST_F(HmpTest, boot_order_is_the_boards) {
  EXPECT_EQ(hmp("boot_set c"),
            "Error: no function defined to set boot device list for this architecture\n");
  std::string set;
  machine().service<BootOptions>().set_order = [&set](std::string_view order) -> Result<> {
    if (order == "q") return fail("Invalid boot device 'q'");
    set = order;
    return {};
  };
  EXPECT_EQ(hmp("boot_set dc"), "boot device list now set to dc\n");
  EXPECT_EQ(set, "dc");
  EXPECT_EQ(hmp("boot_set q"), "Error: Invalid boot device 'q'\n");
  EXPECT_EQ(hmp("boot_set"),
            "boot_set: bootdevice expected\nTry \"help boot_set\" for more information\n");
}

TEST_F(HmpTest, rings_are_read) {
  EXPECT_EQ(hmp("chardev-add ringbuf,id=r"), "");
  EXPECT_EQ(hmp("ringbuf_write r hello"), "");
  EXPECT_EQ(hmp("ringbuf_read r 100"), "hello\n");
  EXPECT_EQ(hmp("info chardev"), "r: filename=ringbuf\n");
  EXPECT_EQ(hmp("chardev-remove r"), "");
}

TEST_F(HmpTest, unknown_commands_are_named) {
  EXPECT_EQ(hmp("frobnicate now"), "unknown command: 'frobnicate'\n");
  EXPECT_EQ(hmp(""), "");
  EXPECT_EQ(hmp("   "), "");
}

}  // namespace
}  // namespace rhea::test
