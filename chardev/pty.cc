// SPDX-License-Identifier: GPL-2.0-or-later
// A pseudo-terminal: other programs open its slave side.
#include "chardev/backend.h"
#include "chardev/fd_chardev.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>

#include <array>
#include <cstdlib>

namespace rhea::chardev {
namespace {

constexpr i64 kLookAgainNs = kNsPerSecond / 4;

/// The kernel tells of the last close of the slave by a hang-up, but of an open by nothing: while
/// nobody has it open, a timer looks.
class PtyChardev final : public FdChardev {
 public:
  static constexpr std::string_view kName = "chardev-pty";
  using Extendable = Chardev;

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues&, Opening) {
    auto pty = create<PtyChardev>();
    pty->use_loop(machine);
    TRY(pty->open_master());
    pty->timer_.init(machine.realtime_clock(), [raw = pty.get()] { raw->look(); });
    pty->look();
    return pty;
  }
  std::string filename() const override { return "pty:" + slave_; }

 private:
  Result<> open_master() {
    master_ = FileDescriptor(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    std::array<char, 128> name{};
    if (!master_ || grantpt(master_.get()) < 0 || unlockpt(master_.get()) < 0 ||
        ptsname_r(master_.get(), name.data(), name.size()) != 0)
      return fail("chardev: pty: cannot open a pseudo-terminal: {}", errno_text(errno));
    slave_ = name.data();
    const FileDescriptor slave(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    termios modes{};
    if (!slave || tcgetattr(slave.get(), &modes) < 0)
      return fail("chardev: pty: {}: {}", slave_, errno_text(errno));
    cfmakeraw(&modes);
    tcsetattr(slave.get(), TCSAFLUSH, &modes);
    return {};
  }

  void look() {
    pollfd state{.fd = master_.get(), .events = 0, .revents = 0};
    if (poll(&state, 1, 0) >= 0 && (state.revents & POLLHUP) == 0)
      start(master_.get(), master_.get());
    else
      timer_.arm_in(kLookAgainNs);
  }
  void hangup() override {
    stop();
    timer_.arm_in(kLookAgainNs);
  }

  FileDescriptor master_;
  std::string slave_;
  Timer timer_;
};

const RegisterType<PtyChardev> registration;
const RegisterBackend backend{{.name = "pty", .alias = "", .create = &PtyChardev::make}};

}  // namespace
}  // namespace rhea::chardev
