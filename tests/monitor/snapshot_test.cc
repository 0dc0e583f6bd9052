// SPDX-License-Identifier: GPL-2.0-or-later
// Snapshots in files: what comes back, what is refused, and that a refusal leaves the machine as it
// was.
#include "rhea/softmmu/snapshot.h"

#include "monitor/long_work.h"
#include "monitor/snapshot/snapshot_job.h"
#include "tests/block/gate_node.h"
#include "tests/monitor/fixture.h"

#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>

namespace rhea::test {
namespace {

using qmp::Json;
using snapshot::SnapshotJob;
using testing::HasSubstr;

/// Loads only what it would have saved itself.
class StubbornDevice final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "stubborn";
  static void describe(Schema<StubbornDevice>& s) {
    s.help("loads only 7");
    s.state("value", &StubbornDevice::value);
  }
  Result<> post_load(unsigned) override {
    return value == 7 ? Result<>() : fail("{} is not 7", value);
  }
  u32 value{7};
};
const RegisterType<StubbornDevice> stubborn_type;

class SnapshotTest : public MonitorTest {
 protected:
  SnapshotTest() {
    add_fake_cpus(machine(), 2);
    bench_.add("edu", {{"addr", "3.0"}});
    bench_.config_write(3 << 3, 0x10, kEdu, 4);
    bench_.config_write(3 << 3, 4, 2, 2);
    bench_.write(0x5000, bytes_of("here I am"));
    bench_.store(kEdu + 4, ~u32{0x1234}, 4);
  }
  static constexpr u32 kEdu = 0xe000'0000;
  SnapshotJob& job() { return machine().service<SnapshotJob>(); }
  std::string path() { return scratch_.file("snapshot"); }
  std::string message(std::string_view command, std::string_view more = {}) {
    return fmt::format(R"({{"execute":"x-snapshot-{}","arguments":{{"filename":"{}"{}}}}})",
                       command, path(), more);
  }
  std::string save() { return qmp(message("save")); }
  std::string load() { return qmp(message("load")); }
  /// Without what differs from run to run: the file's name.
  std::string load_error() {
    std::string text = error(message("load"));
    const std::string prefix = fmt::format("GenericError: snapshot '{}': ", path());
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  }
  std::string run_state() { return returned(R"({"execute":"query-status"})")["status"]; }
  std::string status() { return returned(R"({"execute":"x-query-snapshot"})")["status"]; }
  std::string contents() {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(std::string_view bytes) {
    std::ofstream file(path(), std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::string memory(u64 address, std::size_t length) {
    const auto bytes = bench_.read(address, length);
    return {bytes.begin(), bytes.end()};
  }
  bool ended() {
    return turn_until(machine(), [this] { return !job().active(); });
  }
  std::size_t files() {
    const auto folder = std::filesystem::path(path()).parent_path();
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }
};

constexpr std::string_view kDone = R"({"return": {}})";

TEST_F(SnapshotTest, memory_and_devices_come_back) {
  EXPECT_EQ(save(), kDone);
  bench_.write(0x5000, bytes_of("it is gone"));
  bench_.write(0x9000, bytes_of("and this is new"));
  bench_.store(kEdu + 4, 0, 4);
  EXPECT_EQ(load(), kDone);
  EXPECT_EQ(memory(0x5000, 10), std::string("here I am\0", 10));
  EXPECT_EQ(memory(0x9000, 15), std::string(15, '\0'));
  EXPECT_EQ(bench_.load(kEdu + 4, 4), 0x1234U);
}

TEST_F(SnapshotTest, loads_in_another_process) {
  EXPECT_EQ(save(), kDone);
  const auto saved = bench_.save();
  bench_.reset();
  bench_.write(0x5000, bytes_of("of another"));
  ASSERT_TRUE(job().load_at_start(path()));
  ASSERT_TRUE(job().load_now());
  EXPECT_EQ(bench_.save(), saved);
}

TEST_F(SnapshotTest, memory_that_is_zero_takes_no_place) {
  EXPECT_EQ(save(), kDone);
  EXPECT_LT(contents().size(), 64 * KiB);
}

TEST_F(SnapshotTest, a_guest_that_ran_goes_on) {
  machine().resume();
  EXPECT_EQ(save(), kDone);
  EXPECT_EQ(run_state(), "running");
  EXPECT_EQ(load(), kDone);
  EXPECT_EQ(run_state(), "running");
}

TEST_F(SnapshotTest, a_guest_that_stood_stands) {
  EXPECT_EQ(save(), kDone);
  EXPECT_EQ(run_state(), "prelaunch");
  EXPECT_EQ(load(), kDone);
  EXPECT_EQ(run_state(), "paused");
}

TEST_F(SnapshotTest, a_guest_that_slept_sleeps) {
  machine().resume();
  machine().pause(RunState::Suspended);
  EXPECT_EQ(save(), kDone);
  EXPECT_EQ(run_state(), "suspended");
  machine().pause(RunState::Paused);
  EXPECT_EQ(load(), kDone);
  EXPECT_EQ(run_state(), "suspended");
}

TEST_F(SnapshotTest, people_save_and_load_too) {
  EXPECT_EQ(hmp("info x-snapshot"), "no snapshot was saved or loaded\n");
  EXPECT_EQ(hmp("x-snapshot-save " + path()), "");
  EXPECT_EQ(hmp("info x-snapshot"), fmt::format("save '{}': completed\n", path()));
  EXPECT_EQ(hmp("x-snapshot-load -d " + path()), "");
  EXPECT_THAT(hmp("info x-snapshot"), HasSubstr(fmt::format("load '{}': ", path())));
  ASSERT_TRUE(ended());
  EXPECT_EQ(hmp("info x-snapshot"), fmt::format("load '{}': completed\n", path()));
  EXPECT_EQ(hmp("x-snapshot-load /nowhere/x"),
            "Error: Could not open '/nowhere/x': No such file or directory\n");
}

// ---- Disks

class SnapshotDiskTest : public SnapshotTest {
 protected:
  BlockBackend& add_disk(std::string_view more) {
    std::ofstream(scratch_.file("disk"), std::ios::binary) << std::string(64 * KiB, 'b');
    auto drive = create_drive(
        machine(), fmt::format("file={},format=raw,if=none,id=d0{}", scratch_.file("disk"), more));
    EXPECT_TRUE(drive) << drive.error().message();
    return **drive;
  }
  void write(BlockBackend& drive, u64 offset, std::string_view text) {
    std::vector<u8> data(text.begin(), text.end());
    drive.write(offset, data, [](const Result<>& result) { EXPECT_TRUE(result); });
    drive.drain();
  }
  std::string read(BlockBackend& drive, u64 offset, std::size_t length) {
    std::vector<u8> data(length);
    drive.read(offset, data, [](const Result<>& result) { EXPECT_TRUE(result); });
    drive.drain();
    return {data.begin(), data.end()};
  }
};

TEST_F(SnapshotDiskTest, a_disk_that_is_written_is_refused) {
  add_disk("");
  EXPECT_EQ(error(message("save")),
            fmt::format("GenericError: drive 'd0' writes to '{}', which a snapshot does not hold: "
                        "start Rhea with -snapshot",
                        scratch_.file("disk")));
  EXPECT_EQ(files(), 1U);
}

TEST_F(SnapshotDiskTest, what_was_written_over_an_image_comes_along) {
  BlockBackend& disk = add_disk(",snapshot=on");
  write(disk, 5000, "kept");
  write(disk, 63 * KiB, "the end");
  EXPECT_EQ(save(), kDone);
  write(disk, 5000, "lost");
  write(disk, 20000, "lost too");
  EXPECT_EQ(load(), kDone);
  EXPECT_EQ(read(disk, 4999, 6), "bkeptb");
  EXPECT_EQ(read(disk, 20000, 8), "bbbbbbbb");
  EXPECT_EQ(read(disk, 63 * KiB, 8), "the endb");
}

TEST_F(SnapshotDiskTest, a_disk_that_is_only_read_may_be_one) {
  add_disk(",readonly=on");
  EXPECT_EQ(save(), kDone);
  EXPECT_EQ(load(), kDone);
}

TEST_F(SnapshotDiskTest, another_disk_is_refused) {
  EXPECT_EQ(save(), kDone);
  BlockBackend& disk = add_disk(",readonly=on");
  EXPECT_EQ(load_error(), "drive 'd0' is in this machine, but not in the snapshot");
  EXPECT_EQ(save(), kDone);
  disk.eject();
  EXPECT_EQ(load_error(),
            "drive 'd0' has 65536 bytes in the snapshot, and no medium in this machine");
}

// ---- Other machines

TEST_F(SnapshotTest, a_device_more_is_refused) {
  EXPECT_EQ(save(), kDone);
  bench_.add("isa-serial");
  EXPECT_THAT(load_error(), HasSubstr("is in this machine, but not in the snapshot"));
}

TEST_F(SnapshotTest, a_device_less_is_refused) {
  Device& more = bench_.add("stubborn");
  EXPECT_EQ(save(), kDone);
  const std::string name = more.path();
  ASSERT_TRUE(machine().unplug(more));
  EXPECT_EQ(load_error(),
            fmt::format("'{}' (stubborn) is in the snapshot, but not in this machine", name));
}

TEST_F(SnapshotTest, other_memory_is_refused) {
  EXPECT_EQ(save(), kDone);
  Region more;
  ASSERT_TRUE(more.init_ram(nullptr, "more", 4096, {}));
  machine().system_memory().add(0x10'0000, more);
  EXPECT_EQ(load_error(), "memory 'more' is in this machine, but not in the snapshot");
  machine().system_memory().remove(more);
}

TEST(SnapshotFits, Processors) {
  snapshot::Description saved;
  saved.cpus = 2;
  saved.cpu_model = "Haswell";
  saved.cpu_features = {"sse", "avx", "kvmclock"};
  snapshot::Description here = saved;
  EXPECT_TRUE(check_fits(saved, here));
  here.cpu_features = {"sse", "erms"};
  EXPECT_EQ(check_fits(saved, here).error().message(),
            "the snapshot's processor has 'avx,kvmclock', which this machine's has not");
  here.cpu_model = "qemu64";
  EXPECT_EQ(check_fits(saved, here).error().message(),
            "the snapshot's processor is 'Haswell', this machine's is 'qemu64' (-cpu)");
  here.cpus = 1;
  EXPECT_EQ(check_fits(saved, here).error().message(),
            "the snapshot has 2 processors, this machine 1");
}

TEST_F(SnapshotTest, a_device_that_refuses_leaves_the_machine_as_it_was) {
  auto& stubborn = static_cast<StubbornDevice&>(bench_.add("stubborn"));
  stubborn.value = 8;
  EXPECT_EQ(save(), kDone);
  stubborn.value = 7;
  bench_.write(0x5000, bytes_of("it stays"));
  bench_.store(kEdu + 4, ~u32{0x5678}, 4);
  machine().resume();
  EXPECT_THAT(load_error(), HasSubstr("8 is not 7"));
  EXPECT_EQ(run_state(), "running");
  EXPECT_EQ(memory(0x5000, 8), "it stays");
  EXPECT_EQ(bench_.load(kEdu + 4, 4), 0x5678U);
  EXPECT_EQ(stubborn.value, 7U);
}

// ---- Files that are none

class SnapshotFileTest : public SnapshotTest {
 protected:
  SnapshotFileTest() {
    EXPECT_EQ(save(), kDone);
    whole_ = contents();
    bench_.write(0x5000, bytes_of("as it was"));
    before_ = bench_.save();
  }
  std::string refused(std::string_view bytes) {
    put(bytes);
    std::string text = load_error();
    EXPECT_EQ(bench_.save(), before_) << text;
    EXPECT_EQ(run_state(), "prelaunch");
    return text;
  }
  std::string whole_;
  std::vector<u8> before_;
};

TEST_F(SnapshotFileTest, none_at_all) {
  EXPECT_EQ(refused(""), "the file is cut off");
  EXPECT_EQ(refused("hello"), "the file is cut off");
  EXPECT_EQ(refused("this is a text of some length"), "this is no snapshot");
  EXPECT_EQ(refused(std::string(5000, '\0')), "this is no snapshot");
}

TEST_F(SnapshotFileTest, cut_off_anywhere) {
  for (std::size_t length = 12; length < whole_.size(); length += 97)
    EXPECT_EQ(refused(whole_.substr(0, length)), "the file is cut off") << length;
}

TEST_F(SnapshotFileTest, with_more_behind_its_end) {
  EXPECT_EQ(refused(whole_ + "x"), "the file goes on behind the snapshot's end");
}

TEST_F(SnapshotFileTest, changed_anywhere) {
  for (std::size_t place = 0; place < whole_.size(); place += 53) {
    std::string changed = whole_;
    changed[place] = static_cast<char>(changed[place] ^ 0x40);
    EXPECT_NE(refused(changed), "no error") << place;
  }
}

TEST_F(SnapshotFileTest, a_directory) {
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_EQ(load_error(), fmt::format("GenericError: Could not open '{}': Is a directory", path()));
  EXPECT_EQ(error(message("save")),
            fmt::format("GenericError: snapshot '{0}': Could not write '{0}': it is not a regular "
                        "file",
                        path()));
}

// ---- Saving that fails, and that is given up

TEST_F(SnapshotTest, a_full_disk_leaves_what_was_there) {
  put("the old one");
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &little);
  machine().resume();
  const std::string text = error(message("save"));
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(text, HasSubstr("File too large"));
  EXPECT_EQ(contents(), "the old one");
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(run_state(), "running");
  EXPECT_EQ(status(), "failed");
}

TEST_F(SnapshotTest, nowhere_to_write) {
  EXPECT_THAT(hmp("x-snapshot-save /nowhere/x"), HasSubstr("No such file or directory"));
  EXPECT_EQ(run_state(), "prelaunch");
}

/// A disk that does not answer holds everything up.
class SlowSnapshotTest : public SnapshotTest {
 protected:
  SlowSnapshotTest() {
    auto node = std::make_unique<GateNode>(4096, true);
    gate_ = node->gate();
    machine().container("/drives").add_child("g", create<BlockBackend>()).insert(std::move(node));
  }
  ~SlowSnapshotTest() override { gate_->open(); }
  void occupy_disk() {
    gate_->close();
    auto buffer = std::make_shared<std::vector<u8>>(512);
    find_drive(machine(), "g")->read(0, *buffer, [buffer](const Result<>&) {});
    bench_.run_until([this] { return gate_->arrivals == 1; });
  }
  std::string begin(std::string_view command) { return qmp(message(command, R"(,"detach":true)")); }
  bool stands(std::string_view state) {
    return turn_until(machine(), [this, state] { return run_state() == state; });
  }
  std::shared_ptr<Gate> gate_;
};

TEST_F(SlowSnapshotTest, a_save_is_cancelled_and_leaves_no_file) {
  machine().resume();
  occupy_disk();
  EXPECT_EQ(begin("save"), kDone);
  EXPECT_EQ(run_state(), "save-vm");
  EXPECT_EQ(status(), "active");
  EXPECT_EQ(error(message("load")).find("GenericError: Could not open"), 0U);
  EXPECT_EQ(error(message("save")),
            fmt::format("GenericError: a snapshot is being saved: '{}'", path()));
  EXPECT_EQ(hmp("x-snapshot-cancel"), "");
  EXPECT_EQ(status(), "cancelled");
  EXPECT_EQ(run_state(), "running");
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(hmp("x-snapshot-cancel"), "Error: no snapshot is being saved or loaded\n");
}

TEST_F(SlowSnapshotTest, a_guest_that_goes_on_ends_the_save) {
  machine().resume();
  occupy_disk();
  EXPECT_EQ(begin("save"), kDone);
  EXPECT_EQ(qmp(R"({"execute":"cont"})"), kDone);
  ASSERT_TRUE(ended());
  EXPECT_EQ(status(), "cancelled");
  EXPECT_EQ(run_state(), "running");
  EXPECT_EQ(files(), 0U);
}

TEST_F(SlowSnapshotTest, a_guest_does_not_go_on_while_it_is_loaded) {
  EXPECT_EQ(save(), kDone);
  machine().resume();
  occupy_disk();
  EXPECT_EQ(begin("load"), kDone);
  ASSERT_TRUE(stands("restore-vm"));
  EXPECT_EQ(error(R"({"execute":"cont"})"), "GenericError: a snapshot is being loaded");
  EXPECT_EQ(run_state(), "restore-vm");
  gate_->open();
  ASSERT_TRUE(ended());
  EXPECT_EQ(status(), "completed");
  EXPECT_EQ(run_state(), "running");
}

TEST_F(SlowSnapshotTest, nobody_else_changes_a_machine_that_is_loaded) {
  EXPECT_EQ(save(), kDone);
  occupy_disk();
  EXPECT_EQ(begin("load"), kDone);
  ASSERT_TRUE(stands("restore-vm"));
  EXPECT_EQ(error(R"({"execute":"system_reset"})"), "GenericError: a snapshot is being loaded");
  EXPECT_EQ(error(R"({"execute":"device_add","arguments":{"driver":"edu"}})"),
            "GenericError: a snapshot is being loaded");
  EXPECT_EQ(hmp("system_reset"), "Error: a snapshot is being loaded\n");
  EXPECT_EQ(hmp("device_add edu"), "Error: a snapshot is being loaded\n");
  EXPECT_EQ(hmp("o /b 0xcf9 6"), "Error: a snapshot is being loaded\n");
  gate_->open();
  ASSERT_TRUE(ended());
  EXPECT_EQ(status(), "completed");
}

TEST_F(SlowSnapshotTest, a_load_is_cancelled_and_the_machine_is_as_it_was) {
  EXPECT_EQ(save(), kDone);
  bench_.write(0x5000, bytes_of("it stays"));
  machine().resume();
  occupy_disk();
  EXPECT_EQ(begin("load"), kDone);
  ASSERT_TRUE(stands("restore-vm"));
  EXPECT_EQ(qmp(R"({"execute":"x-snapshot-cancel"})"), kDone);
  EXPECT_EQ(status(), "cancelled");
  EXPECT_EQ(run_state(), "running");
  EXPECT_EQ(memory(0x5000, 8), "it stays");
}

TEST_F(SlowSnapshotTest, a_file_that_is_being_checked_is_let_go_at_once) {
  EXPECT_EQ(save(), kDone);
  bench_.write(0x5000, bytes_of("it stays"));
  machine().resume();
  EXPECT_EQ(begin("load"), kDone);
  EXPECT_EQ(qmp(R"({"execute":"x-snapshot-cancel"})"), kDone);
  EXPECT_EQ(status(), "cancelled");
  machine().service<monitor::LongWork>().shutdown();  // its thread's answer is on its way
  EXPECT_EQ(run_state(), "running");
  EXPECT_EQ(memory(0x5000, 8), "it stays");
}

TEST_F(SlowSnapshotTest, a_reset_asked_of_the_old_machine_does_not_reach_the_new) {
  EXPECT_EQ(save(), kDone);
  occupy_disk();
  EXPECT_EQ(begin("load"), kDone);
  ASSERT_TRUE(stands("restore-vm"));
  bench_.store(kEdu + 4, 0, 4);
  machine().request_reset(ShutdownCause::GuestReset, ResetKind::Warm);
  gate_->open();
  ASSERT_TRUE(ended());
  EXPECT_EQ(status(), "completed");
  while (machine().loop().iterate(false)) {
  }
  EXPECT_EQ(bench_.load(kEdu + 4, 4), 0x1234U);
}

TEST_F(SlowSnapshotTest, a_reset_waits_for_a_load_that_comes_to_nothing) {
  EXPECT_EQ(save(), kDone);
  occupy_disk();
  EXPECT_EQ(begin("load"), kDone);
  ASSERT_TRUE(stands("restore-vm"));
  machine().request_reset(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_EQ(qmp(R"({"execute":"x-snapshot-cancel"})"), kDone);
  while (machine().loop().iterate(false)) {
  }
  EXPECT_EQ(bench_.load(kEdu + 4, 4), ~u32{0}) << "as after a reset: its BAR is gone";
}

TEST_F(SlowSnapshotTest, nobody_dumps_what_is_being_saved) {
  occupy_disk();
  EXPECT_EQ(begin("save"), kDone);
  EXPECT_EQ(
      error(R"({"execute":"dump-guest-memory","arguments":{"paging":false,"protocol":"file:d"}})"),
      "GenericError: a snapshot is being saved or loaded");
}

TEST_F(SnapshotTest, a_file_has_a_name) {
  EXPECT_EQ(error(R"({"execute":"x-snapshot-save","arguments":{"filename":""}})"),
            "GenericError: a snapshot's file needs a name");
}

TEST_F(SlowSnapshotTest, the_end_of_the_program_does_not_wait) {
  occupy_disk();
  EXPECT_EQ(begin("save"), kDone);
  job().shutdown();
  EXPECT_EQ(status(), "failed");
  EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace rhea::test
