// SPDX-License-Identifier: GPL-2.0-or-later
// Pictures of a console's screen in files.
#include "rhea/ui/console.h"
#include "rhea/util/host_file.h"

#include <png.h>

#include <string>
#include <vector>

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

Result<std::vector<u8>> as_png(pixman_image_t* surface) {
  const std::vector<u8> bytes = rgb_bytes(surface);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixman_image_get_width(surface));
  image.height = static_cast<png_uint_32>(pixman_image_get_height(surface));
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<u8> coded(size);
  if (png_image_write_to_memory(&image, coded.data(), &size, 0, bytes.data(), 0, nullptr) == 0)
    return fail("{}", image.message);
  coded.resize(size);
  return coded;
}

std::vector<u8> as_ppm(pixman_image_t* surface) {
  const std::string header = fmt::format("P6\n{} {}\n255\n", pixman_image_get_width(surface),
                                         pixman_image_get_height(surface));
  std::vector<u8> coded(header.begin(), header.end());
  const std::vector<u8> bytes = rgb_bytes(surface);
  coded.insert(coded.end(), bytes.begin(), bytes.end());
  return coded;
}

}  // namespace

Result<> save_screen(Console& console, const std::string& path, ImageFormat format) {
  console.refresh_now(false);
  OutputFile file = TRY(OutputFile::create(path));
  TRY(file.write(format == ImageFormat::Png ? TRY(as_png(console.surface()))
                                            : as_ppm(console.surface())));
  return file.finish();
}

}  // namespace rhea
