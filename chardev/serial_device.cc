// SPDX-License-Identifier: GPL-2.0-or-later
// A serial device of the host, or any other terminal: -chardev serial, -serial /dev/ttyS0.
#include "chardev/backend.h"
#include "chardev/fd_chardev.h"
#include "rhea/util/host_file.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>
#include <array>

namespace rhea::chardev {
namespace {

struct Speed {
  u32 rate;
  speed_t code;
};
constexpr std::array<Speed, 18> kSpeeds = {{{50, B50},
                                            {75, B75},
                                            {110, B110},
                                            {300, B300},
                                            {600, B600},
                                            {1200, B1200},
                                            {2400, B2400},
                                            {4800, B4800},
                                            {9600, B9600},
                                            {19200, B19200},
                                            {38400, B38400},
                                            {57600, B57600},
                                            {115200, B115200},
                                            {230400, B230400},
                                            {460800, B460800},
                                            {921600, B921600},
                                            {1500000, B1500000},
                                            {3000000, B3000000}}};

// The slowest that is fast enough, as the guest's rates differ from the host's by rounding.
speed_t speed_for(u32 rate) {
  for (const Speed& speed : kSpeeds)
    if (rate <= speed.rate + speed.rate / 50) return speed.code;
  return kSpeeds.back().code;
}

tcflag_t character_size(u8 bits) {
  constexpr std::array<tcflag_t, 4> sizes = {CS5, CS6, CS7, CS8};
  return sizes[static_cast<std::size_t>(std::clamp<int>(bits, 5, 8) - 5)];
}

/// What is no terminal (/dev/null) is only read and written.
class SerialDevice final : public FdChardev {
 public:
  static constexpr std::string_view kName = "chardev-serial";
  using Extendable = Chardev;

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues& options, Opening) {
    const std::string path = TRY(take_required(options, "serial", "path"));
    TRY(expect_no_more(options));
    auto device = create<SerialDevice>();
    auto fd = TRY(open_host_file(
        path, {.flags = O_RDWR | O_NONBLOCK | O_NOCTTY, .kinds = FileKinds::CharDevice}));
    device->fd_ = fd.get();
    device->terminal_ = isatty(fd.get()) != 0;
    device->set_serial_line({});
    device->start_on(machine, std::move(fd));
    return device;
  }

  void set_serial_line(const SerialLine& line) override {
    termios modes{};
    if (!terminal_ || tcgetattr(fd_, &modes) < 0) return;
    cfmakeraw(&modes);
    modes.c_iflag |= INPCK;
    modes.c_cflag &= ~static_cast<tcflag_t>(CSIZE | CSTOPB | PARENB | PARODD | CRTSCTS);
    modes.c_cflag |= CREAD | CLOCAL | HUPCL | character_size(line.data_bits);
    if (line.stop_bits > 1) modes.c_cflag |= CSTOPB;
    if (line.parity != 'N') modes.c_cflag |= PARENB;
    if (line.parity == 'O') modes.c_cflag |= PARODD;
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    cfsetspeed(&modes, speed_for(line.rate));
    // What the device cannot do it leaves as it was, as a real line of other speed would.
    tcsetattr(fd_, TCSANOW, &modes);
  }
  void set_break(bool on) override {
    if (terminal_) ioctl(fd_, on ? TIOCSBRK : TIOCCBRK);
  }
  void set_modem_control(bool dtr, bool rts) override {
    if (!terminal_) return;
    const int raised = (dtr ? TIOCM_DTR : 0) | (rts ? TIOCM_RTS : 0);
    const int lowered = (TIOCM_DTR | TIOCM_RTS) & ~raised;
    ioctl(fd_, TIOCMBIS, &raised);
    ioctl(fd_, TIOCMBIC, &lowered);
  }
  std::optional<ModemLines> modem_lines() const override {
    int lines = 0;
    if (!terminal_ || ioctl(fd_, TIOCMGET, &lines) < 0) return std::nullopt;
    return ModemLines{.cts = (lines & TIOCM_CTS) != 0,
                      .dsr = (lines & TIOCM_DSR) != 0,
                      .ri = (lines & TIOCM_RNG) != 0,
                      .dcd = (lines & TIOCM_CAR) != 0};
  }
  std::string filename() const override { return "serial"; }

 private:
  // The end of /dev/null's input is none of its output.
  void hangup() override { terminal_ ? stop() : stop_input(); }

  int fd_{-1};
  bool terminal_{false};
};

const RegisterType<SerialDevice> registration;
const RegisterBackend backend{{.name = "serial", .alias = "tty", .create = &SerialDevice::make}};

}  // namespace
}  // namespace rhea::chardev
