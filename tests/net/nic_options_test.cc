// SPDX-License-Identifier: GPL-2.0-or-later
// -nic and -net: which cards the board is asked for.
#include "net/backend.h"
#include "net/nic_requests.h"
#include "rhea/util/option.h"
#include "softmmu/default_devices.h"
#include "tests/net/net_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A back end that leads nowhere.
class NowhereNetdev final : public Netdev {
 public:
  static constexpr std::string_view kName = "netdev-test-nowhere";
  std::string_view kind() const override { return "nowhere"; }
  std::string info() const override { return ""; }

 protected:
  void begin() override {}
  void end() override {}
  std::size_t transmit(std::span<const Frame> frames) override { return frames.size(); }
  void resume() override {}
};
const RegisterType<NowhereNetdev, Netdev> nowhere_type;
const net::RegisterBackend nowhere{
    {.name = "nowhere", .create = [](Machine&, const std::string&, KeyValues&) {
       return Result<std::unique_ptr<Netdev>>(create<NowhereNetdev>());
     }}};

class NicOptions : public testing::Test {
 protected:
  Result<> option(std::string_view name, const std::string& argument) {
    return find_option(name)->apply(net.bench.machine(), argument);
  }
  std::string error(std::string_view name, const std::string& argument) {
    const auto result = option(name, argument);
    return result ? "none" : result.error().message();
  }
  std::vector<net::NicRequest> requests() {
    return net.bench.machine().service<net::NicRequests>().take().value();
  }
  NetBench net;
};

TEST_F(NicOptions, ACardComesWithItsBackEnd) {
  ASSERT_TRUE(option("nic", "nowhere,model=test-card,mac=52:54:00:00:00:01,id=n1"));
  const auto all = requests();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].model, "test-card");
  EXPECT_EQ(all[0].mac.text(), "52:54:00:00:00:01");
  EXPECT_EQ(all[0].netdev, "n1");
  ASSERT_NE(find_netdev(net.bench.machine(), "n1"), nullptr);
  EXPECT_EQ(find_netdev(net.bench.machine(), "n1")->kind(), "nowhere");
}

TEST_F(NicOptions, BackEndsWithoutIdsGetTheirOwn) {
  ASSERT_TRUE(option("nic", "nowhere"));
  ASSERT_TRUE(option("nic", "nowhere"));
  const auto all = requests();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_NE(all[0].netdev, all[1].netdev);
  EXPECT_NE(find_netdev(net.bench.machine(), all[1].netdev), nullptr);
}

TEST_F(NicOptions, TheOldSpellingNamesACardAlone) {
  ASSERT_TRUE(option("net", "nic,netdev=n0,macaddr=52:54:0:0:0:2,addr=5,vectors=3,name=x"));
  const auto all = requests();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].netdev, "n0");
  EXPECT_EQ(all[0].address, "5");
  EXPECT_EQ(all[0].vectors, 3u);
  EXPECT_EQ(all[0].name, "x");
  EXPECT_EQ(all[0].mac.text(), "52:54:00:00:00:02");
}

TEST_F(NicOptions, TheOldSpellingsCardAndBackEndBelongTogether) {
  ASSERT_TRUE(option("net", "nic,model=test-card"));
  ASSERT_TRUE(option("net", "nowhere,id=n0"));
  const auto all = requests();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].netdev, "n0");
}

TEST_F(NicOptions, MoreThanACardAndABackEndGetAHub) {
  ASSERT_TRUE(option("net", "nic"));
  ASSERT_TRUE(option("net", "nic"));
  ASSERT_TRUE(option("net", "nowhere,id=n0"));
  const auto all = requests();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(find_netdev(net.bench.machine(), "n0")->front_end_name(), "a hub");
  EXPECT_EQ(all[0].netdev, "hub0port1");
  EXPECT_EQ(all[1].netdev, "hub0port2");
  EXPECT_EQ(find_netdev(net.bench.machine(), "hub0port2")->kind(), "hubport");
}

TEST_F(NicOptions, TheDefaultCardIsOnAUserNetwork) {
  net.bench.machine().service<DefaultDevices>().network = true;
  const auto all = requests();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(find_netdev(net.bench.machine(), all[0].netdev)->kind(), "user");
}

TEST_F(NicOptions, NoneAsksForNoCardAndNoDefaultOne) {
  ASSERT_TRUE(option("nic", "none"));
  EXPECT_THAT(requests(), IsEmpty());
  EXPECT_FALSE(net.bench.machine().service<DefaultDevices>().network);
}

TEST_F(NicOptions, ABackEndAloneTakesTheDefaultCardAway) {
  ASSERT_TRUE(option("netdev", "nowhere,id=n0"));
  EXPECT_FALSE(net.bench.machine().service<DefaultDevices>().network);
}

TEST_F(NicOptions, MistakesAreNamed) {
  EXPECT_THAT(error("nic", "nowhere,model=foo"), HasSubstr("Unsupported NIC model: foo"));
  EXPECT_THAT(error("nic", "nowhere,mac=foo"), HasSubstr("invalid syntax for ethernet address"));
  EXPECT_THAT(error("nic", "nowhere,mac=01:0:0:0:0:0"), HasSubstr("multicast"));
  EXPECT_THAT(error("nic", "foo"), HasSubstr("'foo' is not a network back end"));
  EXPECT_THAT(error("nic", "nowhere,foo=1"), HasSubstr("Invalid parameter 'foo'"));
  EXPECT_THAT(error("nic", "nowhere,id=1"), HasSubstr("'id' expects an identifier"));
  EXPECT_THAT(error("net", "nic,foo=1"), HasSubstr("unknown parameter 'foo'"));
  EXPECT_THAT(error("net", "nic,vectors=many"), HasSubstr("'vectors' expects a number"));
}

TEST_F(NicOptions, NinthCardIsRefused) {
  for (int n = 0; n < 8; ++n) ASSERT_TRUE(option("nic", "nowhere"));
  EXPECT_THAT(error("nic", "nowhere"), HasSubstr("no more on-board/default NIC slots"));
}

TEST_F(NicOptions, ModelsAreTheTypesThatAreCards) {
  EXPECT_THAT(net::nic_models(), Contains("test-card"));
  EXPECT_THAT(net::nic_models(), testing::Not(Contains("isa-serial")));
}

}  // namespace
}  // namespace rhea::test
