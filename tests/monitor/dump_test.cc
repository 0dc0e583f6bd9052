// SPDX-License-Identifier: GPL-2.0-or-later
// Dumps of guest memory: both formats, pages through the page tables, all ways to fail.
#include "hw/misc/vmcoreinfo.h"
#include "monitor/dump/dump_job.h"
#include "softmmu/standstill.h"
#include "tests/monitor/fixture.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <fstream>
#include <iterator>

namespace rhea::test {
namespace {

using dump::DumpJob;
using qmp::Json;
using testing::HasSubstr;

template <class T>
T at(const std::string& file, std::size_t offset) {
  T value{};
  EXPECT_LE(offset + sizeof value, file.size());
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

class DumpTest : public MonitorTest {
 protected:
  void SetUp() override {
    add_fake_cpus(machine(), 2);
    bench_.write(0x5000, bytes_of("here I am"));
    bench_.write(0xff000, bytes_of("and here"));
  }
  x86::CpuState& cpu() { return machine().service<FakeCpuState>().state; }
  DumpJob& job() { return machine().service<DumpJob>(); }
  std::string command(std::string_view more) {
    return fmt::format(R"({{"execute":"dump-guest-memory","arguments":{{{}}}}})", more);
  }
  std::string to_file(std::string_view more = {}, std::string_view paging = "false") {
    return command(
        fmt::format(R"("paging":{},"protocol":"file:{}"{})", paging, scratch_.file("dump"), more));
  }
  /// A dump to a pipe has begun, and its end is not there as long as nobody drains this.
  FileDescriptor dump_to_pipe() {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    client_.named.emplace("dump", FileDescriptor(fds[1]));
    EXPECT_EQ(qmp(command(R"("paging":false,"protocol":"fd:dump","detach":true)")),
              R"({"return": {}})");
    return FileDescriptor(fds[0]);
  }
  bool drained(const FileDescriptor& reader) {
    ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
    std::vector<char> buffer(64 * KiB);
    return turn_until(machine(), [&] {
      const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
      return got <= 0 && !job().active();
    });
  }
  bool ended() {
    return turn_until(machine(), [this] { return !job().active(); });
  }
  std::string dumped(std::string_view more = {}, std::string_view paging = "false") {
    EXPECT_EQ(qmp(to_file(more, paging)), "{\"return\": {}}");
    EXPECT_TRUE(ended());
    EXPECT_EQ(job().status(), dump::Status::Completed);
    std::ifstream file(scratch_.file("dump"), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::vector<Elf64_Phdr> program_headers(const std::string& file) {
    std::vector<Elf64_Phdr> headers;
    const auto header = at<Elf64_Ehdr>(file, 0);
    for (unsigned i = 0; i < header.e_phnum; ++i)
      headers.push_back(at<Elf64_Phdr>(file, header.e_phoff + i * sizeof(Elf64_Phdr)));
    return headers;
  }
};

TEST_F(DumpTest, the_guest_does_not_go_on_meanwhile) {
  machine().resume();
  job().set_opening(true);
  EXPECT_EQ(error(R"({"execute":"cont"})"),
            "GenericError: There is a dump in process, please wait.");
}

TEST_F(DumpTest, elf_has_all_memory_and_the_registers) {
  const std::string file = dumped();
  const auto header = at<Elf64_Ehdr>(file, 0);
  EXPECT_EQ(file.substr(0, SELFMAG), ELFMAG);
  EXPECT_EQ(header.e_type, ET_CORE);
  EXPECT_EQ(header.e_machine, EM_386);
  const std::size_t notes = sizeof header + header.e_phnum * sizeof(Elf64_Phdr);
  EXPECT_EQ(at<u32>(file, notes + 4), 144u);
  EXPECT_EQ(at<u32>(file, notes + 20 + 72 + 6 * 4), 0x55667788u);  // EAX
  EXPECT_EQ(at<u32>(file, notes + 20 + 72 + 12 * 4), 0x7c00u);     // EIP
  const auto headers = program_headers(file);
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[0].p_type, PT_NOTE);
  EXPECT_EQ(headers[1].p_type, PT_LOAD);
  EXPECT_EQ(headers[1].p_paddr, 0u);
  EXPECT_EQ(headers[1].p_filesz, 1 * MiB);
  EXPECT_EQ(file.size(), headers[1].p_offset + headers[1].p_filesz);
  EXPECT_EQ(file.substr(headers[1].p_offset + 0x5000, 9), "here I am");
  EXPECT_EQ(file.substr(headers[1].p_offset + 0xff000, 8), "and here");
}

TEST_F(DumpTest, notes_of_64_bit_processors) {
  cpu().efer = 1 << 10;
  cpu().segment[x86::Gs].base = 0x1234;
  cpu().cr3 = 0x9000;
  const std::string file = dumped();
  EXPECT_EQ(at<Elf64_Ehdr>(file, 0).e_machine, EM_X86_64);
  const std::size_t notes = program_headers(file)[0].p_offset;
  EXPECT_EQ(at<u32>(file, notes), 5u);
  EXPECT_EQ(at<u32>(file, notes + 4), 336u);
  EXPECT_EQ(at<u32>(file, notes + 8), static_cast<u32>(NT_PRSTATUS));
  EXPECT_EQ(file.substr(notes + 12, 4), "CORE");
  const std::size_t status = notes + 20;
  EXPECT_EQ(at<u32>(file, status + 32), 1u);                             // the thread
  EXPECT_EQ(at<u64>(file, status + 112 + 10 * 8), 0x1122334455667788u);  // RAX
  EXPECT_EQ(at<u64>(file, status + 112 + 16 * 8), 0x7c00u);              // RIP
  EXPECT_EQ(at<u64>(file, status + 112 + 22 * 8), 0x1234u);              // GS base
  EXPECT_EQ(at<u32>(file, status + 336 + 20 + 32), 2u);                  // the second CPU's
  const std::size_t qemu = status + 2 * 336 + 20;
  EXPECT_EQ(file.substr(qemu + 12, 4), "QEMU");
  EXPECT_EQ(at<u32>(file, qemu + 20), 1u);  // version
  EXPECT_EQ(at<u32>(file, qemu + 24), 440u);
  EXPECT_EQ(at<u64>(file, qemu + 28), 0x1122334455667788u);                     // RAX
  EXPECT_EQ(at<u64>(file, qemu + 20 + 8 + 18 * 8 + 10 * 24 + 3 * 8), 0x9000u);  // CR3
}

TEST_F(DumpTest, a_part_of_memory) {
  const std::string file = dumped(R"(,"begin":20480,"length":9)");
  const auto headers = program_headers(file);
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[1].p_paddr, 0x5000u);
  EXPECT_EQ(file.substr(headers[1].p_offset), "here I am");
}

TEST_F(DumpTest, page_tables_give_the_linear_addresses) {
  cpu().cr0 = u64{1} << 31 | 1;
  cpu().cr3 = 0x1000;
  bench_.store(0x1000 + 4 * 0x300, 0x2007, 4);
  bench_.store(0x2000, 0x5007, 4);
  bench_.store(0x2004, 0x6007, 4);
  bench_.store(0x2010, 0x5007, 4);
  const std::string file = dumped("", "true");
  const auto headers = program_headers(file);
  ASSERT_EQ(headers.size(), 3u);
  EXPECT_EQ(headers[1].p_vaddr, 0xc000'0000u);
  EXPECT_EQ(headers[1].p_paddr, 0x5000u);
  EXPECT_EQ(headers[1].p_filesz, 0x2000u);
  EXPECT_EQ(headers[2].p_vaddr, 0xc000'4000u);
  EXPECT_EQ(file.substr(headers[1].p_offset, 9), "here I am");
}

/// A reader of the flattened form: the file that its records make.
std::string unflattened(const std::string& flat) {
  EXPECT_EQ(flat.substr(0, 12), "makedumpfile");
  std::string file;
  for (std::size_t place = 4096;;) {
    const u64 offset = std::byteswap(at<u64>(flat, place));
    const u64 size = std::byteswap(at<u64>(flat, place + 8));
    if (offset == ~u64{0}) return file;
    file.resize(std::max<std::size_t>(file.size(), offset + size));
    flat.copy(file.data() + offset, size, place + 16);
    place += 16 + size;
  }
}

std::string page_of_kdump(const std::string& file, u64 page) {
  const u64 bitmaps = 4096 * (1 + at<u32>(file, 432));
  const u64 descriptors = bitmaps + u64{4096} * at<u32>(file, 436);
  const u64 place = descriptors + page * 24;  // the test's memory has no hole
  const std::string packed = file.substr(at<u64>(file, place), at<u32>(file, place + 8));
  if (at<u32>(file, place + 12) == 0) return packed;
  std::string raw(4096, '\0');
  uLongf size = raw.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(raw.data()), &size,
                       reinterpret_cast<const Bytef*>(packed.data()), packed.size()),
            Z_OK);
  return raw;
}

TEST_F(DumpTest, kdump_has_all_pages) {
  std::vector<u8> noise(4096);
  for (std::size_t i = 0; i < noise.size(); ++i)
    noise[i] = static_cast<u8>((i * 2654435761U) >> 11);
  bench_.write(0x7000, noise);
  const std::string flat = dumped(R"(,"format":"kdump-zlib")");
  EXPECT_LT(flat.size(), 64 * KiB);
  const std::string file = unflattened(flat);
  EXPECT_EQ(file.substr(0, 8), "KDUMP   ");
  EXPECT_EQ(at<u32>(file, 8), 6u);
  EXPECT_EQ(at<u32>(file, 424), 1u);     // zlib
  EXPECT_EQ(at<u32>(file, 428), 4096u);  // bytes a block
  EXPECT_EQ(at<u32>(file, 440), 256u);   // pages
  EXPECT_EQ(at<u32>(file, 460), 2u);     // processors
  EXPECT_EQ(static_cast<u8>(file[4096 * (1 + at<u32>(file, 432)) + 31]), 0xff);
  EXPECT_THAT(page_of_kdump(file, 5), testing::StartsWith("here I am"));
  EXPECT_THAT(page_of_kdump(file, 255), testing::StartsWith("and here"));
  EXPECT_EQ(page_of_kdump(file, 7), std::string(noise.begin(), noise.end()));
  EXPECT_EQ(page_of_kdump(file, 9), std::string(4096, '\0'));
  const u64 notes = at<u64>(file, 4096 + 48);
  EXPECT_EQ(file.substr(notes + 12, 4), "CORE");
}

TEST_F(DumpTest, the_machine_stands_still_and_goes_on) {
  machine().resume();
  const FileDescriptor reader = dump_to_pipe();
  EXPECT_EQ(returned(R"({"execute":"query-status"})")["status"], "save-vm");
  const Json status = returned(R"({"execute":"query-dump"})");
  EXPECT_EQ(status["status"], "active");
  EXPECT_EQ(status["total"], 1 * MiB);
  EXPECT_THAT(hmp("info dump"), HasSubstr("Status: active\nFinished: "));
  EXPECT_EQ(error(to_file()), "GenericError: There is a dump in process, please wait.");
  ASSERT_TRUE(drained(reader));
  EXPECT_EQ(returned(R"({"execute":"query-dump"})")["completed"], 1 * MiB);
  EXPECT_EQ(returned(R"({"execute":"query-status"})")["status"], "running");
  EXPECT_EQ(hmp("info dump"), "Status: completed\n");
}

TEST_F(DumpTest, a_machine_that_is_stopped_meanwhile_stays_so) {
  machine().resume();
  const FileDescriptor reader = dump_to_pipe();
  EXPECT_EQ(qmp(R"({"execute":"stop"})"), R"({"return": {}})");
  EXPECT_FALSE(machine().service<Standstill>().need_none()) << "its memory is being read";
  ASSERT_TRUE(drained(reader));
  EXPECT_EQ(returned(R"({"execute":"query-status"})")["status"], "paused");
  EXPECT_TRUE(machine().service<Standstill>().need_none());
}

TEST_F(DumpTest, a_guest_that_sleeps_wakes_up_after_it) {
  machine().pause(RunState::Suspended);
  const FileDescriptor reader = dump_to_pipe();
  EXPECT_EQ(qmp(R"({"execute":"system_wakeup"})"), R"({"return": {}})");
  turn_until(machine(), [turns = 0]() mutable { return ++turns > 20; });
  EXPECT_EQ(machine().run_state(), RunState::Suspended);
  ASSERT_TRUE(drained(reader));
  EXPECT_TRUE(turn_until(machine(), [this] { return machine().running(); }));
}

// Nobody reads the pipe; the end of the program does not wait for it.
TEST_F(DumpTest, a_dump_that_is_stuck_is_given_up_at_the_end) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  const FileDescriptor reader(fds[0]);
  client_.named.emplace("dump", FileDescriptor(fds[1]));
  qmp(command(R"("paging":false,"protocol":"fd:dump","detach":true)"));
  job().shutdown();
  EXPECT_EQ(job().status(), dump::Status::Failed);
}

TEST_F(DumpTest, a_dump_that_fails_leaves_no_file) {
  machine().resume();
  qmp(command(R"("paging":false,"protocol":"file:/dev/full")"));
  ASSERT_TRUE(ended());
  EXPECT_EQ(returned(R"({"execute":"query-dump"})")["status"], "failed");
  EXPECT_EQ(returned(R"({"execute":"query-status"})")["status"], "running");
  EXPECT_TRUE(std::filesystem::exists("/dev/full"));
  qmp(to_file());
  job().shutdown();
  EXPECT_EQ(job().status() == dump::Status::Failed,
            !std::filesystem::exists(scratch_.file("dump")));
}

TEST_F(DumpTest, a_second_one_that_begins_while_a_file_is_opened_is_refused) {
  qmp::Context first{.machine = machine(), .client = client_};
  qmp::respond(first, to_file());
  EXPECT_EQ(error(to_file()), "GenericError: There is a dump in process, please wait.");
  ASSERT_TRUE(first.later);
  EXPECT_TRUE(wait_for(*first.later));
  EXPECT_TRUE(std::filesystem::exists(scratch_.file("dump")));
  EXPECT_EQ(qmp(to_file()), R"({"return": {}})");
}

TEST_F(DumpTest, errors) {
  EXPECT_EQ(error(command(R"("paging":false,"protocol":"foo")")),
            "GenericError: Invalid parameter 'protocol'");
  EXPECT_EQ(error(to_file(R"(,"format":"kdump-zlib")", "true")),
            "GenericError: kdump-compressed format doesn't support paging or filter");
  EXPECT_EQ(error(to_file(R"(,"begin":0)")), "GenericError: Parameter 'length' is missing");
  EXPECT_EQ(error(to_file(R"(,"length":10)")), "GenericError: Parameter 'begin' is missing");
  EXPECT_EQ(error(to_file(R"(,"begin":-1,"length":10)")),
            "GenericError: Parameter 'length' expects no more than there is behind 'begin'");
  EXPECT_EQ(error(to_file(R"(,"format":"kdump-lzo")")),
            "GenericError: kdump-lzo is not available now");
  EXPECT_EQ(error(to_file(R"(,"format":"tar")")),
            "GenericError: Parameter 'format' does not accept value 'tar'");
  EXPECT_EQ(error(command(R"("paging":false,"protocol":"fd:x")")),
            "GenericError: File descriptor named 'x' has not been found");
  EXPECT_EQ(error(command(R"("paging":false,"protocol":"file:/nowhere/x")")),
            "GenericError: Could not open '/nowhere/x': No such file or directory");
  EXPECT_EQ(error(to_file(R"(,"begin":1099511627776,"length":4096)")),
            "GenericError: dump: no guest memory to dump");
  EXPECT_EQ(hmp("info dump"), "Status: none\n");
  EXPECT_EQ(returned(R"({"execute":"query-dump-guest-memory-capability"})"),
            (Json{{"formats", {"elf", "kdump-zlib"}}}));
}

/// A kernel's note at 0x8000 and what its guest tells of it.
class NoteTest : public DumpTest {
 protected:
  static constexpr std::string_view kText = "OSRELEASE=6.1\nNUMBER(phys_base)=-4096\n";

  void tell(u16 format, u32 size, u64 address) {
    std::vector<u8> told(16);
    std::memcpy(&told[0], &format, sizeof format);
    std::memcpy(&told[4], &size, sizeof size);
    std::memcpy(&told[8], &address, sizeof address);
    device_.guest_writes(told);
  }
  void leave_note(u32 name_size) {
    const Elf64_Nhdr header{.n_namesz = name_size, .n_descsz = kText.size(), .n_type = 0};
    bench_.write(0x8000, {reinterpret_cast<const u8*>(&header), sizeof header});
    bench_.write(0x800c, bytes_of("VMCOREINFO"));
    bench_.write(0x8018, bytes_of(kText));
  }
  hw::Vmcoreinfo& device_ = dynamic_cast<hw::Vmcoreinfo&>(bench_.add("vmcoreinfo"));
};

TEST_F(NoteTest, the_kernels_note_is_the_last_of_an_elf) {
  leave_note(11);
  tell(1, 0x100, 0x8000);
  const std::string file = dumped();
  const auto notes = program_headers(file)[0];
  EXPECT_EQ(at<u32>(file, notes.p_offset + notes.p_filesz - 24 - 40), 11U);
  EXPECT_EQ(file.substr(notes.p_offset + notes.p_filesz - 40, kText.size()), kText);
}

TEST_F(NoteTest, kdump_says_where_the_kernels_note_is) {
  leave_note(11);
  tell(1, 0x100, 0x8000);
  const std::string file = unflattened(dumped(R"(,"format":"kdump-zlib")"));
  constexpr std::size_t kSubHeader = 4096;
  EXPECT_EQ(at<u64>(file, kSubHeader), ~u64{4095}) << "phys_base";
  const auto place = at<u64>(file, kSubHeader + 32), size = at<u64>(file, kSubHeader + 40);
  EXPECT_EQ(file.substr(place, size), kText);
}

TEST_F(NoteTest, what_is_no_note_is_left_out) {
  const std::size_t without = dumped().size();
  leave_note(0xffff'fff0);
  tell(1, 0x100, 0x8000);
  EXPECT_EQ(dumped().size(), without) << "a name longer than all";
  leave_note(11);
  tell(2, 0x100, 0x8000);
  EXPECT_EQ(dumped().size(), without) << "another format";
  tell(1, 11, 0x8000);
  EXPECT_EQ(dumped().size(), without) << "too short";
  tell(1, 0x7fff'ffff, 0x8000);
  EXPECT_EQ(dumped().size(), without) << "too long";
  tell(1, 0x100, u64{1} << 40);
  EXPECT_EQ(dumped().size(), without) << "nowhere";
}

TEST_F(DumpTest, a_pipe_without_a_reader_is_refused) {
  const std::string path = scratch_.file("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(error(command(fmt::format(R"("paging":false,"protocol":"file:{}")", path))),
            fmt::format("GenericError: Could not open '{}': nobody reads this pipe", path));
}

TEST_F(DumpTest, people_dump_too) {
  EXPECT_EQ(hmp("dump-guest-memory -z " + scratch_.file("z")), "");
  ASSERT_TRUE(ended());
  EXPECT_GT(std::filesystem::file_size(scratch_.file("z")), 4096u);
  EXPECT_EQ(hmp("dump-guest-memory"),
            "dump-guest-memory: filename expected\nTry \"help dump-guest-memory\" for more "
            "information\n");
  EXPECT_EQ(hmp("dump-guest-memory -z -l x"), "Error: only one of '-z|-l|-s|-w' can be set\n");
  EXPECT_EQ(hmp("dump-guest-memory -l x"), "Error: kdump-lzo is not available now\n");
  EXPECT_EQ(hmp("dump-guest-memory x 4096"), "Error: Parameter 'length' is missing\n");
}

}  // namespace
}  // namespace rhea::test
