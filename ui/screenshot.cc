// SPDX-License-Identifier: GPL-2.0-or-later
// Pictures of a console's screen in files.
#include "rhea/ui/console.h"

#include <png.h>

#include <cerrno>
#include <cstdio>
#include <memory>

namespace rhea {
namespace {

/// The surface as rows of red, green, blue bytes.
std::vector<u8> rgb_bytes(pixman_image_t* surface) {
  const auto width = static_cast<std::size_t>(pixman_image_get_width(surface));
  const auto height = static_cast<std::size_t>(pixman_image_get_height(surface));
  const auto stride = static_cast<std::size_t>(pixman_image_get_stride(surface)) / sizeof(u32);
  const u32* pixels = pixman_image_get_data(surface);
  std::vector<u8> bytes;
  bytes.reserve(width * height * 3);
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      const u32 pixel = pixels[y * stride + x];
      bytes.push_back(static_cast<u8>(pixel >> 16));
      bytes.push_back(static_cast<u8>(pixel >> 8));
      bytes.push_back(static_cast<u8>(pixel));
    }
  return bytes;
}

Result<> write_png(std::FILE* file, pixman_image_t* surface) {
  const std::vector<u8> bytes = rgb_bytes(surface);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixman_image_get_width(surface));
  image.height = static_cast<png_uint_32>(pixman_image_get_height(surface));
  image.format = PNG_FORMAT_RGB;
  if (png_image_write_to_stdio(&image, file, 0, bytes.data(), 0, nullptr) == 0)
    return fail("{}", image.message);
  return {};
}

Result<> write_ppm(std::FILE* file, pixman_image_t* surface) {
  const std::vector<u8> bytes = rgb_bytes(surface);
  const std::string header = fmt::format("P6\n{} {}\n255\n", pixman_image_get_width(surface),
                                         pixman_image_get_height(surface));
  if (std::fwrite(header.data(), 1, header.size(), file) != header.size() ||
      std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size())
    return fail("{}", errno_text(errno));
  return {};
}

}  // namespace

Result<> save_screen(Console& console, const std::string& path, ImageFormat format) {
  console.refresh_now(false);
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return fail("failed to open file '{}': {}", path, errno_text(errno));
  Result<> written = format == ImageFormat::Png ? write_png(file, console.surface())
                                                : write_ppm(file, console.surface());
  if (std::fclose(file) != 0 && written) written = fail("{}", errno_text(errno));
  if (!written)
    return std::unexpected(
        std::move(written).error().within(fmt::format("cannot write '{}'", path)));
  return {};
}

}  // namespace rhea
