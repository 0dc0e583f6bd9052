// SPDX-License-Identifier: GPL-2.0-or-later
// Character back ends: where a serial port, a monitor or a debug console leads to.
#pragma once

#include "rhea/qom/object.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/file_descriptor.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rhea {

class ChardevPort;

/// MuxIn and MuxOut: a mux's focus came to this front end, or left it.
enum class ChardevEvent : u8 { Opened, Closed, Break, MuxIn, MuxOut };

/// How characters go over a serial line.
struct SerialLine {
  u32 rate{115200};  ///< bits a second
  u8 data_bits{8};   ///< 5 to 8
  char parity{'N'};  ///< N, E or O
  u8 stop_bits{1};   ///< 1 or 2
};
/// The lines that a modem drives.
struct ModemLines {
  bool cts{true}, dsr{true}, ri{false}, dcd{true};
};

/// One back end, an object under /chardevs/ID. It has at most one front end (a mux has up to four).
/// Everything runs on the main loop under the machine's lock, except write(), which is thread-safe.
class Chardev : public Object {
 public:
  static constexpr std::string_view kName = "chardev";
  static constexpr std::string_view kLinkRoot = "/chardevs";
  using Extendable = Chardev;
  Chardev();
  ~Chardev() override;

  /// The side that uses the back end. Functions may be empty.
  struct FrontEnd {
    std::function<std::size_t()> can_receive;          ///< how many bytes receive() would take now
    std::function<void(std::span<const u8>)> receive;  ///< never more than can_receive() said
    std::function<void(ChardevEvent)> event;
    std::function<void()> can_send;  ///< after a short write: there is room again
    /// Whether it is used itself, as a port that a program of the guest's has opened; empty:
    /// always.
    std::function<bool()> in_use{};
    /// The front end is about to be attached to another back end (chardev-change); empty: it
    /// cannot be, unless a ChardevPort is its end.
    std::function<void(Chardev&)> moved{};
    const void* owner{};  ///< names the front end to detach(); only a mux needs it
    bool monitor{false};  ///< a mux gives its focus to other front ends first
  };

  /// Fails when another front end is attached ("chardev 'x' is already in use").
  virtual Result<> attach(FrontEnd front_end);
  /// `owner` as given at attach; null lets go of every front end.
  virtual void detach(const void* owner = nullptr);
  bool attached() const { return attached_; }
  /// Attached, and in use.
  bool used() const { return attached_ && (!front_end_.in_use || front_end_.in_use()); }
  /// The front end has room again: deliver what waits.
  virtual void accept_input() {}
  /// Sends as much as the peer takes without blocking; returns how much. A back end without a peer
  /// takes all and drops it.
  virtual std::size_t write(std::span<const u8> data) = 0;
  /// Sends last words as the program ends: waits for the peer, 0.3 s in all. While the guest runs
  /// nobody waits: keep what write() did not take, and go on at can_send.
  void write_all(std::span<const u8> data);
  /// Whether somebody is at the other end.
  virtual bool connected() const { return true; }
  /// As query-chardev shows it: "unix:/tmp/x,server=on", "pty:/dev/pts/3", "null".
  virtual std::string filename() const = 0;
  /// Ends the connection with the present peer, if there is one.
  virtual void disconnect() {}
  /// The descriptors that came with the bytes received so far (SCM_RIGHTS), oldest first; each is
  /// handed out once.
  virtual std::vector<FileDescriptor> take_descriptors() { return {}; }
  /// The first front end wants several lines of QMP on one connection: echo off, raw mode.
  virtual void set_echo(bool) {}
  /// For back ends that are a serial line themselves; others do nothing. Without modem lines of
  /// their own the peer counts as ready.
  virtual void set_serial_line(const SerialLine&) {}
  virtual void set_break(bool) {}
  virtual void set_modem_control(bool /*dtr*/, bool /*rts*/) {}
  virtual std::optional<ModemLines> modem_lines() const { return std::nullopt; }
  /// The front end hears a break, as if the peer had sent it.
  virtual void send_break() { deliver(ChardevEvent::Break); }
  /// Whether chardev-change may replace this back end.
  virtual bool replaceable() const { return true; }
  /// Whether its front end can be taken to another back end.
  bool movable() const { return front_end_.moved != nullptr; }
  /// Takes the front end off, to attach it elsewhere.
  FrontEnd take_front_end();
  /// Copies all output to this file from now on (logfile=, logappend=).
  Result<> open_log(Machine& machine, const std::string& path, bool append);

 protected:
  FrontEnd& front_end() { return front_end_; }
  void deliver(ChardevEvent event);
  /// What a back end's write() took goes to the log file, too. Returns how much that was.
  std::size_t logged(std::span<const u8> taken);

 private:
  friend class ChardevPort;
  FrontEnd front_end_;
  bool attached_{false};
  std::vector<ChardevPort*> ports_;  ///< that lead here; some back ends end before their devices
  class Log;
  std::unique_ptr<Log> log_;
};

/// Creates a chardev from -chardev's text `backend,id=ID,key=value,…`, or from the short forms of
/// -serial and -monitor ("stdio", "file:PATH", "unix:PATH,server,nowait", "tcp:HOST:PORT,…",
/// "telnet:…", "websocket:…", "udp:…", "pipe:PATH", "/dev/tty…", "pty", "vc:80Cx24C", "null",
/// "msmouse", "mon:" before any of them, "chardev:ID"; "none" is the caller's business), and puts
/// it under /chardevs/id. While the program starts, a server with wait=on waits for its client.
Result<Chardev*> create_chardev(Machine& machine, std::string_view option_text);
Result<Chardev*> create_chardev_legacy(Machine& machine, std::string_view id,
                                       std::string_view text);
Chardev* find_chardev(Machine& machine, std::string_view id);

}  // namespace rhea
