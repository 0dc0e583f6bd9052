// SPDX-License-Identifier: GPL-2.0-or-later
// Consoles, their clients, and pictures in files.
#include "rhea/ui/console.h"

#include "tests/display/vga_bench.h"

#include <gtest/gtest.h>
#include <png.h>

#include <filesystem>
#include <fstream>

namespace rhea::test {
namespace {

/// Draws nothing, counts how often it was asked.
class SourceProbe final : public DisplaySource {
 public:
  void refresh(bool full) override { ++(full ? full_refreshes : refreshes); }
  int refreshes{}, full_refreshes{};
};

class ConsoleTest : public testing::Test {
 public:
  Bench bench;
  SourceProbe source;
  Consoles& consoles{bench.machine().service<Consoles>()};
  Console& console{consoles.add(source)};
};

TEST_F(ConsoleTest, ConsoleIsInTheTree) {
  EXPECT_EQ(bench.machine().resolve("/backend/console[0]"), &console);
  EXPECT_EQ(consoles.all().size(), 1U);
}

TEST_F(ConsoleTest, RemovedConsoleTellsItsClients) {
  Console& second = consoles.add(source);
  ClientProbe client;
  second.add_client(client);
  consoles.remove(second);
  EXPECT_EQ(client.detachments, 1);
  EXPECT_EQ(consoles.all().size(), 1U);
  EXPECT_EQ(bench.machine().resolve("/backend/console[1]"), nullptr);
}

TEST_F(ConsoleTest, ClientLearnsOfTheSurfaceAndOfAnother) {
  ClientProbe client;
  console.add_client(client);
  EXPECT_EQ(client.resizes, 1);
  console.resize(100, 50);
  EXPECT_EQ(client.resizes, 2);
  EXPECT_EQ(console.width(), 100);
  console.remove_client(client);
  console.resize(10, 10);
  EXPECT_EQ(client.resizes, 2);
}

TEST_F(ConsoleTest, UpdatesAreClipped) {
  console.resize(100, 50);
  ClientProbe client;
  console.add_client(client);
  client.updates.clear();
  console.update({.x = -10, .y = 40, .width = 1 << 30, .height = 1 << 30});
  console.update({.x = 100, .y = 0, .width = 5, .height = 5});
  ASSERT_EQ(client.updates.size(), 1U);
  EXPECT_EQ(client.updates[0].x, 0);
  EXPECT_EQ(client.updates[0].width, 100);
  EXPECT_EQ(client.updates[0].height, 10);
  console.remove_client(client);
}

TEST_F(ConsoleTest, SizesAreBounded) {
  console.resize(1 << 20, 0);
  EXPECT_EQ(console.width(), 16384);
  EXPECT_EQ(console.height(), 1);
}

TEST_F(ConsoleTest, ClientWithAnIntervalMakesTheSourceDraw) {
  ClientProbe client;
  client.interval = 1;
  console.add_client(client);
  EXPECT_TRUE(bench.run_until([&] { return source.refreshes >= 3; }));
  console.remove_client(client);
}

struct Picture {
  unsigned width{}, height{};
  std::vector<u8> rgb;
};

Picture read_png(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, path.c_str()) == 0) return {};
  image.format = PNG_FORMAT_RGB;
  Picture picture{.width = image.width,
                  .height = image.height,
                  .rgb = std::vector<u8>(std::size_t{3} * image.width * image.height)};
  png_image_finish_read(&image, nullptr, picture.rgb.data(), 0, nullptr);
  return picture;
}

class Screenshot : public testing::Test {
 public:
  Screenshot() {
    vga.map_bars();
    vga.set_linear(16, 2, 32);
    vga->store(VgaBench::kFrameBuffer + 4, 0x00ff8040, 4);
  }
  ~Screenshot() override { std::filesystem::remove(path); }
  VgaBench vga;
  std::string path = (std::filesystem::path(testing::TempDir()) / "rhea-screenshot").string();
};

TEST_F(Screenshot, PngHasThePixels) {
  ASSERT_TRUE(save_picture(vga.picture(), path, ImageFormat::Png));
  const Picture picture = read_png(path);
  EXPECT_EQ(picture.width, 16U);
  ASSERT_EQ(picture.height, 2U);
  EXPECT_EQ(std::vector<u8>(picture.rgb.begin(), picture.rgb.begin() + 9),
            (std::vector<u8>{0, 0, 0, 0xff, 0x80, 0x40, 0, 0, 0}));
}

TEST_F(Screenshot, PpmHasHeaderAndPixels) {
  ASSERT_TRUE(save_picture(vga.picture(), path, ImageFormat::Ppm));
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::string header = "P6\n16 2\n255\n";
  ASSERT_EQ(bytes.size(), header.size() + 16UL * 2 * 3);
  EXPECT_EQ(bytes.substr(0, header.size()), header);
  EXPECT_EQ(bytes.substr(header.size() + 3, 3), "\xff\x80\x40");
}

TEST_F(Screenshot, FileThatCannotBeWrittenIsNamed) {
  const auto result = save_picture(vga.picture(), "/nonexistent/picture", ImageFormat::Png);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("/nonexistent/picture"), std::string::npos);
}

TEST_F(Screenshot, FullDiskIsAnError) {
  EXPECT_FALSE(save_picture(vga.picture(), "/dev/full", ImageFormat::Png));
  EXPECT_FALSE(save_picture(vga.picture(), "/dev/full", ImageFormat::Ppm));
}

}  // namespace
}  // namespace rhea::test
