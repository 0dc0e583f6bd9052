// SPDX-License-Identifier: GPL-2.0-or-later
// -netdev user's options: QEMU's values and words.
#include "net/user_settings.h"

#include "tests/net/user_bench.h"

#include <gmock/gmock.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

net::UserSettings settings(const std::string& text) {
  KeyValues options = KeyValues::parse(text, {}, Words::Flags).value();
  auto taken = net::UserSettings::take(options);
  EXPECT_TRUE(taken) << (taken ? "" : taken.error().message());
  EXPECT_TRUE(options.empty());
  return taken ? std::move(*taken) : net::UserSettings{};
}
std::string refusal(const std::string& text) {
  KeyValues options = KeyValues::parse(text, {}, Words::Flags).value();
  const auto taken = net::UserSettings::take(options);
  return taken ? "none" : taken.error().message();
}

TEST(UserSettings, WithoutWordsTheyAreQemus) {
  const net::UserSettings s = settings("");
  EXPECT_EQ(net::text_of(s.net), "10.0.2.0");
  EXPECT_EQ(net::text_of(s.host), "10.0.2.2");
  EXPECT_EQ(net::text_of(s.dns), "10.0.2.3");
  EXPECT_EQ(net::text_of(s.dhcp_start), "10.0.2.15");
  EXPECT_EQ(s.configuration["ipv6-prefix"], "fec0::");
  EXPECT_EQ(s.configuration["ipv6-host"], "fec0::2");
  EXPECT_EQ(s.configuration["ipv6-dns"], "fec0::3");
}

TEST(UserSettings, ANetworkMovesItsHosts) {
  const net::UserSettings s = settings("net=192.168.1.77");
  EXPECT_EQ(net::text_of(s.net), "192.168.0.0");
  EXPECT_EQ(net::text_of(s.mask), "255.255.0.0");
  EXPECT_EQ(net::text_of(s.host), "192.168.2.2");
  EXPECT_EQ(net::text_of(settings("net=10.1.0.0/255.255.0.0").mask), "255.255.0.0");
}

TEST(UserSettings, ListsComeInEitherSpelling) {
  const net::UserSettings s = settings("dnssearch=a,dnssearch=b,hostfwd.0.str=tcp::1-:2");
  EXPECT_EQ(s.configuration["dnssearch"], Json({"a", "b"}));
  ASSERT_EQ(s.host_forwards.size(), 1u);
  EXPECT_EQ(s.host_forwards[0].text(), "tcp:0.0.0.0:1-10.0.2.15:2");
}

TEST(UserSettings, AnIpv6NetworkMovesItsHosts) {
  const net::UserSettings s = settings("ipv6-net=fd00:1::/48");
  EXPECT_EQ(s.configuration["ipv6-prefixlen"], 48);
  EXPECT_EQ(s.configuration["ipv6-host"], "fd00:1::2");
}

TEST(UserSettings, WrongAddressesAreQemusErrors) {
  EXPECT_THAT(refusal("net=foo"), HasSubstr("Failed to parse netmask"));
  EXPECT_THAT(refusal("net=10.0.0.0/3"), HasSubstr("must be in range 4-32"));
  EXPECT_THAT(refusal("net=10.0.0.0/x"), HasSubstr("trailing chars"));
  EXPECT_THAT(refusal("host=x"), HasSubstr("Failed to parse host"));
  EXPECT_THAT(refusal("host=1.2.3.4"), HasSubstr("Host doesn't belong to network"));
  EXPECT_THAT(refusal("dns=10.0.2.2"), HasSubstr("DNS must be different from host"));
  EXPECT_THAT(refusal("restrict=on,dns=8.8.8.8"), HasSubstr("DNS doesn't belong to network"));
  EXPECT_THAT(refusal("dhcpstart=1.2.3.4"), HasSubstr("DHCP doesn't belong to network"));
  EXPECT_THAT(refusal("dhcpstart=10.0.2.3"), HasSubstr("DHCP must be different"));
  EXPECT_THAT(refusal("ipv6-prefix=zz"), HasSubstr("Failed to parse IPv6 prefix"));
  EXPECT_THAT(refusal("ipv6-prefixlen=127"), HasSubstr("between 0 and 126"));
  EXPECT_THAT(refusal("ipv6-host=fd00::1"), HasSubstr("IPv6 Host doesn't belong to network"));
}

TEST(UserSettings, FamiliesThatAreOffTakeNoAddresses) {
  EXPECT_THAT(refusal("ipv4=off,net=10.0.0.0/8"), HasSubstr("IPv4 disabled but"));
  EXPECT_THAT(refusal("ipv6=off,ipv6-host=fec0::5"), HasSubstr("IPv6 disabled but"));
  EXPECT_THAT(refusal("ipv4=off,ipv6=off"), HasSubstr("IPv4 and IPv6 disabled"));
}

TEST(UserSettings, WrongNamesAreNamed) {
  EXPECT_THAT(refusal("domainname="), HasSubstr("'domainname' parameter cannot be empty"));
  EXPECT_THAT(refusal("hostname=" + std::string(256, 'a')), HasSubstr("cannot exceed 255 bytes"));
  EXPECT_THAT(refusal("bootfile=" + std::string(128, 'a')), HasSubstr("cannot exceed 127 bytes"));
}

TEST(UserSettings, WrongRulesAreQemusErrors) {
  EXPECT_EQ(refusal("hostfwd=foo"), "Invalid host forwarding rule 'foo' (No : separators)");
  EXPECT_EQ(refusal("hostfwd=sctp::1-:2"),
            "Invalid host forwarding rule 'sctp::1-:2' (Bad protocol name)");
  EXPECT_EQ(refusal("hostfwd=tcp:1"), "Invalid host forwarding rule 'tcp:1' (Missing : separator)");
  EXPECT_EQ(refusal("hostfwd=tcp:x:1-:2"),
            "Invalid host forwarding rule 'tcp:x:1-:2' (Bad host address)");
  EXPECT_EQ(refusal("hostfwd=tcp::70000-:2"),
            "Invalid host forwarding rule 'tcp::70000-:2' (Bad host port)");
  EXPECT_EQ(refusal("hostfwd=tcp::1-:0"),
            "Invalid host forwarding rule 'tcp::1-:0' (Bad guest port)");
  EXPECT_THAT(refusal("guestfwd=tcp:10.0.2.100:80-pty:"), HasSubstr("tcp:HOST:PORT, unix:PATH"));
  EXPECT_THAT(refusal("guestfwd=tcp:10.0.2.100:80-tcp:127.0.0.1:web"), HasSubstr("tcp:HOST:PORT"));
  EXPECT_THAT(refusal("guestfwd=tcp:10.0.2.100:80-tcp:127.0.0.1:0"), HasSubstr("tcp:HOST:PORT"));
  EXPECT_THAT(refusal("guestfwd=tcp:10.9.2.100:80-cmd:cat"),
              HasSubstr("Conflicting/invalid host:port in guest forwarding rule"));
}

}  // namespace
}  // namespace rhea::test
