// SPDX-License-Identifier: GPL-2.0-or-later
// -netdev tap and bridge: where the interface comes from.
#include "net/backend.h"
#include "net/net_address.h"
#include "net/tap_netdev.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace rhea::net {
namespace {

constexpr const char* kDevice = "/dev/net/tun";
constexpr const char* kHelper = "/usr/lib/qemu/qemu-bridge-helper";
constexpr const char* kBridge = "br0";
constexpr std::chrono::seconds kHelperPatience{10};

struct Options {
  std::optional<std::string> ifname, fd, fds, script, downscript, helper, bridge, queues;
  bool headers_said{false}, headers{true};

  static Result<Options> take(const std::string& id, KeyValues& from) {
    Options all{.ifname = from.take("ifname"),
                .fd = from.take("fd"),
                .fds = from.take("fds"),
                .script = from.take("script"),
                .downscript = from.take("downscript"),
                .helper = from.take("helper"),
                .bridge = from.take("br"),
                .queues = from.take("queues")};
    all.headers_said = from.find("vnet_hdr") != nullptr;
    all.headers = TRY(from.take_bool("vnet_hdr", true));
    const bool vhost = TRY(from.take_bool("vhost", false));
    const bool forced = TRY(from.take_bool("vhostforce", false));
    if (from.take("vhostfd") || from.take("vhostfds") || forced)
      return fail("vhostfd=, vhostfds=, vhostforce=: QEMU has vhost; Rhea has not yet");
    for (const char* idle : {"poll-us", "sndbuf"})
      if (from.take(idle))
        report_warning(fmt::format("netdev '{}': {}= changes nothing in Rhea yet", id, idle));
    TRY(from.expect_empty("tap"));
    if (vhost)
      report_warning(fmt::format(
          "netdev '{}': vhost=on: Rhea has no vhost yet; frames go through the process", id));
    return all;
  }

  bool names_interface() const { return ifname || script || downscript || headers_said || queues; }
};

Result<int> open_descriptor(const std::string& text) {
  const int fd = TRY(descriptor_number(text));
  if (::fcntl(fd, F_GETFD) < 0)
    return fail("Can't use file descriptor {}: {}", fd, errno_text(errno));
  return fd;
}

/// Opens the interface, which is made unless it is there; `name` is what it is called then.
Result<FileDescriptor> open_interface(std::string& name, bool headers) {
  FileDescriptor device =
      TRY(open_host_file(kDevice, {.flags = O_RDWR | O_NONBLOCK, .kinds = FileKinds::CharDevice}));
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name)
    return fail("ifname '{}' is too long: at most {} characters", name,
                sizeof request.ifr_name - 1);
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | (headers ? IFF_VNET_HDR : 0));
  if (::ioctl(device.get(), TUNSETIFF, &request) < 0)
    return fail("could not configure {} ({}): {}", kDevice, name.empty() ? "tap%d" : name,
                errno_text(errno));
  name = request.ifr_name;
  return device;
}

/// What a script option stands for; "no" is none.
std::string script_of(const std::optional<std::string>& said, const char* usual) {
  return said ? (*said == "no" ? "" : *said) : usual;
}

Result<std::unique_ptr<Netdev>> on_descriptor(const std::string& text) {
  const int fd = TRY(open_descriptor(text));
  // It is whose it was until it is known to be right.
  TRY(interface_of(fd));
  return TapNetdev::make(
      {.kind = "tap", .device = FileDescriptor(fd), .what = fmt::format("fd={}", fd)});
}

Result<std::unique_ptr<Netdev>> by_helper(const char* kind, const std::string& helper,
                                          const std::string& bridge) {
  FileDescriptor device = TRY(device_of_helper(helper, bridge, kHelperPatience));
  return TapNetdev::make({.kind = kind,
                          .device = std::move(device),
                          .what = fmt::format("helper={},br={}", helper, bridge)});
}

Result<std::unique_ptr<Netdev>> create_tap(Machine&, const std::string& id, KeyValues& options) {
  const Options given = TRY(Options::take(id, options));
  if (given.fd) {
    if (given.names_interface() || given.helper || given.fds)
      return fail(
          "ifname=, script=, downscript=, vnet_hdr=, helper=, queues= and fds= are invalid with "
          "fd=");
    return on_descriptor(*given.fd);
  }
  if (given.fds) {
    if (given.names_interface() || given.helper)
      return fail(
          "ifname=, script=, downscript=, vnet_hdr=, helper= and queues= are invalid with fds=");
    if (given.fds->find(':') != std::string::npos)
      return fail("fds={}: Rhea's tap has one queue", *given.fds);
    return on_descriptor(*given.fds);
  }
  if (given.helper) {
    if (given.names_interface())
      return fail("ifname=, script=, downscript=, vnet_hdr= and queues= are invalid with helper=");
    return by_helper("tap", *given.helper, given.bridge.value_or(kBridge));
  }
  if (given.queues.value_or("1") != "1")
    return fail("queues={}: Rhea's tap has one queue", *given.queues);
  const std::string script = script_of(given.script, "/etc/qemu-ifup");
  const std::string at_end = script_of(given.downscript, "/etc/qemu-ifdown");
  std::string name = given.ifname.value_or("");
  FileDescriptor device = TRY(open_interface(name, given.headers_said && given.headers));
  auto netdev = TRY(TapNetdev::make(
      {.kind = "tap",
       .device = std::move(device),
       .what = fmt::format("ifname={},script={},downscript={}", name,
                           script.empty() ? "no" : script, at_end.empty() ? "no" : at_end)}));
  // From then on nothing fails that would leave the interface as the script made it.
  if (!script.empty()) TRY(run_script(script, name));
  netdev->run_at_end(at_end, name);
  return netdev;
}

Result<std::unique_ptr<Netdev>> create_bridge(Machine&, const std::string&, KeyValues& options) {
  const std::string bridge = options.take("br").value_or(kBridge);
  const std::string helper = options.take("helper").value_or(kHelper);
  TRY(options.expect_empty("bridge"));
  return by_helper("bridge", helper, bridge);
}

const RegisterBackend backends[] = {
    RegisterBackend{{.name = "tap", .create = &create_tap}},
    RegisterBackend{{.name = "bridge", .create = &create_bridge}},
};

}  // namespace
}  // namespace rhea::net
