// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/vnc/server.h"

#include "crypto/secret.h"
#include "rhea/ui/input.h"
#include "rhea/util/log.h"
#include "ui/vnc/keysyms.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>

namespace rhea::ui::vnc {
namespace {

constexpr unsigned kAcceptsAtOnce = 16;

i64 now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int number_at(const Json& list, std::size_t index) {
  if (!list.is_array() || index >= list.size() || !list[index].is_number_integer()) return 0;
  return static_cast<int>(std::clamp<i64>(list[index].get<i64>(), INT32_MIN, INT32_MAX));
}

}  // namespace

Server::Server(Machine& machine, Options options, Tell tell)
    : machine_(&machine), options_(std::move(options)), tell_(std::move(tell)) {
  sweep_.init(machine.loop(), [this] { sweep(); });
  flush_.init(machine.loop(), [this] { flush(); });
}

Server::~Server() {
  if (console_ != nullptr) console_->remove_client(*this);
  tell_ = nullptr;
}

Result<std::unique_ptr<Server>> Server::listen(Machine& machine, Options options, Tell tell) {
  std::unique_ptr<Server> server(new Server(machine, std::move(options), std::move(tell)));
  const Options& wanted = server->options_;
  if (!wanted.password_secret.empty()) {
    const auto secret = TRY(crypto::secret_bytes(machine, wanted.password_secret));
    server->password_ = std::string(secret.begin(), secret.end());
  }
  constexpr bool kMayWait = true;
  server->listeners_.push_back(
      {.socket = TRY(wanted.address.listen(kMayWait)), .websocket = false});
  if (wanted.websocket)
    server->listeners_.push_back(
        {.socket = TRY(wanted.websocket->listen(kMayWait)), .websocket = true});
  return server;
}

void Server::start() {
  for (Listener& listener : listeners_) {
    ::fcntl(listener.socket.get(), F_SETFL, O_NONBLOCK);
    listener.watch = machine_->loop().watch_fd(listener.socket.get(), FdEvents::Read,
                                               [this, &listener](FdEvents) { accept(listener); });
  }
}

// ---- Clients come and go

void Server::accept(const Listener& listener) {
  for (unsigned n = 0; n < kAcceptsAtOnce; ++n) {
    FileDescriptor client(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) return;
    const auto served = serve(std::move(client), listener.websocket);
    if (!served) log_guest("vnc", "a client is turned away: {}", served.error().message());
  }
}

Result<> Server::serve(FileDescriptor client, bool websocket) {
  if (viewers_.size() >= kMostViewers) return fail("there are {} already", kMostViewers);
  if (picture_.fd() < 0) TRY(picture_.make(640, 480));
  Json configuration = {
      {"name",
       machine_->config.name.empty() ? "Rhea" : fmt::format("Rhea ({})", machine_->config.name)},
      {"lossy", options_.lossy}};
  if (options_.password) configuration["passwords"] = passwords();
  auto viewer =
      TRY(Viewer::start(machine_->loop(), std::move(client), std::move(configuration), picture_,
                        {.heard = [this](Viewer& who, const Json& message) { heard(who, message); },
                         .gone = [this](Viewer& who) { gone(who); }}));
  if (websocket) viewer->set_websocket();
  tell("VNC_CONNECTED", *viewers_.emplace_back(std::move(viewer)));
  return {};
}

Json Server::passwords() const {
  Json all = Json::array();
  if (password_ && (!expires_ || now_seconds() < *expires_)) all.push_back(*password_);
  return all;
}

void Server::gone(Viewer& viewer) {
  auto& hub = machine_->service<InputHub>();
  for (unsigned key = 0; key < viewer.keys.size(); ++key)
    if (viewer.keys[key]) hub.key(static_cast<KeyNumber>(key), false);
  viewer.keys.reset();
  if (tell_) tell("VNC_DISCONNECTED", viewer);
  sweep_.schedule();
}

void Server::sweep() {
  std::erase_if(viewers_, [](const auto& viewer) { return viewer->over(); });
  if (console_ == nullptr || std::ranges::any_of(viewers_, &Viewer::ready)) return;
  console_->remove_client(*this);
  console_ = nullptr;
}

// ---- The screen

void Server::show() {
  const auto& consoles = machine_->service<Consoles>().all();
  if (console_ != nullptr || consoles.empty()) return;
  console_ = consoles.front();
  console_->add_client(*this);
}

void Server::resized(pixman_image_t* surface) {
  const int width = pixman_image_get_width(surface), height = pixman_image_get_height(surface);
  if (width != picture_.width() || height != picture_.height()) {
    if (const auto made = picture_.make(width, height); !made) {
      report_warning(fmt::format("{}: {}", where(), made.error().message()));
      return;
    }
    for (const auto& viewer : viewers_) viewer->resized();
  }
  updated({.x = 0, .y = 0, .width = width, .height = height});
}

void Server::updated(const Rect& rect) {
  picture_.copy(console_->surface(), rect);
  for (const auto& viewer : viewers_) viewer->changed(rect);
  flush_.schedule();
}

void Server::detached() { console_ = nullptr; }

void Server::flush() {
  const bool absolute = machine_->service<InputHub>().has_absolute_pointer();
  for (const auto& viewer : viewers_) {
    viewer->set_absolute(absolute);
    viewer->flush(picture_);
  }
}

// ---- What clients do

void Server::heard(Viewer& viewer, const Json& message) {
  if (const auto ready = message.find("ready"); ready != message.end())
    return let_in(viewer, ready->value("shared", true));
  if (!viewer.ready()) return;
  auto& hub = machine_->service<InputHub>();
  const auto press = [&](const Json& event, std::optional<KeyNumber> key) {
    if (!key || event.size() < 2 || !event[1].is_boolean()) return;
    viewer.keys[*key] = event[1].get<bool>();
    hub.key(*key, event[1].get<bool>());
  };
  if (const auto key = message.find("key"); key != message.end())
    press(*key, key_of_keysym(static_cast<u32>(number_at(*key, 0))));
  if (const auto scan = message.find("scan"); scan != message.end()) {
    const int number = number_at(*scan, 0);
    if (number > 0 && number <= 0xff) press(*scan, static_cast<KeyNumber>(number));
  }
  if (const auto event = message.find("pointer"); event != message.end()) pointer(viewer, *event);
}

void Server::let_in(Viewer& viewer, bool shared) {
  if (viewer.ready()) return;
  if (!shared && options_.share == Options::Share::ForceShared) return viewer.hang_up();
  viewer.set_ready();
  tell("VNC_INITIALIZED", viewer);
  if (!shared && options_.share == Options::Share::AllowExclusive)
    for (const auto& other : viewers_)
      if (other.get() != &viewer) other->hang_up();
  show();
  if (console_ == nullptr) return;
  viewer.changed({.x = 0, .y = 0, .width = picture_.width(), .height = picture_.height()});
  flush_.schedule();
}

// RFB's buttons: left, middle, right, and the wheel as two more.
void Server::pointer(Viewer& viewer, const Json& event) {
  auto& hub = machine_->service<InputHub>();
  const int x = number_at(event, 0), y = number_at(event, 1);
  const auto mask = static_cast<u8>(number_at(event, 2));
  const u8 pressed = static_cast<u8>(mask & ~std::exchange(viewer.buttons, mask));
  PointerEvent out{.buttons =
                       static_cast<u8>((mask & 1) | (mask >> 2 & 1) << 1 | (mask >> 1 & 1) << 2)};
  if ((pressed & 8) != 0) out.dz = 1;
  if ((pressed & 16) != 0) out.dz = -1;
  const auto before = std::exchange(viewer.place, std::pair{x, y});
  if (hub.has_absolute_pointer()) {
    const auto scaled = [](int at, int size) {
      const i64 last = std::max(size - 1, 1);
      return static_cast<u16>(std::clamp<i64>(at, 0, last) * PointerPlace::kFarthest / last);
    };
    out.place = PointerPlace{.x = scaled(x, picture_.width()), .y = scaled(y, picture_.height())};
  } else if (event.size() > 3 && event[3] == true) {
    constexpr int kMiddle = 0x7fff;
    out.dx = x - kMiddle;
    out.dy = y - kMiddle;
  } else if (before) {
    out.dx = x - before->first;
    out.dy = y - before->second;
  }
  hub.pointer(out);
}

// ---- What is said of it

Json Server::server_data() const {
  Json data = socket_name(listeners_.front().socket.get(), false);
  data["websocket"] = false;
  data["auth"] = auth();
  return data;
}

Json Server::client_data(const Viewer& viewer) const {
  Json data = viewer.address();
  data["websocket"] = viewer.websocket();
  return data;
}

void Server::tell(std::string_view event, const Viewer& viewer) {
  if (tell_)
    tell_(std::string(event), {{"server", server_data()}, {"client", client_data(viewer)}});
}

Json Server::describe_first() const {
  Json data = socket_name(listeners_.front().socket.get(), false);
  data["enabled"] = true;
  data["auth"] = auth();
  data["clients"] = Json::array();
  for (const auto& viewer : viewers_)
    if (!viewer->over()) data["clients"].push_back(client_data(*viewer));
  return data;
}

Json Server::describe() const {
  Json data = {{"id", options_.id}, {"auth", auth()}, {"server", Json::array()}};
  for (const Listener& listener : listeners_) {
    Json one = socket_name(listener.socket.get(), false);
    one["websocket"] = listener.websocket;
    one["auth"] = auth();
    data["server"].push_back(std::move(one));
  }
  data["clients"] = describe_first()["clients"];
  return data;
}

std::string Server::where() const { return "vnc " + local_text(listeners_.front().socket.get()); }

}  // namespace rhea::ui::vnc
