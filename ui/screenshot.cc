// SPDX-License-Identifier: GPL-2.0-or-later
// Pictures of a console's screen in files.
#include "rhea/ui/console.h"
#include "rhea/util/host_file.h"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <string>

namespace rhea {
namespace {

// What is copied between two looks at who waits for the lock.
constexpr std::size_t kSlice = 4 * MiB / sizeof(u32);

/// What libpng's callbacks see; the first error stays.
struct PngFile {
  OutputFile* file;
  Result<> outcome{};
};

void png_failed(png_structp png, png_const_charp message) {
  auto* state = static_cast<PngFile*>(png_get_error_ptr(png));
  if (state->outcome) state->outcome = fail("{}", message);
  png_longjmp(png, 1);
}
void png_warned(png_structp, png_const_charp) {}

void png_write(png_structp png, png_bytep data, png_size_t size) {
  auto* state = static_cast<PngFile*>(png_get_io_ptr(png));
  state->outcome = state->file->write({data, size});
  if (!state->outcome) png_longjmp(png, 1);
}
void png_flush(png_structp) {}

// Nothing with a destructor may live here: libpng leaves by longjmp.
void write_png_rows(png_structp png, png_infop info, const ScreenPicture& picture) {
  if (setjmp(png_jmpbuf(png)) != 0) return;
  png_set_IHDR(png, info, static_cast<png_uint_32>(picture.width),
               static_cast<png_uint_32>(picture.height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  // A pixel is blue, green, red and nothing in memory.
  png_set_bgr(png);
  png_set_filler(png, 0, PNG_FILLER_AFTER);
  for (int y = 0; y < picture.height; ++y)
    png_write_row(png, reinterpret_cast<png_const_bytep>(picture.row(y)));
  png_write_end(png, info);
}

Result<> write_png(OutputFile& file, const ScreenPicture& picture) {
  PngFile state{.file = &file};
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, &png_failed, &png_warned);
  if (png == nullptr) return fail("libpng does not start");
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &state, &png_write, &png_flush);
  if (info != nullptr)
    write_png_rows(png, info, picture);
  else
    state.outcome = fail("no memory");
  png_destroy_write_struct(&png, &info);
  return state.outcome;
}

Result<> write_ppm(OutputFile& file, const ScreenPicture& picture) {
  const std::string header = fmt::format("P6\n{} {}\n255\n", picture.width, picture.height);
  TRY(file.write({reinterpret_cast<const u8*>(header.data()), header.size()}));
  std::vector<u8> row;
  row.reserve(static_cast<std::size_t>(picture.width) * 3);
  for (int y = 0; y < picture.height; ++y) {
    row.clear();
    for (const u32 pixel : std::span(picture.row(y), static_cast<std::size_t>(picture.width)))
      for (const int shift : {16, 8, 0}) row.push_back(static_cast<u8>(pixel >> shift));
    TRY(file.write(row));
  }
  return {};
}

}  // namespace

ScreenPicture take_picture(Console& console, LockDomain& lock) {
  console.refresh_now(false);
  // The console may take another surface while others have the lock; this one stays as it is.
  const std::unique_ptr<pixman_image_t, decltype(&pixman_image_unref)> surface(
      pixman_image_ref(console.surface()), &pixman_image_unref);
  ScreenPicture picture{.width = pixman_image_get_width(surface.get()),
                        .height = pixman_image_get_height(surface.get()),
                        .pixels = {}};
  const auto width = static_cast<std::size_t>(picture.width);
  const auto stride =
      static_cast<std::size_t>(pixman_image_get_stride(surface.get())) / sizeof(u32);
  const u32* pixels = pixman_image_get_data(surface.get());
  picture.pixels.reserve(width * static_cast<std::size_t>(picture.height));
  std::size_t since = 0;
  for (int y = 0; y < picture.height; ++y, pixels += stride) {
    picture.pixels.insert(picture.pixels.end(), pixels, pixels + width);
    since += width;
    if (since < kSlice) continue;
    since = 0;
    lock.let_others();
  }
  return picture;
}

Result<> save_picture(const ScreenPicture& picture, const std::string& path, ImageFormat format) {
  OutputFile file = TRY(OutputFile::create(path));
  Result<> written =
      format == ImageFormat::Png ? write_png(file, picture) : write_ppm(file, picture);
  TRY(written);
  return file.finish();
}

}  // namespace rhea
