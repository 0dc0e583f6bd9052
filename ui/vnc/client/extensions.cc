// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU's extensions, by libvncserver's interface for such (the RFB protocol's community version,
// 7.4.4 "QEMU Extended Key Event Message", 7.7.9 and 7.7.12).
#include "ui/vnc/client/session.h"

#include <array>
#include <span>

namespace rhea::ui::vnc {
namespace {

constexpr int kPointerKind = -257, kScanCodes = -258;
constexpr u8 kQemuMessage = 255, kExtendedKey = 0;

rfbBool enable(rfbClientPtr client, void**, int encoding) {
  if (encoding == kScanCodes) session_of(client).wants_scan_codes();
  if (encoding == kPointerKind) session_of(client).wants_pointer_kind();
  return TRUE;
}

u32 big_endian(std::span<const u8> bytes) {
  u32 number = 0;
  for (const u8 byte : bytes) number = number << 8 | byte;
  return number;
}

rfbBool handle(rfbClientPtr client, void*, const rfbClientToServerMsg* message) {
  if (message->type != kQemuMessage) return FALSE;
  // Kind, down, keysym, number.
  std::array<u8, 11> rest{};
  if (rfbReadExact(client, reinterpret_cast<char*>(rest.data()), rest.size()) <= 0) {
    rfbCloseClient(client);
    return TRUE;
  }
  if (rest[0] != kExtendedKey) {
    rfbCloseClient(client);
    return TRUE;
  }
  const std::span<const u8> fields(rest);
  session_of(client).tell(
      {{"scan", {big_endian(fields.subspan(7, 4)), big_endian(fields.subspan(1, 2)) != 0}}});
  return TRUE;
}

std::array<int, 3> encodings{kPointerKind, kScanCodes, 0};
rfbProtocolExtension extension{.newClient = [](rfbClientPtr, void**) -> rfbBool { return TRUE; },
                               .init = nullptr,
                               .pseudoEncodings = encodings.data(),
                               .enablePseudoEncoding = &enable,
                               .handleMessage = &handle,
                               .close = nullptr,
                               .usage = nullptr,
                               .processArgument = nullptr,
                               .next = nullptr};

}  // namespace

void register_extensions() { rfbRegisterProtocolExtension(&extension); }

}  // namespace rhea::ui::vnc
