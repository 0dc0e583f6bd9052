// SPDX-License-Identifier: GPL-2.0-or-later
// Who may open a tray when the guest holds it, and what the guest and the QMP clients hear of it.
#include "block/block_service.h"
#include "monitor/qmp/command.h"
#include "tests/block/temp_dir.h"
#include "tests/storage/atapi_fixture.h"
#include "tests/storage/fdc_fixture.h"

#include <gmock/gmock.h>

namespace rhea::test {
namespace {

using qmp::Json;
using testing::HasSubstr;

/// A QMP client, and what all of them would hear of trays.
class QmpClient {
 public:
  explicit QmpClient(Bench& bench) : bench_(bench) {
    bench.machine().service<block::BlockService>().on_tray_moved(
        [this](const BlockBackend& drive, bool open) {
          heard_ += fmt::format("{}{}", drive.name(), open ? " opens " : " closes ");
        });
  }
  Json call(std::string_view command, const Json& arguments = Json::object()) {
    qmp::Context context{.machine = bench_.machine(), .client = client_};
    std::string answer =
        qmp::respond(context, Json{{"execute", command}, {"arguments", arguments}}.dump());
    if (context.later) {
      context.later->on_finish(
          [&](const Result<Json>& result) { answer = context.answer_text(result); });
      bench_.run_until([&answer] { return !answer.empty(); });
      context.later->on_finish(nullptr);
    }
    return Json::parse(answer);
  }
  std::string error(std::string_view command, const Json& arguments) {
    const Json answer = call(command, arguments);
    return answer.contains("error") ? answer["error"]["desc"].get<std::string>() : "no error";
  }
  Json block(std::size_t n = 0) { return call("query-block")["return"][n]; }
  /// The events since the last time.
  std::string events() { return std::exchange(heard_, {}); }

 private:
  Bench& bench_;
  std::string heard_;
  qmp::Client client_{.negotiated = true, .pretty = false, .received = {}, .named = {}};
};

class Tray : public Atapi {
 protected:
  static constexpr std::string_view kLocked =
      "Device 'cd' is locked and force was not specified, wait for tray to open and try again";
  void lock(bool on) { host.packet({0x1e, 0, 0, 0, static_cast<u8>(on)}); }
  void guest_ejects() { host.packet({0x1b, 0, 0, 0, 2}); }
  void guest_loads() { host.packet({0x1b, 0, 0, 0, 3}); }
  // GET EVENT STATUS NOTIFICATION: event and media status.
  std::pair<u8, u8> media_event() {
    const auto data = host.packet_in({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8});
    return {data.at(4), data.at(5)};
  }
  std::string image_file(std::string_view name, u64 bytes) {
    return folder.file(std::string(name), bytes, 'x');
  }

  TempDir folder;
  QmpClient client{bench};
  const Json drive{{"device", "cd"}};
};

TEST_F(Tray, EjectOpensItAndTellsTheClients) {
  EXPECT_EQ(client.block()["tray_open"], false);
  EXPECT_EQ(client.error("eject", drive), "no error");
  EXPECT_EQ(client.events(), "cd opens ");
  EXPECT_EQ(client.block()["tray_open"], true);
  EXPECT_FALSE(client.block().contains("inserted"));
}

TEST_F(Tray, ALockIsSeenAndHolds) {
  lock(true);
  EXPECT_EQ(client.block()["locked"], true);
  EXPECT_EQ(client.error("eject", drive), kLocked);
  EXPECT_TRUE(client.block().contains("inserted"));
  EXPECT_EQ(client.block()["tray_open"], false);
  EXPECT_EQ(client.events(), "");
  lock(false);
  EXPECT_EQ(client.block()["locked"], false);
}

TEST_F(Tray, AMediumIsNotChangedUnderALock) {
  lock(true);
  Json change = drive;
  change["filename"] = image_file("new.iso", 4096);
  change["format"] = "raw";
  EXPECT_EQ(client.error("blockdev-change-medium", change), kLocked);
  EXPECT_EQ(client.block()["inserted"]["file"], "gate");
  change["force"] = true;
  EXPECT_EQ(client.error("blockdev-change-medium", change), "no error");
  EXPECT_EQ(client.block()["inserted"]["file"], change["filename"]);
  EXPECT_EQ(client.block()["locked"], false);
  EXPECT_EQ(client.block()["tray_open"], false);
}

TEST_F(Tray, ForceUnlocks) {
  lock(true);
  EXPECT_EQ(client.error("eject", {{"device", "cd"}, {"force", true}}), "no error");
  EXPECT_EQ(client.block()["locked"], false);
  EXPECT_EQ(client.block()["tray_open"], true);
}

TEST_F(Tray, AnUnforcedOpenAsksTheGuest) {
  lock(true);
  EXPECT_EQ(client.error("blockdev-open-tray", drive), "no error");
  EXPECT_EQ(client.block()["tray_open"], false);
  EXPECT_EQ(media_event(), (std::pair<u8, u8>{1, 2}));
  EXPECT_EQ(media_event(), (std::pair<u8, u8>{0, 2}));
}

TEST_F(Tray, TheGuestOpensItAndTheClientsHear) {
  guest_ejects();
  EXPECT_EQ(client.events(), "cd opens ");
  EXPECT_EQ(client.block()["tray_open"], true);
  EXPECT_TRUE(client.block().contains("inserted"));
  guest_loads();
  EXPECT_EQ(client.events(), "cd closes ");
  EXPECT_EQ(client.block()["tray_open"], false);
}

TEST_F(Tray, StepByStep) {
  EXPECT_EQ(client.error("blockdev-remove-medium", {{"id", "nope"}}), "Device 'nope' not found");
  const Json id{{"id", client.block()["qdev"]}};
  EXPECT_THAT(client.error("blockdev-remove-medium", id), HasSubstr("is not open"));
  EXPECT_EQ(client.error("blockdev-open-tray", id), "no error");
  EXPECT_EQ(client.error("blockdev-remove-medium", id), "no error");
  EXPECT_EQ(client.error("blockdev-remove-medium", id), "no error");
  EXPECT_EQ(client.error("blockdev-close-tray", id), "no error");
  EXPECT_EQ(client.block()["tray_open"], false);
  EXPECT_EQ(host.packet({0x00}), kCheck);
  EXPECT_EQ(sense(), 0x023a01U);
}

TEST_F(Tray, AClosedTrayWithANewMediumIsANewMediumToTheGuest) {
  guest_ejects();
  media_event();
  EXPECT_EQ(client.error("blockdev-close-tray", drive), "no error");
  EXPECT_EQ(media_event(), (std::pair<u8, u8>{2, 2}));
}

TEST_F(Tray, AChangeOpensAndCloses) {
  Json change = drive;
  change["filename"] = image_file("new.iso", 4096);
  change["format"] = "raw";
  client.call("blockdev-change-medium", change);
  EXPECT_EQ(client.events(), "cd opens cd closes ");
}

TEST_F(Tray, AResetClosesAndUnlocksIt) {
  lock(true);
  client.call("eject", {{"device", "cd"}, {"force", true}});
  bench.reset();
  EXPECT_EQ(client.block()["tray_open"], false);
  EXPECT_EQ(client.block()["locked"], false);
}

TEST_F(Tray, TheImageItHasCanBePutInAgain) {
  Json change = drive;
  change["filename"] = image_file("same.iso", 4096);
  change["format"] = "raw";
  EXPECT_EQ(client.error("blockdev-change-medium", change), "no error");
  EXPECT_EQ(client.error("blockdev-change-medium", change), "no error");
  EXPECT_EQ(client.block()["inserted"]["file"], change["filename"]);
}

TEST_F(Tray, ANodeIsPutInByItsName) {
  const Json id{{"id", client.block()["qdev"]}};
  Json insert = id;
  insert["node-name"] = "n";
  EXPECT_EQ(client.error("blockdev-insert-medium", insert), "Node 'n' not found");
  EXPECT_EQ(client.error(
                "blockdev-add",
                {{"driver", "file"}, {"node-name", "n"}, {"filename", image_file("n.iso", 8192)}}),
            "no error");
  EXPECT_THAT(client.error("blockdev-insert-medium", insert), HasSubstr("is not open"));
  client.call("blockdev-open-tray", id);
  EXPECT_THAT(client.error("blockdev-insert-medium", insert), HasSubstr("already is a medium"));
  client.call("blockdev-remove-medium", id);
  EXPECT_EQ(client.error("blockdev-insert-medium", insert), "no error");
  client.call("blockdev-close-tray", id);
  EXPECT_EQ(client.block()["inserted"]["node-name"], "n");
  EXPECT_EQ(client.block()["inserted"]["drv"], "file");
  EXPECT_EQ(client.error("blockdev-del", {{"node-name", "n"}}), "Node n is in use");
  client.call("eject", drive);
  EXPECT_EQ(client.error("blockdev-del", {{"node-name", "n"}}), "no error");
}

TEST_F(Tray, NodesAreListed) {
  client.call("blockdev-add", {{"driver", "file"},
                               {"node-name", "n"},
                               {"cache", {{"direct", true}}},
                               {"filename", image_file("n.iso", 8192)}});
  const Json list = client.call("query-named-block-nodes")["return"];
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["node-name"], "n");
  EXPECT_EQ(list[0]["cache"]["direct"], true);
  EXPECT_EQ(list[0]["image"]["virtual-size"], 8192);
  EXPECT_THAT(list[1]["node-name"].get<std::string>(), testing::StartsWith("#block"));
}

TEST(TrayOfNoDrive, IsThereAllTheSame) {
  Bench bench;
  IdeHost::add_controller(bench);
  bench.add("ide-cd", {}, "ide.1");
  QmpClient client(bench);
  EXPECT_EQ(client.block()["device"], "");
  EXPECT_EQ(client.block()["removable"], true);
  EXPECT_EQ(client.error("blockdev-open-tray", {{"id", client.block()["qdev"]}}), "no error");
  EXPECT_EQ(client.block()["tray_open"], true);
}

TEST(TrayOfADisk, StaysWhereItIs) {
  Bench bench;
  IdeHost::add_controller(bench);
  make_fake_disk(bench, "d0", 1 * MiB);
  bench.add("ide-hd", {{"drive", "d0"}}, "ide.0");
  QmpClient client(bench);
  EXPECT_EQ(client.error("eject", {{"device", "d0"}}), "Device 'd0' is not removable");
  EXPECT_EQ(client.error("blockdev-open-tray", {{"device", "d0"}}), "Device 'd0' is not removable");
  EXPECT_EQ(client.block()["removable"], false);
}

// ---- Floppies, which have no tray

class FloppyMedia : public Fdc {
 protected:
  TempDir folder;
  QmpClient client{bench};
};

TEST_F(FloppyMedia, AreChangedAtOnce) {
  host.seek(1);
  EXPECT_EQ(host.reg(7), 0x00);
  EXPECT_EQ(client.error("blockdev-open-tray", {{"device", "fd0"}}), "no error");
  EXPECT_EQ(client.error("eject", {{"device", "fd0"}}), "no error");
  EXPECT_EQ(host.reg(7), 0x80);
  EXPECT_EQ(client.events(), "");
  EXPECT_FALSE(client.block().contains("tray_open"));
  EXPECT_EQ(client.error("blockdev-close-tray", {{"device", "fd0"}}), "no error");
}

TEST_F(FloppyMedia, TheImageThatIsInItCanBePutInAgain) {
  const Json change{
      {"device", "fd0"}, {"filename", folder.file("a.img", 1440 * KiB, 'a')}, {"format", "raw"}};
  EXPECT_EQ(client.error("blockdev-change-medium", change), "no error");
  host.seek(1);
  EXPECT_EQ(client.error("blockdev-change-medium", change), "no error");
  EXPECT_EQ(client.block()["inserted"]["file"], change["filename"]);
  EXPECT_EQ(client.block()["inserted"]["ro"], false);
  EXPECT_EQ(host.reg(7), 0x80);
}

TEST_F(FloppyMedia, AnImageThatCannotBeOpenedLeavesTheOldOne) {
  EXPECT_THAT(
      client.error("blockdev-change-medium", {{"device", "fd0"}, {"filename", folder / "none"}}),
      HasSubstr("No such file"));
  EXPECT_EQ(client.block()["inserted"]["file"], "gate");
  const Json change{
      {"device", "fd0"}, {"filename", folder.file("a.img", 1440 * KiB, 'a')}, {"format", "raw"}};
  ASSERT_EQ(client.error("blockdev-change-medium", change), "no error");
  Json wrong = change;
  wrong["format"] = "nope";
  EXPECT_THAT(client.error("blockdev-change-medium", wrong), HasSubstr("Unknown driver 'nope'"));
  EXPECT_EQ(client.block()["inserted"]["file"], change["filename"]);
}

TEST_F(FloppyMedia, RetainKeepsItReadOnly) {
  Json change{{"device", "fd0"},
              {"filename", folder.file("a.img", 1440 * KiB, 'a')},
              {"format", "raw"},
              {"read-only-mode", "read-only"}};
  client.call("blockdev-change-medium", change);
  change["read-only-mode"] = "retain";
  client.call("blockdev-change-medium", change);
  EXPECT_EQ(client.block()["inserted"]["ro"], true);
  change["read-only-mode"] = "read-write";
  client.call("blockdev-change-medium", change);
  EXPECT_EQ(client.block()["inserted"]["ro"], false);
}

}  // namespace
}  // namespace rhea::test
