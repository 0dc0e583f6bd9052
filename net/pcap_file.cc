// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/pcap_file.h"

#include "rhea/util/host_file.h"
#include "rhea/util/log.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>

namespace rhea::net {
namespace {

constexpr std::size_t kMostWaiting = 8 * MiB;

struct FileHeader {
  u32 magic{0xa1b2c3d4};  // in the host's order: times in microseconds
  u16 major{2}, minor{4};
  u32 zone{0}, accuracy{0};
  u32 longest;
  u32 link{1};  // Ethernet
};

struct RecordHeader {
  u32 seconds, microseconds;
  u32 kept, length;
};

template <class T>
std::span<const u8> bytes_of(const T& value) {
  return {reinterpret_cast<const u8*>(&value), sizeof value};
}

}  // namespace

Result<std::unique_ptr<PcapFile>> PcapFile::create(const std::string& path, u32 longest,
                                                   const Ending& ending) {
  FileDescriptor file = TRY(open_host_file(path, {.flags = O_WRONLY | O_CREAT | O_TRUNC}));
  std::unique_ptr<PcapFile> made(new PcapFile(std::move(file), path, longest, ending));
  const FileHeader header{.longest = longest};
  made->writer_.write(bytes_of(header));
  return made;
}

PcapFile::PcapFile(FileDescriptor file, std::string path, u32 longest, const Ending& ending)
    : ending_(&ending),
      longest_(longest),
      writer_(FileWriter::to_file(std::move(file)), kMostWaiting,
              {.failed =
                   [path](const Error& why) {
                     report_warning(fmt::format("filter-dump: {}: {}", path, why.message()));
                   }}),
      path_(std::move(path)) {}

PcapFile::~PcapFile() {
  put_rest();
  if (!writer_.flush(ending_->patience()))
    report_warning(fmt::format("filter-dump: {}: its disk does not answer", path_));
  if (lost_ != 0)
    report_warning(
        fmt::format("filter-dump: {} did not keep up: {} frames are not in it", path_, lost_));
}

bool PcapFile::put_rest() {
  rest_put_ += writer_.write(std::span(rest_).subspan(rest_put_));
  if (rest_put_ < rest_.size()) return false;
  rest_.clear();
  rest_put_ = 0;
  return true;
}

void PcapFile::write(Frame frame) {
  if (!put_rest()) {
    ++lost_;
    return;
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const auto kept = static_cast<u32>(std::min<std::size_t>(frame.size(), longest_));
  const RecordHeader header{.seconds = static_cast<u32>(us / 1'000'000),
                            .microseconds = static_cast<u32>(us % 1'000'000),
                            .kept = kept,
                            .length = static_cast<u32>(frame.size())};
  const auto head = bytes_of(header);
  rest_.assign(head.begin(), head.end());
  rest_.insert(rest_.end(), frame.begin(), frame.begin() + kept);
  put_rest();
}

}  // namespace rhea::net
