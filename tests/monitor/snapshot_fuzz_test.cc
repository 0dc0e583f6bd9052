// SPDX-License-Identifier: GPL-2.0-or-later
// Files whose checksums are right and whose contents are not: a whole pc takes them or refuses
// them, and stays the machine that it was when it refuses.
#include "monitor/snapshot/pieces.h"
#include "monitor/snapshot/snapshot_job.h"
#include "rhea/softmmu/snapshot.h"
#include "tests/chardev/client.h"
#include "tests/support/pc.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

namespace rhea::test {
namespace {

using snapshot::PieceKind;
using snapshot::SnapshotJob;

constexpr std::size_t kPieceHeader = 12, kSum = 4;
constexpr i64 kLongestTime = i64{1} << 60;

template <class T>
T number_at(std::span<const u8> bytes, std::size_t place) {
  T value{};
  std::memcpy(&value, bytes.data() + place, sizeof value);
  return value;
}

/// Puts the checksum of the bytes from `start` behind them, at `end`.
void seal(std::vector<u8>& bytes, std::size_t start, std::size_t end) {
  const auto sum = static_cast<u32>(crc32_z(0, bytes.data() + start, end - start));
  std::memcpy(bytes.data() + end, &sum, sizeof sum);
}

struct Span {
  std::size_t start{}, end{};
};

/// Where the pieces of one kind are in a file, their headers included and their checksums not.
std::vector<Span> pieces_of(std::span<const u8> file, PieceKind kind) {
  std::vector<Span> found;
  for (std::size_t at = 0; at < file.size();) {
    const std::size_t end = at + kPieceHeader + number_at<u32>(file, at + 8);
    if (number_at<u32>(file, at) == static_cast<u32>(kind)) found.push_back({at, end});
    at = end + kSum;
  }
  return found;
}

/// Where the objects' sections are in what the devices saved.
std::vector<Span> sections_of(std::span<const u8> file, Span devices) {
  std::vector<Span> found;
  std::size_t at = devices.start + kPieceHeader + 8;
  const auto count = number_at<u32>(file, at);
  at += 4;
  for (u32 i = 0; i < count; ++i) {
    std::size_t end = at;
    for (int text = 0; text < 2; ++text) end += 2 + number_at<u16>(file, end);
    end += 4 + number_at<u32>(file, end);
    found.push_back({at, end});
    at = end + kSum;
  }
  return found;
}

class SnapshotFuzzTest : public testing::Test {
 protected:
  SnapshotFuzzTest() {
    EXPECT_TRUE(run(&SnapshotJob::save));
    std::ifstream file(path_, std::ios::binary);
    whole_.assign(std::istreambuf_iterator<char>(file), {});
    before_ = save_machine(machine());
  }
  Machine& machine() { return pc_.machine(); }
  Result<> run(Result<> (SnapshotJob::*how)(const std::string&, SnapshotJob::Done)) {
    Result<> end;
    auto& job = machine().service<SnapshotJob>();
    TRY((job.*how)(path_, [&end](const Result<>& result) { end = result; }));
    EXPECT_TRUE(turn_until(machine(), [&job] { return !job.active(); }));
    return end;
  }
  /// Loads it; what is refused must have changed nothing.
  void load(const std::vector<u8>& bytes, unsigned round) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    const Result<> loaded = run(&SnapshotJob::load);
    if (!loaded) {
      EXPECT_EQ(loaded.error().message().find('\n'), std::string::npos);
      EXPECT_TRUE(save_machine(machine()) == before_) << round << ": " << loaded.error().message();
      return;
    }
    for (int i = 0; i < 20; ++i) {
      std::array<u8, 4> bytes_read{};
      const unsigned size = 1U << random_() % 3;
      static_cast<void>(machine().io().read(random_() % 0x1000, std::span(bytes_read).first(size)));
    }
    const i64 now = machine().virtual_clock().now_ns();
    machine().virtual_clock().advance_to(std::clamp<i64>(now, 0, kLongestTime) + 1'000'000);
    restore();
  }
  void restore() {
    const auto back = load_machine(machine(), before_);
    ASSERT_TRUE(back) << back.error().message();
  }
  static unsigned rounds() {
    const char* given = std::getenv("RHEA_SNAPSHOT_ROUNDS");  // NOLINT(concurrency-mt-unsafe)
    return given != nullptr ? static_cast<unsigned>(std::atoi(given)) : 60;
  }

  ScratchFolder scratch_;
  std::string path_ = scratch_.file("snapshot");
  Pc pc_{[] {
    MachineConfig config;
    config.ram_size = 2 * MiB;
    return config;
  }()};
  std::vector<u8> whole_, before_;
  std::mt19937 random_{7};
};

TEST_F(SnapshotFuzzTest, DevicesWithOtherStateTakeItOrStayAsTheyWere) {
  const Span devices = pieces_of(whole_, PieceKind::Devices).at(0);
  const auto sections = sections_of(whole_, devices);
  for (unsigned round = 0; round < rounds(); ++round) {
    std::vector<u8> bytes = whole_;
    const Span section = sections[random_() % sections.size()];
    for (unsigned change = 1 + random_() % 3; change > 0; --change)
      bytes[section.start + random_() % (section.end - section.start)] =
          static_cast<u8>(random_() % 3 == 0 ? 0xff : random_());
    seal(bytes, section.start, section.end);
    seal(bytes, devices.start, devices.end);
    load(bytes, round);
  }
}

TEST_F(SnapshotFuzzTest, AnythingElseInAFileIsTakenOrRefused) {
  const PieceKind kinds[] = {PieceKind::Start, PieceKind::Devices, PieceKind::Memory,
                             PieceKind::Pages};
  for (unsigned round = 0; round < rounds(); ++round) {
    std::vector<u8> bytes = whole_;
    const auto pieces = pieces_of(whole_, kinds[random_() % std::size(kinds)]);
    const Span piece = pieces[random_() % pieces.size()];
    const std::size_t near_start = std::min<std::size_t>(piece.end - piece.start, 200);
    bytes[piece.start + random_() % near_start] = static_cast<u8>(random_());
    seal(bytes, piece.start, piece.end);
    load(bytes, round);
  }
}

}  // namespace
}  // namespace rhea::test
