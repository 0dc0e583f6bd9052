// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/vnc/client/session.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace rhea::ui::vnc {
namespace {

using Clock = std::chrono::steady_clock;

/// A client has so long to say who it is.
constexpr std::chrono::seconds kPatience{20};
/// And so long to go on with a message that it has begun.
constexpr int kMessageMs = 5000;
constexpr int kPointerKind = -257, kScanCodes = -258;

void be_silent(const char*, ...) {}

int number_at(const Json& list, std::size_t index) {
  if (!list.is_array() || index >= list.size() || !list[index].is_number_integer()) return 0;
  return static_cast<int>(std::clamp<i64>(list[index].get<i64>(), -kMostSide, kMostSide));
}

void key_pressed(rfbBool down, rfbKeySym keysym, rfbClientPtr client) {
  session_of(client).tell({{"key", {u32{keysym}, down != 0}}});
}

void pointer_used(int buttons, int x, int y, rfbClientPtr client) {
  session_of(client).tell_pointer(x, y, buttons);
}

int refuse_size(int, int, int, rfbExtDesktopScreen*, rfbClientPtr) {
  return rfbExtDesktopSize_ResizeProhibited;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::create(const Message& first) {
  const auto wanted = first.body.find("configure");
  if (wanted == first.body.end() || !wanted->is_object()) return fail("no configuration came");
  std::unique_ptr<Session> session(new Session);
  session->picture_ =
      TRY(Picture::map(first.descriptor, static_cast<int>(number_in(*wanted, "width")),
                       static_cast<int>(number_in(*wanted, "height"))));
  session->name_ = text_in(*wanted, "name");
  session->lossy_ = wanted->value("lossy", false);
  if (const auto passwords = wanted->find("passwords"); passwords != wanted->end()) {
    for (const Json& one : *passwords) session->passwords_.push_back(one.get<std::string>());
    for (std::string& one : session->passwords_) session->password_list_.push_back(one.data());
    session->password_list_.push_back(nullptr);
  }
  TRY(session->greet());
  return session;
}

Result<> Session::greet() {
  rfbLog = rfbErr = &be_silent;
  register_extensions();
  constexpr int kBits = 8, kSamples = 3, kBytes = 4;
  screen_ =
      rfbGetScreen(nullptr, nullptr, picture_.width(), picture_.height(), kBits, kSamples, kBytes);
  if (screen_ == nullptr) return fail("no memory");
  screen_->screenData = this;
  screen_->frameBuffer = picture_.pixels();
  screen_->serverFormat.redShift = 16;
  screen_->serverFormat.greenShift = 8;
  screen_->serverFormat.blueShift = 0;
  screen_->desktopName = name_.c_str();
  // The guest draws its own.
  screen_->cursor = nullptr;
  screen_->deferUpdateTime = 0;
  screen_->maxClientWait = kMessageMs;
  screen_->alwaysShared = TRUE;  // who may stay beside whom is Rhea's affair
  screen_->kbdAddEvent = &key_pressed;
  screen_->ptrAddEvent = &pointer_used;
  screen_->setDesktopSizeHook = &refuse_size;
  screen_->permitFileTransfer = FALSE;
  if (!password_list_.empty()) {
    screen_->authPasswdData = password_list_.data();
    screen_->authPasswdFirstViewOnly = static_cast<int>(password_list_.size());
    screen_->passwordCheck = &rfbCheckPasswordByList;
    // What the cipher's library opens it opens now.
    std::array<unsigned char, 16> challenge{};
    std::array<char, 9> nothing{};
    rfbEncryptBytes(challenge.data(), nothing.data());
  }
  return {};
}

Session::~Session() {
  if (client_ != nullptr) rfbClientConnectionGone(client_);
  if (screen_ != nullptr) {
    screen_->frameBuffer = nullptr;
    rfbScreenCleanup(screen_);
  }
}

Result<> Session::run() {
  client_ = rfbNewClient(screen_, kClient);
  if (client_ == nullptr) return {};
  const auto deadline = Clock::now() + kPatience;
  while (true) {
    std::array<pollfd, 2> waited{{{.fd = kClient, .events = POLLIN, .revents = 0},
                                  {.fd = kControl, .events = POLLIN, .revents = 0}}};
    // A web client's frame may hold more than the message that was taken.
    const bool more = client_->wsctx != nullptr && webSocketsHasDataInBuffer(client_) != 0;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (!ready_ && left <= 0) return {};
    const int wait = more ? 0 : ready_ ? -1 : static_cast<int>(left);
    if (::poll(waited.data(), waited.size(), wait) < 0 && errno != EINTR)
      return fail("poll: {}", errno_text(errno));
    if ((waited[0].revents != 0 || more) && !hear_client()) return {};
    if (waited[1].revents != 0) {
      const auto heard = receive_message(kControl, 0);
      if (!heard) return {};
      if (*heard) TRY(hear_rhea(**heard));
    }
    if (!lossy_) client_->tightQualityLevel = client_->turboQualityLevel = -1;
    rfbUpdateClient(client_);
    if (client_->sock == RFB_INVALID_SOCKET) return {};
  }
}

// ---- The client

bool Session::hear_client() {
  look_at_shared_flag();
  rfbProcessClientMessage(client_);
  if (client_->sock == RFB_INVALID_SOCKET) return false;
  if (client_->state == rfbClientRec::RFB_NORMAL && !std::exchange(ready_, true))
    tell({{"ready", {{"shared", shared_}}}});
  return true;
}

// The library keeps it to itself. A web client's cannot be seen, and counts as shared.
void Session::look_at_shared_flag() {
  if (client_->state != rfbClientRec::RFB_INITIALISATION || client_->wsctx != nullptr) return;
  char flag = 1;
  if (::recv(kClient, &flag, 1, MSG_PEEK | MSG_DONTWAIT) == 1) shared_ = flag != 0;
}

void Session::tell(const Json& event) {
  // Rhea takes its time; meanwhile this client waits.
  pollfd state{.fd = kControl, .events = POLLOUT, .revents = 0};
  while (::poll(&state, 1, -1) < 0 && errno == EINTR) {
  }
  if (!send_message(kControl, event)) rfbCloseClient(client_);
}

void Session::tell_pointer(int x, int y, int buttons) {
  tell({{"pointer", {x, y, buttons, knows_pointer_kind_ && !absolute_}}});
}

/// A rectangle that says something.
void Session::announce(int encoding, int x) {
  std::array<u8, 16> update{rfbFramebufferUpdate, 0, 0, 1};
  update[5] = static_cast<u8>(x);
  const auto put = [&update](std::size_t at, unsigned value, unsigned size) {
    for (unsigned n = 0; n < size; ++n)
      update[at + n] = static_cast<u8>(value >> (8 * (size - 1 - n)));
  };
  put(8, static_cast<unsigned>(screen_->width), 2);
  put(10, static_cast<unsigned>(screen_->height), 2);
  put(12, static_cast<unsigned>(encoding), 4);
  rfbWriteExact(client_, reinterpret_cast<const char*>(update.data()), update.size());
}

void Session::wants_scan_codes() { announce(kScanCodes, 0); }

void Session::wants_pointer_kind() {
  knows_pointer_kind_ = true;
  announce(kPointerKind, absolute_ ? 1 : 0);
}

// ---- Rhea

Result<> Session::hear_rhea(const Message& message) {
  if (message.body.contains("size")) return resize(message);
  if (const auto dirty = message.body.find("dirty"); dirty != message.body.end()) {
    const int x = number_at(*dirty, 0), y = number_at(*dirty, 1);
    rfbMarkRectAsModified(screen_, x, y, x + number_at(*dirty, 2), y + number_at(*dirty, 3));
  }
  if (const auto absolute = message.body.find("absolute"); absolute != message.body.end()) {
    absolute_ = absolute->is_boolean() && absolute->get<bool>();
    if (knows_pointer_kind_) wants_pointer_kind();
  }
  return {};
}

Result<> Session::resize(const Message& message) {
  const Json& size = message.body["size"];
  Picture next = TRY(Picture::map(message.descriptor, number_at(size, 0), number_at(size, 1)));
  rfbNewFramebuffer(screen_, next.pixels(), next.width(), next.height(), 8, 3, 4);
  screen_->serverFormat.redShift = 16;
  screen_->serverFormat.greenShift = 8;
  screen_->serverFormat.blueShift = 0;
  if (client_ != nullptr) rfbSetTranslateFunction(client_);
  picture_ = std::move(next);
  return {};
}

}  // namespace rhea::ui::vnc
