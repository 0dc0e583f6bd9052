// SPDX-License-Identifier: GPL-2.0-or-later
// "-display curses": the guest's screen live in the terminal, and the terminal's keys for the
// guest.
#include "rhea/ui/console.h"
#include "rhea/ui/display.h"
#include "rhea/ui/input.h"
#include "ui/terminal.h"
#include "ui/terminal_keys.h"
#include "ui/terminal_picture.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace rhea::ui {
namespace {

constexpr i64 kFrameNs = 33'000'000;
constexpr i64 kEscapeNs = 50'000'000;  // how long an escape waits for more to come
constexpr int kHoldMs = 10;
constexpr KeyNumber kControl = 0x1d, kAlt = 0x38, kDelete = 0xd3;
constexpr std::string_view kHelp =
    " Ctrl-] then: x quit, r reset, d Ctrl-Alt-Del, p power button, s stop/go, l redraw ";

class TextDisplay final : public DisplayBackend, private DisplayClient {
 public:
  explicit TextDisplay(Machine& machine) : machine_(&machine) {
    frame_timer_.init(machine.realtime_clock(), [this] { frame(); });
    escape_timer_.init(machine.realtime_clock(),
                       [this] { keys_.flush([this](const Typed& t) { typed(t); }); });
  }
  ~TextDisplay() override { show(nullptr); }

  Result<> start() override;

 private:
  void resized(pixman_image_t*) override { changed_ = true; }
  void updated(const Rect&) override { changed_ = true; }
  void detached() override {
    console_ = nullptr;
    changed_ = true;
  }
  // The frame timer asks for refreshes itself, so that drawing comes right behind.
  int refresh_interval_ms() const override { return 0; }

  void show(Console* console);
  void frame();
  void draw();
  TerminalGrid picture(int columns, int rows);
  void read_keys();
  void typed(const Typed& typed);
  void command(char key);

  Machine* machine_;
  Console* console_{};
  Terminal terminal_;
  TerminalSize size_;
  TerminalPainter painter_;
  TerminalKeys keys_;
  EventLoop::Watch input_;
  Timer frame_timer_, escape_timer_;
  bool changed_{true};
  bool running_{true};
};

Result<> TextDisplay::start() {
  for (const auto& chardev : machine_->container("/chardevs").children())
    if (chardev->type().name == "chardev-stdio")
      return fail("the terminal is in use by the character device '{}'", chardev->name());
  TRY(terminal_.open());
  input_ = machine_->loop().watch_fd(terminal_.input(), FdEvents::Read,
                                     [this](FdEvents) { read_keys(); });
  frame();
  return {};
}

void TextDisplay::show(Console* console) {
  if (console_ != nullptr) console_->remove_client(*this);
  console_ = console;
  if (console_ != nullptr) console_->add_client(*this);
  changed_ = true;
}

void TextDisplay::frame() {
  frame_timer_.arm_in(kFrameNs);
  if (terminal_.take_continued()) {
    painter_.forget();
    changed_ = true;
  }
  const TerminalSize size = terminal_.size();
  const bool running = machine_->running();
  changed_ |= size != size_ || running != running_;
  size_ = size;
  running_ = running;
  const auto& consoles = machine_->service<Consoles>().all();
  if (console_ == nullptr && !consoles.empty()) show(consoles.front());
  if (console_ != nullptr) console_->refresh_now(false);
  // A slow terminal gets fewer pictures, not older ones.
  if (changed_ && terminal_.flush()) draw();
}

void TextDisplay::draw() {
  changed_ = false;
  const TextScreen text = console_ != nullptr && console_->source() != nullptr
                              ? console_->source()->text()
                              : TextScreen{};
  const int needed = text.cells.empty() ? 1 : std::min(text.rows, size_.rows);
  // The last row is the emulator's where the guest leaves it free.
  const bool has_status = size_.rows > needed;
  const int rows = has_status && text.cells.empty() ? size_.rows - 1 : size_.rows;
  TerminalGrid grid =
      text.cells.empty() ? picture(size_.columns, rows) : text_picture(text, size_.columns, rows);
  if (has_status) {
    if (grid.rows < size_.rows) {
      grid.rows = size_.rows;
      grid.cells.resize(static_cast<std::size_t>(grid.columns) *
                        static_cast<std::size_t>(grid.rows));
    }
    std::string status = running_ ? "" : " [stopped]";
    status += kHelp;
    grid.put(0, size_.rows - 1, status);
  }
  terminal_.write(painter_.paint(grid));
}

TerminalGrid TextDisplay::picture(int columns, int rows) {
  if (console_ != nullptr) return graphics_picture(console_->surface(), columns, rows);
  TerminalGrid grid(columns, rows);
  grid.put(1, rows / 2, "This machine has no graphic console.");
  return grid;
}

void TextDisplay::read_keys() {
  std::array<u8, 256> bytes{};
  const ssize_t count = ::read(terminal_.input(), bytes.data(), bytes.size());
  if (count <= 0) {
    // The terminal is gone.
    input_.remove();
    machine_->request_shutdown(ShutdownCause::HostSignal);
    return;
  }
  keys_.feed(std::span(bytes).first(static_cast<std::size_t>(count)),
             [this](const Typed& t) { typed(t); });
  if (keys_.waiting())
    escape_timer_.arm_in(kEscapeNs);
  else
    escape_timer_.cancel();
}

void TextDisplay::typed(const Typed& typed) {
  if (typed.command != 0)
    command(typed.command);
  else
    machine_->service<InputHub>().send_keys(typed.keys, kHoldMs);
}

void TextDisplay::command(char key) {
  switch (key) {
    case 'q':
    case 'x': machine_->request_shutdown(ShutdownCause::HostUi); break;
    case 'r': machine_->request_reset(ShutdownCause::HostUi); break;
    case 'd': machine_->service<InputHub>().send_keys({kControl, kAlt, kDelete}, kHoldMs); break;
    case 'p': machine_->request_powerdown(); break;
    case 's':
      if (machine_->running())
        machine_->request_pause(RunState::Paused);
      else
        machine_->resume();
      break;
    case 'l':
      painter_.forget();
      changed_ = true;
      break;
    default: break;
  }
}

Result<std::unique_ptr<DisplayBackend>> make_text_display(Machine& machine, KeyValues& options) {
  const std::string charset = options.take("charset").value_or("CP437");
  if (charset != "CP437") return fail("charset={}: only CP437 is there", charset);
  return std::make_unique<TextDisplay>(machine);
}

const RegisterDisplay registration{
    {.name = "curses",
     .help = "[,charset=CP437]: the screen in this terminal; Ctrl-] then x quits",
     .make = &make_text_display}};

}  // namespace
}  // namespace rhea::ui
