// SPDX-License-Identifier: GPL-2.0-or-later
// Standard input and output; a terminal goes to raw mode and back at exit.
#include "chardev/backend.h"
#include "chardev/fd_chardev.h"

#include <termios.h>

#include <csignal>
#include <cstdlib>

namespace rhea::chardev {
namespace {

// The terminal belongs to the process, and so do the ways out of it (exit, SIGCONT): what they need
// is here.
struct Terminal {
  bool in_use{false};
  bool changed{false};
  termios before{};
  termios raw{};
};
Terminal terminal;

void restore_terminal() {
  if (terminal.changed) tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
  terminal.changed = false;
}

// Somebody else (the shell) had the terminal meanwhile.
void continued(int) {
  if (terminal.changed) tcsetattr(STDIN_FILENO, TCSANOW, &terminal.raw);
}

termios raw_mode(termios modes, bool signals) {
  modes.c_iflag &=
      ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  modes.c_oflag |= OPOST;
  modes.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | IEXTEN);
  if (!signals) modes.c_lflag &= ~static_cast<tcflag_t>(ISIG);
  modes.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB);
  modes.c_cflag |= CS8;
  modes.c_cc[VMIN] = 1;
  modes.c_cc[VTIME] = 0;
  return modes;
}

void enter_raw_mode(bool signals) {
  if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &terminal.before) != 0) return;
  terminal.raw = raw_mode(terminal.before, signals);
  terminal.changed = true;
  struct sigaction action{};
  action.sa_handler = &continued;
  action.sa_flags = SA_RESTART;
  sigaction(SIGCONT, &action, nullptr);
  static const int registered = atexit(&restore_terminal) | at_quick_exit(&restore_terminal);
  static_cast<void>(registered);
  tcsetattr(STDIN_FILENO, TCSANOW, &terminal.raw);
}

class StdioChardev final : public FdChardev {
 public:
  static constexpr std::string_view kName = "chardev-stdio";
  using Extendable = Chardev;

  ~StdioChardev() override {
    if (!mine_) return;
    restore_terminal();
    terminal.in_use = false;
  }
  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues& options, Opening) {
    const bool signals = TRY(options.take_bool("signal", true));
    if (terminal.in_use) return fail("cannot use stdio by multiple character devices");
    auto stdio = create<StdioChardev>();
    stdio->use_loop(machine);
    stdio->mine_ = terminal.in_use = true;
    enter_raw_mode(signals);
    stdio->start(STDIN_FILENO, STDOUT_FILENO);
    return stdio;
  }
  std::string filename() const override { return "stdio"; }

 private:
  void hangup() override { stop_input(); }

  bool mine_{false};
};

const RegisterType<StdioChardev> registration;
const RegisterBackend backend{{.name = "stdio", .alias = "", .create = &StdioChardev::make}};

}  // namespace
}  // namespace rhea::chardev
