// SPDX-License-Identifier: GPL-2.0-or-later
// The HTTP request that begins a WebSocket.
#include "chardev/websocket_handshake.h"

#include <fmt/core.h>
#include <glib.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

namespace rhea::chardev {
namespace {

constexpr std::size_t kKeyLength = 24;
constexpr std::size_t kMaxHeaders = 64;
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = g_ascii_tolower(c);
  return result;
}

// Whether `word` is one of a header's comma-separated words.
bool lists(std::string_view header, std::string_view word) {
  for (;;) {
    const auto comma = header.find(',');
    if (lower(trimmed(header.substr(0, comma))) == word) return true;
    if (comma == std::string_view::npos) return false;
    header.remove_prefix(comma + 1);
  }
}

using Headers = std::map<std::string, std::string>;

// False where a line is no header.
bool parse_headers(std::string_view text, Headers& headers) {
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    if (line.empty()) return true;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || headers.size() == kMaxHeaders)
      return false;
    auto& value = headers[lower(trimmed(line.substr(0, colon)))];
    if (!value.empty()) value += ",";
    value += trimmed(line.substr(colon + 1));
  }
  return true;
}

std::string accept_key(const std::string& key) {
  std::array<guint8, 20> digest{};
  gsize size = digest.size();
  const std::unique_ptr<GChecksum, decltype(&g_checksum_free)> sum(g_checksum_new(G_CHECKSUM_SHA1),
                                                                   &g_checksum_free);
  const std::string text = key + std::string(kGuid);
  g_checksum_update(sum.get(), reinterpret_cast<const guchar*>(text.data()),
                    static_cast<gssize>(text.size()));
  g_checksum_get_digest(sum.get(), digest.data(), &size);
  const std::unique_ptr<gchar, decltype(&g_free)> encoded(
      g_base64_encode(digest.data(), digest.size()), &g_free);
  return encoded.get();
}

HandshakeAnswer refused(std::string_view status, std::string_view more = {}) {
  return {.text = fmt::format("HTTP/1.1 {}\r\nServer: Rhea VMM\r\n{}Connection: close\r\n\r\n",
                              status, more),
          .accepted = false};
}

}  // namespace

HandshakeAnswer answer_handshake(std::string_view request) {
  const auto end = request.find("\r\n");
  const std::string_view line = request.substr(0, end);
  if (end == std::string_view::npos || !line.starts_with("GET /") || !line.ends_with(" HTTP/1.1"))
    return refused("400 Bad Request");
  Headers headers;
  if (!parse_headers(request.substr(end + 2), headers)) return refused("400 Bad Request");
  if (lower(headers["upgrade"]) != "websocket" || !lists(headers["connection"], "upgrade") ||
      headers["host"].empty() || headers["sec-websocket-key"].size() != kKeyLength)
    return refused("400 Bad Request");
  if (headers["sec-websocket-version"] != "13")
    return refused("426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n");
  const std::string& offered = headers["sec-websocket-protocol"];
  if (!offered.empty() && !lists(offered, "binary")) return refused("400 Bad Request");
  return {.text = fmt::format("HTTP/1.1 101 Switching Protocols\r\nServer: Rhea VMM\r\n"
                              "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: {}\r\n{}\r\n",
                              accept_key(headers["sec-websocket-key"]),
                              offered.empty() ? "" : "Sec-WebSocket-Protocol: binary\r\n"),
          .accepted = true};
}

}  // namespace rhea::chardev
