// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/vnc/viewer.h"

#include "rhea/util/host_file.h"
#include "ui/vnc/messages.h"
#include "util/helper_program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>

namespace rhea::ui::vnc {
namespace {

/// What one client may say before others have their turn.
constexpr unsigned kMessagesAtOnce = 64;

}  // namespace

Json socket_name(int fd, bool other_end) {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  const int result =
      other_end ? ::getpeername(fd, address, &length) : ::getsockname(fd, address, &length);
  if (result != 0) return {{"host", ""}, {"service", ""}, {"family", "unknown"}};
  if (name.ss_family == AF_UNIX) {
    const auto* path = reinterpret_cast<const sockaddr_un*>(&name);
    const std::size_t most = length > offsetof(sockaddr_un, sun_path)
                                 ? length - offsetof(sockaddr_un, sun_path)
                                 : std::size_t{0};
    return {{"host", ""},
            {"service", std::string(path->sun_path, ::strnlen(path->sun_path, most))},
            {"family", "unix"}};
  }
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  ::getnameinfo(address, length, host.data(), host.size(), service.data(), service.size(),
                NI_NUMERICHOST | NI_NUMERICSERV);
  return {{"host", host.data()},
          {"service", service.data()},
          {"family", name.ss_family == AF_INET6 ? "ipv6" : "ipv4"}};
}

Result<std::unique_ptr<Viewer>> Viewer::start(EventLoop& loop, FileDescriptor client,
                                              Json configuration, const SharedPicture& picture,
                                              Callbacks callbacks) {
  const std::string program = TRY(find_helper("rhea-vnc-client", "ui/vnc/client"));
  HelperSocket control = TRY(helper_socket());
  const FileDescriptor socket = out_of_the_way(client.get());
  const FileDescriptor nothing = TRY(open_host_file("/dev/null", {.flags = O_RDWR}));
  const FileDescriptor stream = out_of_the_way(nothing.get());
  const std::array<ChildProcess::Descriptor, 4> given{
      {{.ours = stream.get(), .as = STDIN_FILENO},
       {.ours = stream.get(), .as = STDOUT_FILENO},
       {.ours = socket.get(), .as = kClient},
       {.ours = control.its.get(), .as = kControl}}};
  std::unique_ptr<Viewer> viewer(new Viewer(std::move(callbacks)));
  viewer->address_ = socket_name(client.get(), true);
  viewer->child_ = TRY(ChildProcess::start({program}, given));
  viewer->control_ = std::move(control.ours);
  configuration["width"] = picture.width();
  configuration["height"] = picture.height();
  TRY(send_message(viewer->control_.get(), {{"configure", std::move(configuration)}},
                   picture.fd()));
  viewer->watch_ = loop.watch_fd(viewer->control_.get(), FdEvents::Read,
                                 [raw = viewer.get()](FdEvents) { raw->hear(); });
  return viewer;
}

void Viewer::hear() {
  for (unsigned n = 0; n < kMessagesAtOnce && control_; ++n) {
    const auto heard = receive_message(control_.get(), 0);
    if (!heard) return hang_up();
    if (!*heard) return;
    callbacks_.heard(*this, (*heard)->body);
  }
}

void Viewer::hang_up() {
  if (over()) return;
  watch_.remove();
  control_.reset();
  if (child_) child_->kill();
  callbacks_.gone(*this);
}

bool Viewer::send(const Json& message, int descriptor) {
  return send_message(control_.get(), message, descriptor).has_value();
}

void Viewer::changed(const Rect& rect) {
  if (dirty_.width == 0) {
    dirty_ = rect;
    return;
  }
  const int right = std::max(dirty_.x + dirty_.width, rect.x + rect.width);
  const int bottom = std::max(dirty_.y + dirty_.height, rect.y + rect.height);
  dirty_.x = std::min(dirty_.x, rect.x);
  dirty_.y = std::min(dirty_.y, rect.y);
  dirty_.width = right - dirty_.x;
  dirty_.height = bottom - dirty_.y;
}

void Viewer::set_absolute(bool absolute) { absolute_ = absolute; }

void Viewer::flush(const SharedPicture& picture) {
  if (over()) return;
  if (resized_) {
    if (!send({{"size", {picture.width(), picture.height()}}}, picture.fd())) return;
    resized_ = false;
  }
  if (absolute_ != absolute_told_) {
    if (!send({{"absolute", absolute_}})) return;
    absolute_told_ = absolute_;
  }
  if (dirty_.width == 0) return;
  if (send({{"dirty", {dirty_.x, dirty_.y, dirty_.width, dirty_.height}}})) dirty_ = {};
}

}  // namespace rhea::ui::vnc
