// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's screen: a Pixman surface that a display device draws into and display clients show.
#pragma once

#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"

#include <pixman.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rhea {

struct Rect {
  int x{}, y{}, width{}, height{};
};

/// What is on the screen as text cells, when the device shows text (for text displays and tests).
struct TextCell {
  u8 character{};  ///< code page 437
  u8 attribute{};  ///< VGA attribute byte
};
struct TextScreen {
  int columns{}, rows{};
  std::vector<TextCell> cells;     ///< row by row; empty in graphics modes
  int cursor_x{-1}, cursor_y{-1};  ///< -1: hidden
  bool blink{};                    ///< attribute bit 7 blinks, else it brightens the background
};

/// What a display device offers. Called on the main loop under the machine's lock.
class DisplaySource {
 public:
  virtual ~DisplaySource() = default;
  /// Redraws what changed into the console's surface and reports it with Console::update. `full`:
  /// everything.
  virtual void refresh(bool full) = 0;
  virtual TextScreen text() { return {}; }
};

/// What shows it.
class DisplayClient {
 public:
  virtual ~DisplayClient() = default;
  virtual void resized(pixman_image_t* surface) = 0;
  virtual void updated(const Rect& rect) = 0;
  /// The console goes away and has forgotten its clients.
  virtual void detached() {}
  /// Milliseconds between refreshes that this client wants; 0 for none of its own.
  virtual int refresh_interval_ms() const { return 30; }
};

/// Main loop, under the machine's lock.
class Console final : public Object {
 public:
  static constexpr std::string_view kName = "console";
  Console();
  ~Console() override;

  void set_source(DisplaySource* source) { source_ = source; }
  DisplaySource* source() const { return source_; }
  /// A new surface of this size, x8r8g8b8, black. Bounded: at most 16384 by 16384.
  void resize(int width, int height);
  pixman_image_t* surface() const { return surface_; }
  int width() const;
  int height() const;
  void update(const Rect& rect);
  /// Brings the surface up to date now (screendump without clients).
  void refresh_now(bool full);
  void add_client(DisplayClient& client);
  void remove_client(DisplayClient& client);

 private:
  void schedule();
  DisplaySource* source_{};
  pixman_image_t* surface_{};
  std::vector<DisplayClient*> clients_;
  Timer timer_;
};

/// The machine's consoles, in order of creation; devices make them with add_console.
class Consoles final : public MachineService {
 public:
  explicit Consoles(Machine& machine) : machine_(&machine) {}
  Console& add(DisplaySource& source);
  void remove(Console& console);
  const std::vector<Console*>& all() const { return all_; }

 private:
  Machine* machine_;
  std::vector<Console*> all_;
  unsigned made_{0};
};

/// A copy of what a screen shows.
struct ScreenPicture {
  int width{}, height{};
  std::vector<u32> pixels;  ///< x8r8g8b8, row by row
  const u32* row(int y) const {
    return pixels.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
  }
};
/// Brings the screen up to date and copies it; under `lock`, the machine's, in slices between which
/// others may have it.
ScreenPicture take_picture(Console& console, LockDomain& lock);
/// Writes it to a file, as P6 ("ppm") or PNG. Takes long, so under no lock: from any thread.
enum class ImageFormat : u8 { Ppm, Png };
Result<> save_picture(const ScreenPicture& picture, const std::string& path, ImageFormat format);

}  // namespace rhea
