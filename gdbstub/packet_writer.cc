// SPDX-License-Identifier: GPL-2.0-or-later
// Packets to the debugger.
#include "gdbstub/packet_writer.h"

#include <fmt/format.h>

namespace rhea::gdbstub {
namespace {

std::span<const u8> bytes_of(std::string_view text) {
  return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

}  // namespace

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '$' || c == '#' || c == '}' || c == '*') {
      escaped += '}';
      escaped += static_cast<char>(c ^ 0x20);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void PacketWriter::acknowledge(bool good) {
  if (acknowledging_) write(good ? "+" : "-");
}

void PacketWriter::send(std::string_view text) {
  const std::string escaped = escape(text);
  u8 sum = 0;
  for (const char c : escaped) sum = static_cast<u8>(sum + static_cast<u8>(c));
  last_ = fmt::format("${}#{:02x}", escaped, sum);
  write(last_);
}

void PacketWriter::repeat() {
  if (!waiting()) write(last_);
}

void PacketWriter::write(std::string_view bytes) {
  if (!waiting()) {
    pending_.clear();
    sent_ = 0;
    bytes.remove_prefix(chardev_->write(bytes_of(bytes)));
  }
  pending_ += bytes;
}

void PacketWriter::flush() {
  sent_ += chardev_->write(bytes_of(std::string_view(pending_).substr(sent_)));
  if (waiting()) return;
  pending_ = {};
  sent_ = 0;
}

void PacketWriter::flush_all() {
  chardev_->write_all(bytes_of(std::string_view(pending_).substr(sent_)));
  pending_ = {};
  sent_ = 0;
}

void PacketWriter::reset() {
  pending_ = {};
  sent_ = 0;
  last_ = {};
  acknowledging_ = true;
}

}  // namespace rhea::gdbstub
