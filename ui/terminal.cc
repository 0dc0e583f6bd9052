// SPDX-License-Identifier: GPL-2.0-or-later
// Taking the terminal over and giving it back, however the program ends.
#include "ui/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace rhea::ui {
namespace {

constexpr std::string_view kEnter =
    "\x1b[?1049h\x1b[?7l";  // alternate screen, no wrapping at the edge
constexpr std::string_view kLeave = "\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::array kFatal = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV};
constexpr TerminalSize kUsual{.columns = 80, .rows = 24};

// A process has one terminal, and signal handlers reach nothing else.
struct Process {
  std::atomic<bool> taken{false};
  std::atomic<bool> continued{false};
  termios before{};
  termios raw{};
  std::array<struct sigaction, kFatal.size()> fatal_before{};
  struct sigaction continue_before{};
};
Process process;

// Only what signal handlers may do.
void give_back() {
  if (!process.taken.exchange(false)) return;
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, kLeave.data(), kLeave.size());
  tcsetattr(STDIN_FILENO, TCSANOW, &process.before);
}

void killed(int number) {
  give_back();
  // The handler was for once: now the default does its work.
  std::raise(number);
}

void continued(int) {
  if (process.taken) tcsetattr(STDIN_FILENO, TCSANOW, &process.raw);
  process.continued = true;
}

void set_handlers() {
  struct sigaction action{};
  action.sa_handler = &killed;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_NODEFER;
  for (std::size_t i = 0; i < kFatal.size(); ++i)
    sigaction(kFatal[i], &action, &process.fatal_before[i]);
  struct sigaction on_continue{};
  on_continue.sa_handler = &continued;
  on_continue.sa_flags = SA_RESTART;
  sigaction(SIGCONT, &on_continue, &process.continue_before);
  static const int registered = std::atexit(&give_back) | std::at_quick_exit(&give_back);
  static_cast<void>(registered);
}

void reset_handlers() {
  for (std::size_t i = 0; i < kFatal.size(); ++i)
    sigaction(kFatal[i], &process.fatal_before[i], nullptr);
  sigaction(SIGCONT, &process.continue_before, nullptr);
}

}  // namespace

Result<> Terminal::available() {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
    return fail("standard input and output are no terminal");
  const char* set = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const std::string_view name = set == nullptr ? "" : set;
  if (name.empty()) return fail("TERM does not say what kind of terminal this is");
  if (name == "dumb") return fail("the terminal is a plain one (TERM=dumb)");
  return {};
}

Result<> Terminal::open() {
  TRY(available());
  if (process.taken) return fail("the terminal is in use");
  if (tcgetattr(STDIN_FILENO, &process.before) != 0)
    return fail("cannot read the terminal's modes: {}", errno_text(errno));
  output_ = FileDescriptor(::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!output_) return fail("cannot open the terminal: {}", errno_text(errno));
  process.raw = process.before;
  cfmakeraw(&process.raw);
  set_handlers();
  process.taken = true;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &process.raw);
  open_ = true;
  write(kEnter);
  return {};
}

void Terminal::close() {
  if (!open_) return;
  open_ = false;
  flush();
  output_.reset();
  reset_handlers();
  give_back();
}

int Terminal::input() const { return STDIN_FILENO; }

TerminalSize Terminal::size() const {
  constexpr int kMost = 1000;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return kUsual;
  return {.columns = std::min<int>(size.ws_col, kMost), .rows = std::min<int>(size.ws_row, kMost)};
}

void Terminal::write(std::string_view bytes) {
  waiting_ += bytes;
  flush();
}

bool Terminal::flush() {
  while (!waiting_.empty()) {
    const ssize_t written = ::write(output_.get(), waiting_.data(), waiting_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    waiting_.erase(0, static_cast<std::size_t>(written));
  }
  return waiting_.empty();
}

bool Terminal::take_continued() { return process.continued.exchange(false); }

}  // namespace rhea::ui
