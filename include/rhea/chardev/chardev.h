// SPDX-License-Identifier: GPL-2.0-or-later
// Character back ends: where a serial port, a monitor or a debug console leads to.
#pragma once

#include "rhea/qom/object.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/file_descriptor.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rhea {

/// MuxIn and MuxOut: a mux's focus came to this front end, or left it.
enum class ChardevEvent : u8 { Opened, Closed, Break, MuxIn, MuxOut };

/// One back end, an object under /chardevs/ID. It has at most one front end (a mux has up to four).
/// Everything runs on the main loop under the machine's lock, except write(), which is thread-safe.
class Chardev : public Object {
 public:
  static constexpr std::string_view kName = "chardev";
  static constexpr std::string_view kLinkRoot = "/chardevs";
  using Extendable = Chardev;

  /// The side that uses the back end. Functions may be empty.
  struct FrontEnd {
    std::function<std::size_t()> can_receive;          ///< how many bytes receive() would take now
    std::function<void(std::span<const u8>)> receive;  ///< never more than can_receive() said
    std::function<void(ChardevEvent)> event;
    std::function<void()> can_send;  ///< after a short write: there is room again
    const void* owner{};             ///< names the front end to detach(); only a mux needs it
    bool monitor{false};             ///< a mux gives its focus to other front ends first
  };

  /// Fails when another front end is attached ("chardev 'x' is already in use").
  virtual Result<> attach(FrontEnd front_end);
  /// `owner` as given at attach; null lets go of every front end.
  virtual void detach(const void* owner = nullptr);
  bool attached() const { return attached_; }
  /// The front end has room again: deliver what waits.
  virtual void accept_input() {}
  /// Sends as much as the peer takes without blocking; returns how much. A back end without a peer
  /// takes all and drops it.
  virtual std::size_t write(std::span<const u8> data) = 0;
  /// Sends everything, waiting for the peer in bounded slices; for small control output. What a
  /// peer that reads nothing for a second does not take is dropped.
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
  /// Copies all output to this file from now on (logfile=, logappend=).
  Result<> open_log(const std::string& path, bool append);

 protected:
  FrontEnd& front_end() { return front_end_; }
  void deliver(ChardevEvent event);
  /// What a back end's write() took goes to the log file, too. Returns how much that was.
  std::size_t logged(std::span<const u8> taken);

 private:
  FrontEnd front_end_;
  bool attached_{false};
  FileDescriptor log_;
};

/// Creates a chardev from -chardev's text after "id=..": `backend,key=value,…`, or from the legacy
/// short forms of -serial and -monitor ("stdio", "file:PATH", "unix:PATH,server,nowait",
/// "tcp:HOST:PORT,server=on,wait=off", "telnet:…" refused, "null", "none" is the caller's business,
/// "mon:stdio", "chardev:ID", "pty", "vc"), and puts it under /chardevs/id.
Result<Chardev*> create_chardev(Machine& machine, std::string_view option_text);
Result<Chardev*> create_chardev_legacy(Machine& machine, std::string_view id,
                                       std::string_view text);
Chardev* find_chardev(Machine& machine, std::string_view id);

}  // namespace rhea
