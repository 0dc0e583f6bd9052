// SPDX-License-Identifier: GPL-2.0-or-later
// What Intel's gigabit cards do to a frame before they send it: segments, checksums, tags
// (chapters 3.4.5 to 3.6 of the 8254x manual).
#include "hw/net/e1000.h"
#include "hw/net/frame_sums.h"
#include "hw/net/segments.h"
#include "hw/net/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {

using namespace e1000;

namespace {

// Offsets are the guest's.
void insert_guests_sum(std::span<u8> frame, std::size_t start, std::size_t at, std::size_t end,
                       bool never_zero) {
  if (!insert_sum(frame, start, at, end, never_zero))
    log_guest("e1000", "checksum from {} to {} at {} of a frame of {} bytes", start, end, at,
              frame.size());
}

// What differs from the header that all segments share.
void adapt_header(std::span<u8> frame, const E1000Context& context, const E1000Making& making,
                  bool last) {
  adapt_headers(
      frame,
      {.ip = context.ip_start, .l4 = context.start, .ipv4 = context.ipv4, .tcp = context.tcp},
      {.payload = making.payload, .number = making.made, .last = last});
  const std::size_t length = frame.size() - std::min<std::size_t>(context.start, frame.size());
  // The sum of the pseudo header comes without the length.
  if ((making.options & kOptionTcpUdp) != 0 && context.at + 2U <= frame.size())
    put_be16(frame, context.at, folded(u64{be16(frame, context.at)} + length));
}

}  // namespace

void E1000::finish_segment(bool last) {
  const std::span<u8> frame = batch_.making();
  adapt_header(frame, segment_context_, making_, last);
  making_.payload +=
      static_cast<u32>(frame.size() - std::min<std::size_t>(frame.size(), making_.header_bytes));
  ++making_.made;
  add_frame();
}

// The end of what the guest wants sent.
void E1000::finish_frame() {
  const bool something = !batch_.making().empty();
  if (making_.too_long) {
    log_guest("e1000", "a frame of more than {} bytes is not sent", FrameBatch::kLongest);
    batch_.abandon();
  } else if (making_.segments) {
    // Of a header alone one frame is made.
    if (!something && making_.made == 0 && making_.header_bytes != 0)
      std::ranges::copy(std::span(making_.header).first(making_.header_bytes),
                        batch_.extend(making_.header_bytes).begin());
    if (!batch_.making().empty()) finish_segment(true);
  } else if (something) {
    add_frame();
  }
  const E1000Making done = making_;
  making_ = {};
  // The descriptor has yet to be given back.
  making_.reading = done.reading;
  making_.lower = done.lower;
  making_.upper = done.upper;
}

// Checksums, padding and tag: the frame is complete.
void E1000::add_frame() {
  const std::span<u8> frame = batch_.making();
  const E1000Context& context = making_.segments ? segment_context_ : plain_context_;
  if ((making_.options & kOptionTcpUdp) != 0)
    insert_guests_sum(frame, context.start, context.at, context.end, !context.tcp);
  if ((making_.options & kOptionIp) != 0)
    insert_guests_sum(frame, context.ip_start, context.ip_at, context.ip_end, false);
  const bool legacy = (making_.lower & kSendExtended) == 0;
  if (legacy && (making_.lower & kSendChecksum) != 0)
    insert_guests_sum(frame, making_.upper >> 8 & 0xff, making_.lower >> 16 & 0xff, 0, false);
  // Where the card adds no check sequence, the guest's own is the frame's end.
  if ((making_.lower & kSendCheckInserted) == 0 && frame.size() > kShortest) {
    const Frame rest = frame.first(frame.size() - kCheckBytes);
    u32 own = 0;
    std::memcpy(&own, frame.data() + rest.size(), kCheckBytes);
    if (own == frame_check(rest)) batch_.shorten(rest.size());
  }
  const std::size_t length = batch_.making().size();
  if ((tctl_ & kPadShort) != 0 && length < kShortest)
    std::ranges::fill(batch_.extend(kShortest - length), u8{0});
  std::optional<u32> tag;
  if (making_.tagged) tag = (vet_ & 0xffff) << 16 | making_.tag;
  const Frame sent = batch_.finish(tag);
  e1000_sent(*this, sent.size());
  if (sent.size() >= 6) count_frame(kSentFrames, sent, sent.size() + kCheckBytes);
}

}  // namespace rhea::hw
