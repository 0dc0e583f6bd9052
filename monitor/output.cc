// SPDX-License-Identifier: GPL-2.0-or-later
// Bounded output to a monitor's client.
#include "monitor/output.h"

#include "rhea/util/log.h"

namespace rhea::monitor {
namespace {

constexpr std::size_t kMaxPending = 16 * MiB;

std::span<const u8> bytes_of(std::string_view text) {
  return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

}  // namespace

void Output::write(std::string_view text) {
  if (dropped_) return;
  if (pending() == 0) {
    pending_.clear();
    sent_ = 0;
    text.remove_prefix(chardev_->write(bytes_of(text)));
  }
  if (text.empty()) return;
  if (pending() > kMaxPending) {
    report_warning(fmt::format(
        "monitor on chardev '{}': the client does not read its replies; disconnecting it",
        chardev_->name()));
    reset();
    dropped_ = true;
    return chardev_->disconnect();
  }
  if (sent_ > pending_.size() / 2) {
    pending_.erase(0, sent_);
    sent_ = 0;
  }
  pending_ += text;
}

void Output::flush() {
  if (pending() == 0) return;
  sent_ += chardev_->write(bytes_of(std::string_view(pending_).substr(sent_)));
  if (pending() == 0) reset();
}

void Output::flush_all() {
  chardev_->write_all(bytes_of(std::string_view(pending_).substr(sent_)));
  reset();
}

void Output::reset() {
  pending_ = {};
  sent_ = 0;
  dropped_ = false;
}

}  // namespace rhea::monitor
