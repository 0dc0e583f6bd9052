// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/user/session.h"

#include "net/user/interpose.h"

#include <arpa/inet.h>
#include <glib.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <string>

namespace rhea::net::user {
namespace {

constexpr std::size_t kBatch = 64, kLongestFrame = 68 * 1024;
constexpr i64 kNsPerMs = 1000000;

in_addr address4(const Json& object, const char* key) {
  in_addr address{};
  ::inet_aton(object.value(key, std::string("0.0.0.0")).c_str(), &address);
  return address;
}
in6_addr address6(const Json& object, const char* key) {
  in6_addr address{};
  ::inet_pton(AF_INET6, object.value(key, std::string("::")).c_str(), &address);
  return address;
}

/// A text that libslirp keeps no copy of while it is set up, or null.
class Texts {
 public:
  const char* keep(const Json& object, const char* key) {
    if (!object.contains(key)) return nullptr;
    return all_.emplace_back(object.value(key, std::string())).c_str();
  }
  const char* keep(std::string text) { return all_.emplace_back(std::move(text)).c_str(); }

 private:
  std::list<std::string> all_;
};

SlirpConfig addresses(const Json& said) {
  SlirpConfig config{};
  config.version = 4;
  config.restricted = said.value("restrict", false) ? 1 : 0;
  config.in_enabled = said.value("ipv4", true);
  config.vnetwork = address4(said, "net");
  config.vnetmask = address4(said, "mask");
  config.vhost = address4(said, "host");
  config.vdhcp_start = address4(said, "dhcpstart");
  config.vnameserver = address4(said, "dns");
  config.in6_enabled = said.value("ipv6", true);
  config.vprefix_addr6 = address6(said, "ipv6-prefix");
  config.vprefix_len = said.value("ipv6-prefixlen", u8{64});
  config.vhost6 = address6(said, "ipv6-host");
  config.vnameserver6 = address6(said, "ipv6-dns");
  return config;
}

short to_poll(int events) {
  int all = 0;
  if ((events & SLIRP_POLL_IN) != 0) all |= POLLIN;
  if ((events & SLIRP_POLL_OUT) != 0) all |= POLLOUT;
  if ((events & SLIRP_POLL_PRI) != 0) all |= POLLPRI;
  if ((events & SLIRP_POLL_ERR) != 0) all |= POLLERR;
  if ((events & SLIRP_POLL_HUP) != 0) all |= POLLHUP;
  return static_cast<short>(all);
}

int from_poll(short events) {
  int all = 0;
  if ((events & POLLIN) != 0) all |= SLIRP_POLL_IN;
  if ((events & POLLOUT) != 0) all |= SLIRP_POLL_OUT;
  if ((events & POLLPRI) != 0) all |= SLIRP_POLL_PRI;
  if ((events & POLLERR) != 0) all |= SLIRP_POLL_ERR;
  if ((events & POLLHUP) != 0) all |= SLIRP_POLL_HUP;
  return all;
}

i64 monotonic_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return i64{time.tv_sec} * 1000 * kNsPerMs + time.tv_nsec;
}

}  // namespace

// ---- What libslirp calls

const SlirpCb& Session::callbacks() {
  static const SlirpCb all = [] {
    SlirpCb c{};
    c.send_packet = [](const void* data, std::size_t length, void* opaque) -> ssize_t {
      Session& self = of(opaque);
      const auto* const bytes = static_cast<const u8*>(data);
      // A network that has no room loses frames.
      if (self.waiting_.size() < 2 * kMostWaiting)
        self.waiting_.emplace_back(bytes, bytes + length);
      return static_cast<ssize_t>(length);
    };
    c.guest_error = [](const char*, void*) {};
    c.clock_get_ns = [](void* opaque) -> i64 { return of(opaque).now_ns(); };
    c.timer_new_opaque = [](SlirpTimerId id, void* argument, void* opaque) -> void* {
      return &of(opaque).timers_.emplace_back(Timer{.id = id, .opaque = argument});
    };
    c.timer_free = [](void* timer, void* opaque) {
      of(opaque).timers_.remove_if([timer](const Timer& t) { return &t == timer; });
    };
    c.timer_mod = [](void* timer, i64 at_ms, void*) { static_cast<Timer*>(timer)->at_ms = at_ms; };
    c.register_poll_fd = [](int, void*) {};
    c.unregister_poll_fd = [](int, void*) {};
    c.notify = [](void*) {};
    c.init_completed = [](Slirp*, void*) {};
    return c;
  }();
  return all;
}

Result<std::unique_ptr<Session>> Session::create(const Json& said) {
  SlirpConfig config = addresses(said);
  Texts texts;
  config.vhostname = texts.keep(said, "hostname");
  config.tftp_server_name = texts.keep(said, "tftp-server-name");
  config.bootfile = texts.keep(said, "bootfile");
  config.vdomainname = texts.keep(said, "domainname");
  if (said.value("tftp", false)) config.tftp_path = kTftpPath;
  std::vector<const char*> domains;
  for (const Json& domain : said.value("dnssearch", Json::array()))
    domains.push_back(texts.keep(domain.get<std::string>()));
  domains.push_back(nullptr);
  if (domains.size() > 1) config.vdnssearch = domains.data();
  std::unique_ptr<Session> session(new Session);
  session->batch_.resize(kBatch * kLongestFrame);
  session->slirp_ = ::slirp_new(&config, &callbacks(), session.get());
  if (session->slirp_ == nullptr) return fail("libslirp takes no such configuration");
  unsigned index = 0;
  for (const Json& target : said.value("guestfwd", Json::array())) {
    in_addr address = address4(target, "address");
    const std::string path = kTargetPath + std::to_string(index++);
    if (::slirp_add_unix(session->slirp_, path.c_str(), &address, target.value("port", 0)) < 0)
      return fail("libslirp refuses a guestfwd");
  }
  return session;
}

Session::~Session() {
  if (slirp_ != nullptr) ::slirp_cleanup(slirp_);
}

// ---- Time: that of the guest, which stands when the machine does

i64 Session::now_ns() const { return (running_ ? monotonic_ns() : stopped_at_) - lost_; }

void Session::set_running(bool running) {
  if (running == running_) return;
  const i64 now = monotonic_ns();
  if (running)
    lost_ += now - stopped_at_;
  else
    stopped_at_ = now;
  running_ = running;
}

int Session::wait_ms(u32 slirp_ms) const {
  constexpr i64 kLongest = 60000;
  if (!running_) return kLongest;  // the timers' time does not come
  i64 least = slirp_ms;
  for (const Timer& timer : timers_)
    if (timer.at_ms >= 0)
      least = std::min(least, std::max<i64>(timer.at_ms - now_ns() / kNsPerMs, 0) + 1);
  return static_cast<int>(std::min(least, kLongest));
}

void Session::run_timers() {
  for (auto it = timers_.begin(); it != timers_.end();) {
    Timer& timer = *it++;
    if (timer.at_ms < 0 || now_ns() / kNsPerMs < timer.at_ms) continue;
    timer.at_ms = -1;
    ::slirp_handle_timer(slirp_, timer.id, timer.opaque);
  }
}

// ---- Frames

bool Session::read_frames() {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> places{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    places[i] = {.iov_base = batch_.data() + i * kLongestFrame, .iov_len = kLongestFrame};
    messages[i].msg_hdr.msg_iov = &places[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int count = ::recvmmsg(frames_, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  for (int i = 0; i < count; ++i) {
    const auto n = static_cast<std::size_t>(i);
    const bool whole = (messages[n].msg_hdr.msg_flags & MSG_TRUNC) == 0;
    if (messages[n].msg_len != 0 && whole)
      ::slirp_input(slirp_, batch_.data() + n * kLongestFrame,
                    static_cast<int>(messages[n].msg_len));
  }
  return count > 0 || errno == EAGAIN || errno == EINTR;
}

void Session::write_frames() {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> places{};
  while (!waiting_.empty()) {
    const std::size_t count = std::min(waiting_.size(), kBatch);
    for (std::size_t i = 0; i < count; ++i) {
      places[i] = {.iov_base = waiting_[i].data(), .iov_len = waiting_[i].size()};
      messages[i].msg_hdr.msg_iov = &places[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = ::sendmmsg(frames_, messages.data(), static_cast<unsigned>(count),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EMSGSIZE) return;  // full: until poll() says so
    const auto gone = waiting_.begin() + std::max(sent, 1);
    waiting_.erase(waiting_.begin(), gone);
  }
}

// ---- What Rhea says

void Session::forward(Message message) {
  const Json& rule = message.body["forward"];
  sockaddr_in host{}, guest{};
  host.sin_family = guest.sin_family = AF_INET;
  host.sin_addr = address4(rule, "host");
  host.sin_port = htons(rule.value("port", u16{0}));
  guest.sin_addr = address4(rule, "guest");
  guest.sin_port = htons(rule.value("guest-port", u16{0}));
  const int flags = rule.value("udp", false) ? SLIRP_HOSTFWD_UDP : 0;
  next_socket_is(message.descriptor.release());
  ::slirp_add_hostxfwd(slirp_, reinterpret_cast<const sockaddr*>(&host), sizeof host,
                       reinterpret_cast<const sockaddr*>(&guest), sizeof guest, flags);
  next_socket_is(-1);
}

void Session::unforward(const Json& rule) {
  sockaddr_in host{};
  host.sin_family = AF_INET;
  host.sin_addr = address4(rule, "host");
  host.sin_port = htons(rule.value("port", u16{0}));
  ::slirp_remove_hostxfwd(slirp_, reinterpret_cast<const sockaddr*>(&host), sizeof host,
                          rule.value("udp", false) ? SLIRP_HOSTFWD_UDP : 0);
}

void Session::answer_info(int control, const Json& number) {
  char* const table = ::slirp_connection_info(slirp_);
  std::string text = table == nullptr ? "" : table;
  ::g_free(table);
  if (text.size() > kLongestMessage / 2) text.resize(text.rfind('\n', kLongestMessage / 2) + 1);
  (void)send_message(control, {{"info", number}, {"text", text}});
}

Result<> Session::obey(int control) {
  auto received = TRY(receive_message(control, 0));
  if (!received) return {};
  Json& body = received->body;
  if (body.contains("forward"))
    forward(std::move(*received));
  else if (body.contains("unforward"))
    unforward(body["unforward"]);
  else if (body.contains("running"))
    set_running(body["running"] == true);
  else if (body.contains("info"))
    answer_info(control, body["info"]);
  return {};
}

// ---- The loop

Result<> Session::run(int frames, int control) {
  frames_ = frames;
  while (true) {
    u32 slirp_ms = 60000;
    polled_.assign({{.fd = control, .events = POLLIN, .revents = 0},
                    {.fd = frames, .events = POLLIN, .revents = 0}});
    if (!waiting_.empty()) polled_[1].events |= POLLOUT;
    // With as much waiting, only what the guest sends is listened to.
    const bool with_host = !full() && running_;
    if (with_host)
      ::slirp_pollfds_fill(
          slirp_, &slirp_ms,
          [](int fd, int events, void* opaque) {
            auto& polled = of(opaque).polled_;
            polled.push_back({.fd = fd, .events = to_poll(events), .revents = 0});
            return static_cast<int>(polled.size() - 1);
          },
          this);
    const int ready = ::poll(polled_.data(), polled_.size(), wait_ms(slirp_ms));
    if (ready < 0 && errno != EINTR) return fail("poll: {}", errno_text(errno));
    if (with_host)
      ::slirp_pollfds_poll(
          slirp_, ready < 0 ? 1 : 0,
          [](int index, void* opaque) {
            return from_poll(of(opaque).polled_[static_cast<std::size_t>(index)].revents);
          },
          this);
    if (running_) run_timers();
    if (ready <= 0) polled_[0].revents = polled_[1].revents = 0;
    if (polled_[1].revents != 0 && !read_frames()) return {};
    write_frames();
    if (polled_[0].revents != 0)
      if (auto obeyed = obey(control); !obeyed) return {};
  }
}

}  // namespace rhea::net::user
