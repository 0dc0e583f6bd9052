// SPDX-License-Identifier: GPL-2.0-or-later
// Conversations with the processes behind devices: who serves their requests.
#include "hw/misc/peer_link.h"

#include <gtest/gtest.h>

#include <thread>

namespace rhea::test {
namespace {

using namespace std::chrono_literals;

/// Messages are numbers. Each question brings a request of the peer's before its answer.
class EchoLink final : public hw::PeerLink<int> {
 public:
  EchoLink(Machine& machine, Callbacks callbacks)
      : PeerLink(machine, "echo0", "its peer", std::move(callbacks)) {}
  ~EchoLink() override { close(); }

  std::optional<int> ask(int question) {
    const u64 id = next_id();
    take(-question, std::nullopt);
    take(question + 1, id);
    return wait_for(id, 5000ms);
  }
  /// As a guest does that polls a device whose process has gone.
  void ask_on(int times) {
    while (times-- > 0) wait_for(next_id());
  }
  bool answer_nothing() { return take(1, 77); }
  void post(std::function<bool(int&)> replied) {
    const u64 id = next_id(std::move(replied), std::chrono::steady_clock::now());
    std::this_thread::sleep_for(1ms);
    look_for_late();
    take(7, id);
  }
  using PeerLink::in_line;

 private:
  void hang_up() override {}
  std::string words_of(const int& request) const override { return std::to_string(request); }
};

class PeerLinkTest : public testing::Test {
 protected:
  std::shared_ptr<EchoLink> link() {
    return std::make_shared<EchoLink>(
        machine_, hw::PeerLink<int>::Callbacks{.request =
                                                   [this](int& request) {
                                                     requests_.push_back(request);
                                                     return request != -13;
                                                   },
                                               .lost = [] {}});
  }
  Machine machine_;
  std::vector<int> requests_;
};

// The main loop may be waiting for the very vCPU that waits here: `stop`.
TEST_F(PeerLinkTest, WhoWaitsServesThePeerWhereTheMainLoopDoesNot) {
  const auto peer = link();
  EXPECT_EQ(peer->ask(41), 42);
  EXPECT_EQ(requests_, std::vector{-41});
}

TEST_F(PeerLinkTest, WhoWaitsWithTheMachinesLockServesThePeer) {
  const auto peer = link();
  const DomainGuard guard(&machine_.lock());
  EXPECT_EQ(peer->ask(41), 42);
  EXPECT_EQ(requests_, std::vector{-41});
}

TEST_F(PeerLinkTest, TheMainLoopServesWhileSomebodyHasTheLock) {
  const auto peer = link();
  machine_.lock().lock();
  std::optional<int> answer;
  std::jthread vcpu([&] { answer = peer->ask(41); });
  std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(requests_.empty());
  machine_.lock().unlock();
  vcpu.join();
  EXPECT_EQ(answer, 42);
}

TEST_F(PeerLinkTest, WorkInLineIsDoneBehindTheRequestsBefore) {
  const auto peer = link();
  peer->ask(1);
  std::size_t before = 0;
  peer->in_line([&] { before = requests_.size(); });
  EXPECT_EQ(before, 1u);
}

TEST_F(PeerLinkTest, ARequestThatIsNonsenseEndsIt) {
  const auto peer = link();
  EXPECT_EQ(peer->ask(13), std::nullopt);
  EXPECT_EQ(peer->reason(), "its peer sends nonsense: -13");
}

TEST_F(PeerLinkTest, AnAnswerToNothingEndsIt) {
  const auto peer = link();
  EXPECT_FALSE(peer->answer_nothing());
  EXPECT_EQ(peer->reason(), "its peer sends nonsense: an answer to nothing");
}

TEST_F(PeerLinkTest, AskingOnAfterTheEndPilesNothingUp) {
  const auto peer = link();
  peer->close();
  peer->ask_on(70'000);
  EXPECT_EQ(peer->ask(1), std::nullopt);
}

TEST_F(PeerLinkTest, AnAnswerThatNobodyWaitsForIsLateAllTheSame) {
  const auto peer = link();
  peer->post([](int&) { return true; });
  EXPECT_EQ(peer->reason(), "its peer does not answer");
}

}  // namespace
}  // namespace rhea::test
