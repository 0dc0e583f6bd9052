// SPDX-License-Identifier: GPL-2.0-or-later
// Consoles: surfaces, their clients, and the timer that asks the devices to draw.
#include "rhea/ui/console.h"

#include <algorithm>

namespace rhea {
namespace {

constexpr int kMaxSide = 16384;
// What a screen shows before its device has set a mode.
constexpr int kInitialWidth = 640;
constexpr int kInitialHeight = 480;
constexpr i64 kNsPerMs = 1'000'000;

}  // namespace

Console::Console() { resize(kInitialWidth, kInitialHeight); }

Console::~Console() {
  for (DisplayClient* client : std::exchange(clients_, {})) client->detached();
  if (surface_ != nullptr) pixman_image_unref(surface_);
}

void Console::resize(int width, int height) {
  width = std::clamp(width, 1, kMaxSide);
  height = std::clamp(height, 1, kMaxSide);
  pixman_image_t* made = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, nullptr, 0);
  // Without memory for the new picture the old one stays.
  if (made == nullptr) return;
  pixman_image_t* old = std::exchange(surface_, made);
  for (DisplayClient* client : clients_) client->resized(surface_);
  if (old != nullptr) pixman_image_unref(old);
}

int Console::width() const { return pixman_image_get_width(surface_); }
int Console::height() const { return pixman_image_get_height(surface_); }

void Console::update(const Rect& rect) {
  const int left = std::clamp(rect.x, 0, width());
  const int top = std::clamp(rect.y, 0, height());
  const auto right = static_cast<int>(std::clamp<i64>(i64{rect.x} + rect.width, left, width()));
  const auto bottom = static_cast<int>(std::clamp<i64>(i64{rect.y} + rect.height, top, height()));
  if (right == left || bottom == top) return;
  const Rect visible{.x = left, .y = top, .width = right - left, .height = bottom - top};
  for (DisplayClient* client : clients_) client->updated(visible);
}

void Console::refresh_now(bool full) {
  if (source_ != nullptr) source_->refresh(full);
}

void Console::add_client(DisplayClient& client) {
  clients_.push_back(&client);
  client.resized(surface_);
  client.updated({.x = 0, .y = 0, .width = width(), .height = height()});
  schedule();
}

void Console::remove_client(DisplayClient& client) {
  std::erase(clients_, &client);
  if (clients_.empty() && timer_.initialised()) timer_.cancel();
}

// Draws as often as the most eager client wants.
void Console::schedule() {
  int interval = 0;
  for (const DisplayClient* client : clients_) {
    const int wanted = client->refresh_interval_ms();
    if (wanted > 0) interval = interval == 0 ? wanted : std::min(interval, wanted);
  }
  if (interval == 0 || !in_machine()) return;
  if (!timer_.initialised())
    timer_.init(machine().realtime_clock(), [this] {
      refresh_now(false);
      schedule();
    });
  timer_.arm_in(interval * kNsPerMs);
}

Console& Consoles::add(DisplaySource& source) {
  Object& place = machine_->container("/backend");
  while (place.child(fmt::format("console[{}]", made_)) != nullptr) ++made_;
  Console& console = place.add_child(fmt::format("console[{}]", made_++), create<Console>());
  console.set_source(&source);
  all_.push_back(&console);
  return console;
}

void Consoles::remove(Console& console) {
  std::erase(all_, &console);
  console.parent()->remove_child(console);
}

namespace {

const RegisterType<Console> registration;

}  // namespace

}  // namespace rhea
