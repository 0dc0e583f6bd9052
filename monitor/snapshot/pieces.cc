// SPDX-License-Identifier: GPL-2.0-or-later
// Pieces of a snapshot's file.
#include "monitor/snapshot/pieces.h"

#include "rhea/qom/state.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>

namespace rhea::snapshot {
namespace {

constexpr u64 kHeader = 12, kChecksum = 4;

u64 most_bytes(PieceKind kind) {
  constexpr u64 kSmall = 64 * KiB;
  switch (kind) {
    case PieceKind::Devices: return kMostDevices;
    case PieceKind::Pages:
    case PieceKind::Clusters: return kChunk + 8;
    default: return kSmall;
  }
}

u32 checksum(std::span<const u8> data) {
  return static_cast<u32>(crc32_z(0, data.data(), data.size()));
}

}  // namespace

Result<> Control::step(u64 bytes) const {
  // First: the program's end does not wait for a disk that keeps this thread.
  if (stop.stop_requested()) return fail("the program ends");
  if (progress == nullptr) return {};
  progress->completed.fetch_add(bytes, std::memory_order_relaxed);
  if (progress->cancelled) return fail("cancelled");
  return {};
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<u8>(c) < ' ' || static_cast<u8>(c) >= 0x7f) c = '?';
  return text;
}

Result<> PieceWriter::write(PieceKind kind, std::span<const u8> head, std::span<const u8> body) {
  const u64 length = head.size() + body.size();
  if (length > most_bytes(kind)) return fail("the devices have {} bytes of state", length);
  StateWriter out;
  out.number(static_cast<u32>(kind), 4);
  out.number(number_++, 4);
  out.number(length, 4);
  buffer_ = out.take();
  buffer_.insert(buffer_.end(), head.begin(), head.end());
  buffer_.insert(buffer_.end(), body.begin(), body.end());
  const u32 sum = checksum(buffer_);
  for (unsigned byte = 0; byte < kChecksum; ++byte)
    buffer_.push_back(static_cast<u8>(sum >> (8 * byte)));
  TRY(file_->write(buffer_));
  return control_->step(body.size());
}

PieceReader::PieceReader(int fd, const Control& control) : fd_(fd), control_(&control) {
  struct stat info{};
  if (::fstat(fd, &info) == 0) size_ = static_cast<u64>(info.st_size);
}

Result<> PieceReader::read(std::span<u8> data) {
  if (data.size() > size_ - position_) return fail("the file is cut off");
  while (!data.empty()) {
    const ssize_t count = ::pread(fd_, data.data(), data.size(), static_cast<off_t>(position_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("{}", errno_text(errno));
    if (count == 0) return fail("the file became shorter");
    data = data.subspan(static_cast<u64>(count));
    position_ += static_cast<u64>(count);
  }
  return {};
}

Result<Piece> PieceReader::next() {
  buffer_.resize(kHeader);
  TRY(read(buffer_));
  StateReader header(buffer_);
  const auto kind = static_cast<PieceKind>(TRY(header.number(4)));
  const u64 number = TRY(header.number(4));
  const u64 length = TRY(header.number(4));
  if (number_ == 0 && kind != PieceKind::Start) return fail("this is no snapshot");
  if (kind != PieceKind::Start && (kind < PieceKind::Devices || kind > PieceKind::End))
    return fail("the file is damaged (a piece of unknown kind)");
  if (number != number_) return fail("the file is damaged (a piece is missing)");
  if (length > most_bytes(kind)) return fail("the file is damaged (a piece is too long)");
  if (length + kChecksum > size_ - position_) return fail("the file is cut off");
  ++number_;
  buffer_.resize(kHeader + length + kChecksum);
  TRY(read(std::span(buffer_).subspan(kHeader)));
  const std::span<const u8> whole(buffer_);
  StateReader sum(whole.last(kChecksum));
  if (TRY(sum.number(kChecksum)) != checksum(whole.first(kHeader + length)))
    return fail("the file is damaged (checksum)");
  TRY(control_->step(buffer_.size()));
  return Piece{.kind = kind, .payload = whole.subspan(kHeader, length)};
}

}  // namespace rhea::snapshot
