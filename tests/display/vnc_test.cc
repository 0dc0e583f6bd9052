// SPDX-License-Identifier: GPL-2.0-or-later
// The VNC server, met by another implementation of a client (libvncclient), by strangers that send
// nonsense, and by its options.
#include "rhea/ui/input.h"
#include "tests/support/bench.h"
#include "ui/vnc/keysyms.h"
#include "ui/vnc/servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rfb/rfbclient.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <future>

namespace rhea::ui::vnc {
namespace {

using test::Bench;
using testing::ElementsAre;
using testing::HasSubstr;

void say_nothing(const char*, ...) {}

struct FreeClient {
  void operator()(rfbClient* client) const {
    std::free(client->frameBuffer);
    client->frameBuffer = nullptr;
    rfbClientCleanup(client);
  }
};
using Client = std::unique_ptr<rfbClient, FreeClient>;

rfbBool grow(rfbClient* client) {
  std::free(client->frameBuffer);
  client->frameBuffer = static_cast<u8*>(std::calloc(
      static_cast<std::size_t>(client->width) * static_cast<std::size_t>(client->height), 4));
  return client->frameBuffer != nullptr;
}

class Picture final : public DisplaySource {
 public:
  void refresh(bool) override {}
};

class VncServer : public testing::Test {
 protected:
  VncServer() {
    rfbClientLog = rfbClientErr = &say_nothing;
    servers().observe([this](const std::string& event, const Json&) { events_.push_back(event); });
    keys_.open(machine(), {.name = "keys", .key = [this](KeyNumber key, bool down) {
                             input_.push_back(fmt::format("{:#x} {}", key, down));
                           }});
    paint(7);
  }
  ~VncServer() override {
    // Nobody is waited for behind the machine's end.
    for (auto& client : clients_) client.reset();
  }
  Machine& machine() { return bench_.machine(); }
  Servers& servers() { return machine().service<Servers>(); }

  void paint(u32 seed) {
    u32* const pixels = pixman_image_get_data(console_.surface());
    const auto count = static_cast<u32>(console_.width() * console_.height());
    for (u32 n = 0; n < count; ++n) pixels[n] = (n / 37 * seed * 0x9e3779b9U) >> 8;
    console_.update({.x = 0, .y = 0, .width = console_.width(), .height = console_.height()});
  }
  /// Port of a server with these options.
  int serve(const std::string& options = "") {
    const auto added = servers().add("127.0.0.1:200,to=400" + options);
    EXPECT_TRUE(added) << added.error().message();
    bench_.machine().loop().iterate(false);
    servers().all().back()->start();
    return std::stoi(servers().all().back()->describe_first()["service"].get<std::string>());
  }
  /// What the client does, on a thread of its own, while the main loop runs.
  template <class Work>
  auto meanwhile(Work work) {
    auto result = std::async(std::launch::async, std::move(work));
    EXPECT_TRUE(until(
        [&] { return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }));
    return result.get();
  }
  template <class Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      machine().loop().iterate(false);
    }
    return true;
  }
  rfbClient* connect(int port, const char* encoding = "raw", std::string password = {},
                     bool shared = true) {
    const bool in = meanwhile([&] {
      rfbClient* client = rfbGetClient(8, 3, 4);
      client->MallocFrameBuffer = &grow;
      client->canHandleNewFBSize = TRUE;
      client->serverHost = strdup("127.0.0.1");
      client->serverPort = port;
      client->connectTimeout = client->readTimeout = 20;
      client->appData.encodingsString = encoding;
      client->appData.shareDesktop = shared;
      client->format.redShift = 16;
      client->format.greenShift = 8;
      client->format.blueShift = 0;
      static thread_local std::string given;
      given = password;
      client->GetPassword = [](rfbClient*) { return strdup(given.c_str()); };
      if (!rfbInitClient(client, nullptr, nullptr)) return false;
      clients_.emplace_back(client);
      return true;
    });
    return in ? clients_.back().get() : nullptr;
  }
  /// Takes updates until the client's picture is the console's.
  bool shows_console(rfbClient& client) {
    return meanwhile([&] {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (!same(client)) {
        if (std::chrono::steady_clock::now() > end) return false;
        if (WaitForMessage(&client, 100'000) > 0 && !HandleRFBServerMessage(&client)) return false;
      }
      return true;
    });
  }
  bool same(const rfbClient& client) const {
    if (client.width != console_.width() || client.height != console_.height()) return false;
    const u32* const ours = pixman_image_get_data(console_.surface());
    const u32* const its = reinterpret_cast<const u32*>(client.frameBuffer);
    for (int n = 0; n < client.width * client.height; ++n)
      if ((ours[n] ^ its[n]) << 8 != 0) return false;
    return true;
  }
  std::size_t clients_there() {
    return servers().all().front()->describe_first()["clients"].size();
  }

  Bench bench_{1 * MiB};
  Picture source_;
  Console& console_ = machine().service<Consoles>().add(source_);
  InputPort keys_;
  std::vector<std::string> input_, events_;
  std::vector<Client> clients_;
};

TEST_F(VncServer, EveryEncodingShowsThePicture) {
  const int port = serve();
  for (const char* encoding : {"raw", "hextile", "zlib", "zrle", "tight"}) {
    rfbClient* const client = connect(port, encoding);
    ASSERT_NE(client, nullptr) << encoding;
    EXPECT_TRUE(shows_console(*client)) << encoding;
    clients_.clear();
  }
}

TEST_F(VncServer, WhatChangesIsSeenAndSoIsANewSize) {
  rfbClient* const client = connect(serve(), "zrle");
  ASSERT_NE(client, nullptr);
  EXPECT_TRUE(shows_console(*client));
  paint(11);
  EXPECT_TRUE(shows_console(*client));
  console_.resize(800, 333);
  paint(13);
  EXPECT_TRUE(shows_console(*client));
}

TEST_F(VncServer, SeveralWatchAtOnce) {
  const int port = serve();
  rfbClient* const one = connect(port);
  rfbClient* const other = connect(port);
  ASSERT_TRUE(one != nullptr && other != nullptr);
  EXPECT_TRUE(shows_console(*one));
  EXPECT_TRUE(shows_console(*other));
  EXPECT_EQ(clients_there(), 2u);
}

TEST_F(VncServer, KeysArriveByCharacterAndByNumber) {
  rfbClient* const client = connect(serve());
  ASSERT_NE(client, nullptr);
  SendKeyEvent(client, 'A', TRUE);
  SendKeyEvent(client, 'A', FALSE);
  // QEMU's message.
  const u8 message[] = {255, 0, 0, 1, 0, 0, 0xff, 0x52, 0, 0, 0, 0xc8};
  WriteToRFBServer(client, reinterpret_cast<const char*>(message), sizeof message);
  EXPECT_TRUE(until([&] { return input_.size() == 3; }));
  EXPECT_THAT(input_, ElementsAre("0x1e true", "0x1e false", "0xc8 true"));
  clients_.clear();
  EXPECT_TRUE(until([&] { return input_.size() == 4; })) << "what it held is let go of";
  EXPECT_EQ(input_.back(), "0xc8 false");
}

TEST_F(VncServer, ThePointerMovesOrIsPut) {
  std::vector<std::string> moves;
  InputPort mouse, tablet;
  mouse.open(machine(), {.name = "mouse", .move = [&](const PointerEvent& event) {
                           moves.push_back(fmt::format("{},{} {} {}", event.dx, event.dy, event.dz,
                                                       event.buttons));
                         }});
  rfbClient* const client = connect(serve());
  ASSERT_NE(client, nullptr);
  SendPointerEvent(client, 100, 100, 0);
  SendPointerEvent(client, 103, 98, rfbButton3Mask);
  SendPointerEvent(client, 103, 98, rfbButton4Mask);
  EXPECT_TRUE(until([&] { return moves.size() >= 2; }));
  EXPECT_THAT(moves, ElementsAre("3,-2 0 2", "0,0 1 0"));
}

TEST_F(VncServer, ATabletGetsPlaces) {
  std::vector<std::string> places;
  InputPort tablet;
  tablet.open(machine(), {.name = "tablet", .place = [&](const PointerEvent& event) {
                            places.push_back(fmt::format("{},{} {}", event.place->x, event.place->y,
                                                         event.buttons));
                          }});
  rfbClient* const client = connect(serve());
  ASSERT_NE(client, nullptr);
  SendPointerEvent(client, 0, console_.height() - 1, rfbButton1Mask);
  SendPointerEvent(client, console_.width() - 1, 0, 0);
  EXPECT_TRUE(until([&] { return places.size() == 2; }));
  EXPECT_THAT(places, ElementsAre("0,32767 1", "32767,0 0"));
}

TEST_F(VncServer, APasswordIsAskedFor) {
  const int port = serve(",password=on");
  Server& server = *servers().all().front();
  EXPECT_EQ(connect(port, "raw", "anything"), nullptr) << "none is set";
  server.set_password("secret");
  EXPECT_EQ(connect(port, "raw", "wrong"), nullptr);
  EXPECT_NE(connect(port, "raw", "secret"), nullptr);
  server.expire_password(1);
  EXPECT_EQ(connect(port, "raw", "secret"), nullptr);
  server.expire_password(std::nullopt);
  EXPECT_NE(connect(port, "raw", "secret"), nullptr);
}

TEST_F(VncServer, WhoWantsItForThemselvesHasIt) {
  const int port = serve();
  ASSERT_NE(connect(port), nullptr);
  ASSERT_NE(connect(port, "raw", "", false), nullptr);
  EXPECT_TRUE(until([&] { return clients_there() == 1; }));
}

TEST_F(VncServer, NobodyHasASharedOneForThemselves) {
  const int port = serve(",share=force-shared");
  ASSERT_NE(connect(port), nullptr);
  connect(port, "raw", "", false);
  EXPECT_TRUE(until([&] { return clients_there() == 1; }));
}

TEST_F(VncServer, StrangersWhoSendNonsenseHarmNobody) {
  const int port = serve();
  rfbClient* const client = connect(port);
  ASSERT_NE(client, nullptr);
  for (const std::string_view nonsense :
       {"GET / HTTP/1.0\r\n\r\n", "RFB 003.008\n\xff\xff\xff\xff",
        "RFB 003.008\n\x01\x01\x05\xff\xff\xff\xff\xff\xff\xff",
        "RFB 003.008\n\x01\x01\x06\x00\x00\x00\xff\xff\xff\xff"}) {
    const int stranger = ConnectClientToTcpAddr(htonl(INADDR_LOOPBACK), port);
    ASSERT_GE(stranger, 0);
    ::send(stranger, nonsense.data(), nonsense.size(), MSG_NOSIGNAL);
    ::shutdown(stranger, SHUT_WR);
    EXPECT_TRUE(until([&] { return clients_there() == 1; }));
    ::close(stranger);
  }
  paint(5);
  EXPECT_TRUE(shows_console(*client));
}

TEST_F(VncServer, ThereIsAnEndToHowManyThereAre) {
  const int port = serve();
  std::vector<FileDescriptor> strangers;
  for (std::size_t n = 0; n < Server::kMostViewers + 1; ++n) {
    strangers.emplace_back(ConnectClientToTcpAddr(htonl(INADDR_LOOPBACK), port));
    EXPECT_TRUE(until([&] { return clients_there() > std::min(n, Server::kMostViewers - 1); }));
  }
  char byte = 0;
  EXPECT_TRUE(until([&] { return ::recv(strangers.back().get(), &byte, 1, MSG_DONTWAIT) == 0; }));
  EXPECT_EQ(clients_there(), Server::kMostViewers);
}

TEST_F(VncServer, ToolsAreTold) {
  ASSERT_NE(connect(serve()), nullptr);
  EXPECT_TRUE(until([&] { return events_.size() == 2; }));
  clients_.clear();
  EXPECT_TRUE(until([&] { return events_.size() == 3; }));
  EXPECT_THAT(events_, ElementsAre("VNC_CONNECTED", "VNC_INITIALIZED", "VNC_DISCONNECTED"));
}

TEST_F(VncServer, AScreenMayGoAway) {
  rfbClient* const client = connect(serve());
  ASSERT_NE(client, nullptr);
  EXPECT_TRUE(shows_console(*client));
  Picture second;
  Console& other = machine().service<Consoles>().add(second);
  machine().service<Consoles>().remove(other);
  EXPECT_EQ(clients_there(), 1u);
}

// ---- Options

std::string refused(std::string_view text) {
  const auto options = Options::parse(text);
  return options ? "taken" : options.error().message();
}

TEST(VncOptions, SayWhereItListens) {
  const auto options = Options::parse("localhost:3,to=9,websocket=on,password=on,id=a");
  ASSERT_TRUE(options && *options);
  EXPECT_EQ((*options)->address.port, "5903");
  EXPECT_EQ((*options)->address.last_port, 5909);
  EXPECT_EQ((*options)->websocket->port, "5703");
  EXPECT_EQ((*options)->id, "a");
  EXPECT_TRUE((*options)->password);
  const auto elsewhere = Options::parse("[::1]:0,websocket=127.0.0.1:80");
  ASSERT_TRUE(elsewhere && *elsewhere);
  EXPECT_EQ((*elsewhere)->address.host, "::1");
  EXPECT_EQ((*elsewhere)->websocket->host, "127.0.0.1");
  EXPECT_EQ((*elsewhere)->websocket->port, "80");
  EXPECT_EQ((*Options::parse("unix:/tmp/v"))->address.path, "/tmp/v");
  EXPECT_FALSE(*Options::parse("none"));
}

TEST(VncOptions, AreRefusedWithAReason) {
  EXPECT_THAT(refused(""), HasSubstr("wants a display"));
  EXPECT_THAT(refused("5"), HasSubstr("no ':'"));
  EXPECT_THAT(refused(":x"), HasSubstr("no display number"));
  EXPECT_THAT(refused(":70000"), HasSubstr("no display number"));
  EXPECT_THAT(refused(":5,to=4"), HasSubstr("to=4 is less"));
  EXPECT_THAT(refused("unix:"), HasSubstr("wants a path"));
  EXPECT_THAT(refused("unix:/x,websocket=on"), HasSubstr("on a port"));
  EXPECT_THAT(refused(":1,share=all"), HasSubstr("share="));
  EXPECT_THAT(refused(":1,tls-creds=t"), HasSubstr("no TLS yet"));
  EXPECT_THAT(refused(":1,reverse=on"), HasSubstr("reverse=on"));
  EXPECT_THAT(refused(":1,password=on,password-secret=s"), HasSubstr("redundant"));
  EXPECT_THAT(refused(":1,nonsense=1"), HasSubstr("nonsense"));
}

TEST(VncKeysyms, AreKeysOfAnUsKeyboard) {
  EXPECT_EQ(key_of_keysym('a'), 0x1e);
  EXPECT_EQ(key_of_keysym('A'), 0x1e);
  EXPECT_EQ(key_of_keysym('~'), 0x29);
  EXPECT_EQ(key_of_keysym(0xff0d), 0x1c);
  EXPECT_EQ(key_of_keysym(0x20ac), std::nullopt);
  for (u32 c = ' '; c < 0x7f; ++c) EXPECT_TRUE(key_of_keysym(c)) << c;
}

}  // namespace
}  // namespace rhea::ui::vnc
