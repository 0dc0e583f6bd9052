// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/user_settings.h"

#include "util/decimal.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace rhea::net {
namespace {

constexpr u32 net_order(u32 value) { return __builtin_bswap32(value); }

/// The values of a key that may come more than once: "key=…" or, out of JSON, "key.N" and
/// "key.N.str".
std::vector<std::string> take_all(KeyValues& options, std::string_view key) {
  const std::string element = std::string(key) + ".";
  std::vector<std::string> values;
  std::vector<std::string> keys;
  for (const auto& [name, value] : options.all())
    if (name == key || name.starts_with(element)) {
      values.push_back(value);
      keys.push_back(name);
    }
  for (const std::string& name : keys) options.take(name);
  return values;
}

// ---- IPv4

Result<in_addr> class_mask(in_addr net) {
  const u32 address = ntohl(net.s_addr);
  const auto mask = [&]() -> u32 {
    if ((address & 0x80000000U) == 0) return 0xff000000U;
    if ((address & 0xfff00000U) == 0xac100000U) return 0xfff00000U;
    if ((address & 0xffff0000U) == 0xc0a80000U) return 0xffff0000U;
    if ((address & 0xfffe0000U) == 0xc6120000U) return 0xfffe0000U;
    if ((address & 0xe0000000U) == 0xe0000000U) return 0xf0000000U;
    return 0xfffffff0U;
  }();
  return in_addr{.s_addr = htonl(mask)};
}

Result<in_addr> parse_mask(const std::string& text) {
  const auto bits = decimal<unsigned>(text);
  in_addr mask{};
  if (!bits) {
    if (::inet_aton(text.c_str(), &mask) == 0)
      return fail("Failed to parse netmask (trailing chars)");
    return mask;
  }
  if (*bits < 4 || *bits > 32) return fail("Invalid netmask provided (must be in range 4-32)");
  mask.s_addr = htonl(~u32{0} << (32 - *bits));
  return mask;
}

Result<> parse_net(const std::string& text, UserSettings& s) {
  const auto slash = std::ranges::find(text, '/');
  if (::inet_aton(std::string(text.begin(), slash).c_str(), &s.net) == 0)
    return fail("Failed to parse netmask: net={}", text);
  s.mask =
      TRY(slash == text.end() ? class_mask(s.net) : parse_mask(std::string(slash + 1, text.end())));
  s.net.s_addr &= s.mask.s_addr;
  return {};
}

bool belongs(in_addr address, const UserSettings& s) {
  return (address.s_addr & s.mask.s_addr) == s.net.s_addr;
}

/// The address that is given, or the network's usual one.
Result<bool> take_address(KeyValues& options, std::string_view key, u32 usual, in_addr& address,
                          const UserSettings& s) {
  address.s_addr = s.net.s_addr | (net_order(usual) & ~s.mask.s_addr);
  const auto text = options.take(key);
  if (!text) return false;
  if (::inet_aton(text->c_str(), &address) == 0)
    return fail("Failed to parse {}: '{}'", key, *text);
  return true;
}

Result<> take_ipv4(KeyValues& options, UserSettings& s) {
  const bool on = TRY(options.take_bool("ipv4", true));
  if (!on)
    for (const std::string_view key : {"net", "host", "dns"})
      if (options.find(key) != nullptr)
        return fail("IPv4 disabled but netmask/host/dns provided ({})", key);
  TRY(parse_net(options.take("net").value_or("10.0.2.0/24"), s));
  if (TRY(take_address(options, "host", 0x0202, s.host, s)) && !belongs(s.host, s))
    return fail("Host doesn't belong to network: host={}", text_of(s.host));
  TRY(take_address(options, "dns", 0x0203, s.dns, s));
  if (s.restricted && !belongs(s.dns, s))
    return fail("DNS doesn't belong to network: dns={}", text_of(s.dns));
  if (s.dns.s_addr == s.host.s_addr) return fail("DNS must be different from host");
  if (TRY(take_address(options, "dhcpstart", 0x020f, s.dhcp_start, s)) && !belongs(s.dhcp_start, s))
    return fail("DHCP doesn't belong to network: dhcpstart={}", text_of(s.dhcp_start));
  if (s.dhcp_start.s_addr == s.host.s_addr || s.dhcp_start.s_addr == s.dns.s_addr)
    return fail("DHCP must be different from host and DNS");
  s.configuration["ipv4"] = on;
  s.configuration["net"] = text_of(s.net);
  s.configuration["mask"] = text_of(s.mask);
  s.configuration["host"] = text_of(s.host);
  s.configuration["dns"] = text_of(s.dns);
  s.configuration["dhcpstart"] = text_of(s.dhcp_start);
  return {};
}

// ---- IPv6

std::string text_of6(const in6_addr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET6, &address, text.data(), text.size());
}

bool same_net(const in6_addr& a, const in6_addr& b, unsigned bits) {
  if (std::memcmp(a.s6_addr, b.s6_addr, bits / 8) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (a.s6_addr[bits / 8] >> (8 - rest)) == (b.s6_addr[bits / 8] >> (8 - rest));
}

Result<> take_prefix(KeyValues& options, in6_addr& prefix, unsigned& length) {
  std::string text = options.take("ipv6-prefix").value_or("");
  std::string bits = options.take("ipv6-prefixlen").value_or("");
  if (const auto net = options.take("ipv6-net")) {
    if (!text.empty() || !bits.empty())
      return fail("'ipv6-net' and 'ipv6-prefix'/'ipv6-prefixlen' are mutually exclusive");
    const auto slash = net->find('/');
    text = net->substr(0, slash);
    if (slash != std::string::npos) bits = net->substr(slash + 1);
  }
  if (::inet_pton(AF_INET6, text.empty() ? "fec0::" : text.c_str(), &prefix) != 1)
    return fail("Failed to parse IPv6 prefix: '{}'", text);
  if (bits.empty()) return {};
  const auto number = decimal<unsigned>(bits);
  if (!number || *number > 126)
    return fail("Invalid IPv6 prefix provided (IPv6 prefix length must be between 0 and 126): '{}'",
                bits);
  length = *number == 0 ? 64 : *number;
  return {};
}

Result<> take_ipv6(KeyValues& options, UserSettings& s) {
  const bool on = TRY(options.take_bool("ipv6", true));
  if (!on)
    for (const std::string_view key : {"ipv6-net", "ipv6-prefix", "ipv6-host", "ipv6-dns"})
      if (options.find(key) != nullptr)
        return fail("IPv6 disabled but prefix/host6/dns6 provided ({})", key);
  in6_addr prefix{};
  unsigned length = 64;
  TRY(take_prefix(options, prefix, length));
  in6_addr host = prefix, dns = prefix;
  host.s6_addr[15] |= 2;
  dns.s6_addr[15] |= 3;
  if (const auto text = options.take("ipv6-host")) {
    if (::inet_pton(AF_INET6, text->c_str(), &host) != 1)
      return fail("Failed to parse IPv6 host: '{}'", *text);
    if (!same_net(prefix, host, length)) return fail("IPv6 Host doesn't belong to network");
  }
  if (const auto text = options.take("ipv6-dns")) {
    if (::inet_pton(AF_INET6, text->c_str(), &dns) != 1)
      return fail("Failed to parse IPv6 DNS: '{}'", *text);
    if (s.restricted && !same_net(prefix, dns, length))
      return fail("IPv6 DNS doesn't belong to network");
  }
  s.configuration["ipv6"] = on;
  s.configuration["ipv6-prefix"] = text_of6(prefix);
  s.configuration["ipv6-prefixlen"] = length;
  s.configuration["ipv6-host"] = text_of6(host);
  s.configuration["ipv6-dns"] = text_of6(dns);
  return {};
}

// ---- Names and files

Result<> take_names(KeyValues& options, UserSettings& s) {
  for (const std::string_view key : {"domainname", "hostname", "tftp-server-name"})
    if (auto text = options.take(key)) {
      if (text->empty() && key == "domainname") return fail("'{}' parameter cannot be empty", key);
      if (text->size() > 255) return fail("'{}' parameter cannot exceed 255 bytes", key);
      s.configuration[std::string(key)] = std::move(*text);
    }
  if (const auto domains = take_all(options, "dnssearch"); !domains.empty())
    s.configuration["dnssearch"] = domains;
  if (auto file = options.take("bootfile")) {
    // BOOTP's field; libslirp would cut it off.
    if (file->size() > 127) return fail("'bootfile' parameter cannot exceed 127 bytes");
    s.configuration["bootfile"] = std::move(*file);
  }
  if (const auto folder = options.take("tftp")) {
    s.tftp = TRY(HostFolder::open(*folder));
    s.configuration["tftp"] = true;
  }
  return {};
}

Result<> refuse_shares(const KeyValues& options) {
  for (const std::string_view key : {"smb", "smbserver"})
    if (options.find(key) != nullptr) return fail("{}=: QEMU has this; Rhea has not yet", key);
  return {};
}

// ---- Forwards

Result<> take_forwards(KeyValues& options, UserSettings& s) {
  for (const std::string& rule : take_all(options, "hostfwd")) {
    HostForward forward = TRY(HostForward::parse(rule));
    if (forward.guest.s_addr == 0) forward.guest = s.dhcp_start;
    s.host_forwards.push_back(std::move(forward));
  }
  Json targets = Json::array();
  for (const std::string& rule : take_all(options, "guestfwd")) {
    GuestForward forward = TRY(GuestForward::parse(rule));
    if (forward.address.s_addr == 0)
      forward.address.s_addr = s.net.s_addr | (net_order(0x0204) & ~s.mask.s_addr);
    const in_addr at = forward.address;
    if (!belongs(at, s) || at.s_addr == s.host.s_addr || at.s_addr == s.dns.s_addr)
      return fail("Conflicting/invalid host:port in guest forwarding rule '{}'", rule);
    for (const GuestForward& other : s.guest_forwards)
      if (other.address.s_addr == at.s_addr && other.port == forward.port)
        return fail("Conflicting/invalid host:port in guest forwarding rule '{}'", rule);
    targets.push_back({{"address", text_of(at)}, {"port", forward.port}});
    s.guest_forwards.push_back(std::move(forward));
  }
  s.configuration["guestfwd"] = std::move(targets);
  return {};
}

}  // namespace

Result<UserSettings> UserSettings::take(KeyValues& options) {
  UserSettings s;
  // "y|yes|n|no" come from the old option's time.
  s.restricted = TRY(options.take_bool("restrict", false));
  s.configuration["restrict"] = s.restricted;
  TRY(refuse_shares(options));
  TRY(take_ipv4(options, s));
  TRY(take_ipv6(options, s));
  if (s.configuration["ipv4"] == false && s.configuration["ipv6"] == false)
    return fail("IPv4 and IPv6 disabled");
  TRY(take_names(options, s));
  TRY(take_forwards(options, s));
  return s;
}

}  // namespace rhea::net
