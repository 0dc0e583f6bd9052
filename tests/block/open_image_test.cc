// SPDX-License-Identifier: GPL-2.0-or-later
// Opening images: what is refused and how, probing, locks, padding.
#include "rhea/block/block_backend.h"
#include "tests/block/temp_dir.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

namespace rhea::test {
namespace {

using testing::HasSubstr;

ImageOptions raw(const std::string& filename) { return {.filename = filename, .format = "raw"}; }

std::string error_of(const ImageOptions& options) {
  const auto result = open_image(options);
  return result ? "opened" : result.error().message();
}

std::vector<u8> read(BlockNode& node, u64 offset, std::size_t length) {
  std::vector<u8> data(length, 0xee);
  EXPECT_TRUE(node.read(offset, data));
  return data;
}

TEST(OpenImage, AMissingFileIsNamed) {
  const TempDir dir;
  EXPECT_EQ(error_of(raw(dir / "none.img")),
            "Could not open '" + (dir / "none.img") + "': No such file or directory");
}

TEST(OpenImage, AMissingFileIsNamedWhenProbing) {
  const TempDir dir;
  EXPECT_EQ(error_of({.filename = dir / "none.img", .format = {}}),
            "Could not open '" + (dir / "none.img") + "': No such file or directory");
}

TEST(OpenImage, ADirectoryIsRefusedForWriting) {
  const TempDir dir;
  EXPECT_EQ(error_of(raw(dir.path())),
            "Could not open '" + dir.path().string() + "': Is a directory");
}

TEST(OpenImage, ADirectoryIsRefusedForReading) {
  const TempDir dir;
  ImageOptions options = raw(dir.path());
  options.read_only = true;
  EXPECT_EQ(error_of(options), "Could not open '" + dir.path().string() + "': Is a directory");
}

TEST(OpenImage, AnEmptyFileIsRefused) {
  const TempDir dir;
  EXPECT_EQ(error_of(raw(dir.file("e.img", 0))),
            "Could not open '" + (dir / "e.img") + "': the image is empty");
}

TEST(OpenImage, AFifoIsRefusedWithoutWaitingForItsOtherEnd) {
  const TempDir dir;
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(error_of(raw(dir / "fifo")), HasSubstr("neither a regular file nor a block device"));
}

TEST(OpenImage, ANameIsNeeded) { EXPECT_EQ(error_of({}), "an image needs a file name"); }

TEST(OpenImage, AnUnknownFormatIsNamed) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 512));
  options.format = "zip";
  EXPECT_THAT(error_of(options), HasSubstr("Unknown driver 'zip'"));
}

TEST(OpenImage, AFormatThatIsToComeIsNamed) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 512));
  options.format = "qcow2";
  EXPECT_THAT(error_of(options), HasSubstr("format 'qcow2': QEMU has this; Rhea has not yet"));
}

TEST(OpenImage, AnUnknownProtocolIsNamed) {
  EXPECT_THAT(error_of(raw("nbd://localhost/x")),
              HasSubstr("protocol 'nbd': QEMU has this; Rhea has not yet"));
}

TEST(OpenImage, AnInventedProtocolIsNamed) {
  EXPECT_THAT(error_of(raw("zip:x")), HasSubstr("Unknown protocol 'zip'"));
}

TEST(OpenImage, AColonBehindASlashIsPartOfTheName) {
  const TempDir dir;
  EXPECT_EQ(error_of(raw(dir.file("a:b.img", 512))), "opened");
}

TEST(OpenImage, TheFileProtocolIsTheFile) {
  const TempDir dir;
  EXPECT_EQ(error_of(raw("file:" + dir.file("a.img", 512))), "opened");
}

struct Magic {
  const char* format;
  std::string head;
};
class Probe : public testing::TestWithParam<Magic> {};

TEST_P(Probe, AForeignImageIsRefusedByItsFormatsName) {
  const TempDir dir;
  std::string contents = GetParam().head;
  contents.resize(4096);
  EXPECT_THAT(error_of({.filename = dir.file_with("x.img", contents), .format = {}}),
              HasSubstr(std::string("format '") + GetParam().format + "': QEMU has this"));
}

INSTANTIATE_TEST_SUITE_P(Formats, Probe,
                         testing::Values(Magic{"qcow2", std::string("QFI\xfb\0\0\0\3", 8)},
                                         Magic{"qcow2", std::string("QFI\xfb\0\0\0\2", 8)},
                                         Magic{"qcow", std::string("QFI\xfb\0\0\0\1", 8)},
                                         Magic{"vmdk", "KDMV"},
                                         Magic{"vmdk", "# Disk DescriptorFile"},
                                         Magic{"vdi", std::string(0x40, ' ') + "\x7f\x10\xda\xbe"},
                                         Magic{"vhdx", "vhdxfile"}, Magic{"vpc", "conectix"},
                                         Magic{"qed", std::string("QED\0", 4)},
                                         Magic{"luks", "LUKS\xba\xbe"}));

TEST(OpenImage, AWritableGuessIsWarnedOf) {
  const TempDir dir;
  testing::internal::CaptureStderr();
  EXPECT_EQ(error_of({.filename = dir.file("a.img", 512), .format = {}}), "opened");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("Image format was not specified for"));
}

TEST(OpenImage, AReadOnlyGuessIsNot) {
  const TempDir dir;
  testing::internal::CaptureStderr();
  EXPECT_EQ(error_of({.filename = dir.file("a.img", 512), .format = {}, .read_only = true}),
            "opened");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(RawFile, AGuessedImageRefusesToBecomeAnotherFormat) {
  const TempDir dir;
  auto node = *open_image({.filename = dir.file("a.img", 1024), .format = {}});
  std::vector<u8> sector(512);
  const std::string magic("QFI\xfb\0\0\0\3", 8);
  std::copy(magic.begin(), magic.end(), sector.begin());
  EXPECT_FALSE(node->write(0, sector));
  EXPECT_TRUE(node->write(512, sector));
}

TEST(RawFile, ANamedRawImageTakesAnyFirstSector) {
  const TempDir dir;
  auto node = *open_image(raw(dir.file("a.img", 1024)));
  const std::string magic("QFI\xfb\0\0\0\3", 8);
  EXPECT_TRUE(node->write(0, std::vector<u8>(magic.begin(), magic.end())));
}

TEST(RawFile, APartialLastSectorIsPaddedWithZeroes) {
  const TempDir dir;
  auto node = *open_image(raw(dir.file("a.img", 700, 'x')));
  EXPECT_EQ(node->size(), 1024U);
  std::vector<u8> expected(512, 0);
  std::fill_n(expected.begin(), 188, u8{'x'});
  EXPECT_EQ(read(*node, 512, 512), expected);
}

TEST(RawFile, WritesReachTheFile) {
  const TempDir dir;
  const std::string name = dir.file("a.img", 1024);
  auto node = *open_image(raw(name));
  EXPECT_TRUE(node->write(510, std::vector<u8>(4, 'y')));
  EXPECT_TRUE(node->flush());
  EXPECT_EQ(TempDir::contents(name).substr(509, 6), std::string("\0yyyy\0", 6));
}

TEST(RawFile, AReadOnlyImageRefusesWrites) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 512));
  options.read_only = true;
  auto node = *open_image(options);
  EXPECT_TRUE(node->read_only());
  EXPECT_FALSE(node->write(0, std::vector<u8>(512)));
}

class Cache : public testing::TestWithParam<std::string_view> {};

TEST_P(Cache, UnalignedWritesAndReadsAgree) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 64 * 1024));
  options.cache = *parse_cache_mode(GetParam());
  auto node = *open_image(options);
  const std::vector<u8> data(5000, 0x5a);
  EXPECT_TRUE(node->write(4000, data));
  EXPECT_TRUE(node->flush());
  EXPECT_EQ(read(*node, 4000, 5000), data);
  EXPECT_EQ(read(*node, 3999, 1), std::vector<u8>{0});
  EXPECT_EQ(read(*node, 9000, 1), std::vector<u8>{0});
  EXPECT_EQ(std::filesystem::file_size(dir / "a.img"), 64U * 1024);
}

TEST_P(Cache, AlignedWritesAndReadsAgree) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 300 * 1024 + 700));
  options.cache = *parse_cache_mode(GetParam());
  auto node = *open_image(options);
  const std::vector<u8> data(200 * 1024, 0x5a);
  EXPECT_TRUE(node->write(8192, data));
  EXPECT_EQ(read(*node, 8192, data.size()), data);
  EXPECT_EQ(read(*node, 4096, 4096), std::vector<u8>(4096));
  EXPECT_EQ(read(*node, 300 * 1024, 4096), std::vector<u8>(4096));
}

INSTANTIATE_TEST_SUITE_P(Modes, Cache,
                         testing::Values("writeback", "writethrough", "none", "directsync",
                                         "unsafe"));

// ---- aio=

struct Engine {
  AioMode aio;
  bool direct;
};
class Aio : public testing::TestWithParam<Engine> {};

TEST_P(Aio, MovesWhatItIsAskedTo) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 300 * 1024 + 700));
  options.aio = GetParam().aio;
  options.cache.direct = GetParam().direct;
  auto node = open_image(options);
  ASSERT_TRUE(node) << node.error().message();
  const std::vector<u8> data(200 * 1024, 0x5a), odd(777, 0x42);
  EXPECT_TRUE((*node)->write(8192, data));
  EXPECT_TRUE((*node)->write(1001, odd));
  EXPECT_EQ(read(**node, 8192, data.size()), data);
  EXPECT_EQ(read(**node, 1001, odd.size()), odd);
  EXPECT_EQ(read(**node, 300 * 1024, 4096).size(), 4096U);
  EXPECT_EQ(TempDir::contents(dir / "a.img")[8192], 0x5a);
}

INSTANTIATE_TEST_SUITE_P(Engines, Aio,
                         testing::Values(Engine{AioMode::Threads, false},
                                         Engine{AioMode::Threads, true},
                                         Engine{AioMode::Native, true},
                                         Engine{AioMode::IoUring, false},
                                         Engine{AioMode::IoUring, true}));

TEST(Aio, NativeNeedsDirect) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 4096));
  options.aio = AioMode::Native;
  EXPECT_EQ(error_of(options),
            "aio=native was specified, but it requires cache.direct=on, which was not specified.");
}

// ---- Holes

// Bytes of the host's disk that the file takes.
u64 allocated(const std::string& name) {
  struct stat status{};
  EXPECT_EQ(::stat(name.c_str(), &status), 0);
  return static_cast<u64>(status.st_blocks) * 512;
}

TEST(Discard, FreesTheHostsDiskWhenItMay) {
  const TempDir dir;
  const std::string name = dir.file("a.img", 1 * MiB, 'x');
  ImageOptions options = raw(name);
  options.discard = true;
  auto node = *open_image(options);
  const u64 before = allocated(name);
  EXPECT_TRUE(node->discard(256 * KiB, 512 * KiB));
  EXPECT_LE(allocated(name) + 500 * KiB, before);
  EXPECT_EQ(read(*node, 256 * KiB, 512), std::vector<u8>(512));
  EXPECT_EQ(read(*node, 256 * KiB - 1, 1), std::vector<u8>{'x'});
  EXPECT_EQ(std::filesystem::file_size(name), 1 * MiB);
}

TEST(Discard, IsIgnoredOtherwise) {
  const TempDir dir;
  const std::string name = dir.file("a.img", 1 * MiB, 'x');
  auto node = *open_image(raw(name));
  EXPECT_TRUE(node->discard(0, 1 * MiB));
  EXPECT_EQ(read(*node, 4096, 1), std::vector<u8>{'x'});
}

TEST(DetectZeroes, ZeroesAreZeroesAfterwards) {
  const TempDir dir;
  const std::string name = dir.file("a.img", 1 * MiB, 'x');
  ImageOptions options = raw(name);
  options.detect_zeroes = DetectZeroes::On;
  auto node = *open_image(options);
  EXPECT_TRUE(node->write(1000, std::vector<u8>(300 * 1000)));
  EXPECT_EQ(read(*node, 1000, 300 * 1000), std::vector<u8>(300 * 1000));
  EXPECT_EQ(read(*node, 999, 1), std::vector<u8>{'x'});
  EXPECT_EQ(read(*node, 301000, 1), std::vector<u8>{'x'});
  EXPECT_GE(allocated(name), 1 * MiB);
}

TEST(DetectZeroes, UnmapMakesHoles) {
  const TempDir dir;
  const std::string name = dir.file("a.img", 1 * MiB, 'x');
  ImageOptions options = raw(name);
  options.detect_zeroes = DetectZeroes::Unmap;
  options.discard = true;
  auto node = *open_image(options);
  EXPECT_TRUE(node->write(0, std::vector<u8>(512 * KiB)));
  EXPECT_LE(allocated(name), 600 * KiB);
  EXPECT_EQ(read(*node, 0, 512 * KiB), std::vector<u8>(512 * KiB));
}

TEST(DetectZeroes, WithoutItZeroesAreWritten) {
  const TempDir dir;
  const std::string name = dir.file("a.img", 1 * MiB, 'x');
  auto node = *open_image(raw(name));
  EXPECT_TRUE(node->write(0, std::vector<u8>(512 * KiB)));
  EXPECT_GE(allocated(name), 1 * MiB);
}

// ---- A piece of a file

TEST(Piece, IsAllThatIsSeen) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 8192, 'x'));
  options.offset = 1024;
  options.size = 2048;
  auto node = *open_image(options);
  EXPECT_EQ(node->size(), 2048U);
  EXPECT_TRUE(node->write(0, std::vector<u8>(512, 'y')));
  EXPECT_EQ(TempDir::contents(dir / "a.img").substr(1023, 514), "x" + std::string(512, 'y') + "x");
}

TEST(Piece, MustBeWithinTheFile) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 8192));
  options.offset = 4096;
  options.size = 8192;
  EXPECT_THAT(error_of(options), HasSubstr("The sum of offset (4096) and size (8192)"));
  options.offset = 16384;
  EXPECT_THAT(error_of(options), HasSubstr("Offset (16384) cannot be greater"));
}

TEST(AutoReadOnly, IsForFilesThatCannotBeWritten) {
  const TempDir dir;
  ImageOptions options = raw("/proc/version");
  const std::string name = dir.file("a.img", 512);
  options.filename = name;
  options.auto_read_only = true;
  EXPECT_FALSE((*open_image(options))->read_only());
  // A program that runs may not be written by anybody, root included.
  options.filename = "/proc/self/exe";
  auto node = open_image(options);
  ASSERT_TRUE(node) << node.error().message();
  EXPECT_TRUE((*node)->read_only());
  EXPECT_TRUE((*node)->details().fell_back);
  options.auto_read_only = false;
  EXPECT_THAT(error_of(options), HasSubstr("Could not open '/proc/self/exe'"));
}

TEST(Lock, TwoWritersAreRefused) {
  const TempDir dir;
  const std::string name = dir.file("a.img", 512);
  const auto first = open_image(raw(name));
  ASSERT_TRUE(first);
  EXPECT_THAT(error_of(raw(name)), HasSubstr("Failed to get \"write\" lock"));
}

TEST(Lock, AReaderBesideAWriterIsRefused) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 512));
  const auto first = open_image(options);
  options.read_only = true;
  EXPECT_THAT(error_of(options), HasSubstr("Failed to get shared \"write\" lock"));
}

TEST(Lock, TwoReadersShare) {
  const TempDir dir;
  ImageOptions options = raw(dir.file("a.img", 512));
  options.read_only = true;
  const auto first = open_image(options);
  EXPECT_EQ(error_of(options), "opened");
}

TEST(Lock, ClosingFrees) {
  const TempDir dir;
  const std::string name = dir.file("a.img", 512);
  EXPECT_EQ(error_of(raw(name)), "opened");
  EXPECT_EQ(error_of(raw(name)), "opened");
}

}  // namespace
}  // namespace rhea::test
