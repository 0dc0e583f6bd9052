// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger at the other end of a chardev, speaking gdb's remote protocol (Debugging with GDB,
// appendix E).
#pragma once

#include "gdbstub/packet_reader.h"
#include "gdbstub/packet_writer.h"
#include "gdbstub/request.h"
#include "gdbstub/target.h"
#include "rhea/chardev/chardev.h"
#include "rhea/softmmu/deferred.h"

#include <functional>
#include <string>
#include <vector>

namespace rhea::gdbstub {

/// One connection after the other. The peer is not trusted: packets have a size, what they say is
/// checked, one is worked at a time, and a peer that does not read its answers is not listened to.
/// All on the main loop.
class Session {
 public:
  /// `layout`: what the next debugger is to be told; nullopt: what the processor's mode suggests.
  Session(Machine& machine, Chardev& chardev, std::function<std::optional<Layout>()> layout);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Result<> start();
  Chardev& chardev() const { return *chardev_; }
  /// Within a packet of the debugger's: not the moment to end the session.
  bool busy() const { return busy_; }
  void run_state_changed(RunState state);
  /// The machine ends.
  void say_goodbye();

 private:
  struct Command;
  struct Query;
  static std::span<const Command> commands();
  static std::span<const Query> queries();

  // ---- The connection (session.cc).
  std::size_t can_receive() const;
  void receive(std::span<const u8> data);
  void event(ChardevEvent what);
  void connected();
  void disconnected();
  void work();
  void work_later();
  void take(PacketReader::Event event);
  void execute(std::string_view packet);
  void reply(std::string_view text) { writer_.send(text); }
  /// By errno's numbers.
  void error(int number);
  void ok_or_error(bool good);
  std::string thread_text(unsigned cpu) const;

  // ---- Registers and memory (session_data.cc).
  void read_registers(Request request);
  void write_registers(Request request);
  void read_register(Request request);
  void write_register(Request request);
  void read_memory(Request request);
  void write_memory_hex(Request request);
  void write_memory_binary(Request request);
  void insert_point(Request request);
  void remove_point(Request request);
  std::optional<Point> point(Request& request) const;
  ReadLinear linear_reader() const;
  /// Changes the registers of the chosen processor.
  void change(const std::function<bool(x86::CpuState&, const ReadLinear&)>& edit);

  // ---- Running (session_run.cc).
  void why_stopped(Request request);
  void go_on(Request request);
  void step_on(Request request);
  void go_on_with_signal(Request request);
  void step_with_signal(Request request);
  void resume_packet(Request request, Action action);
  void verbose(Request request);
  void resume_threads(Request request);
  void run(std::span<const Action> actions);
  void run_later(std::vector<Action> actions);
  void report(const std::optional<Stop>& stop);
  void interrupt();
  void attach();
  void detach(Request request);
  void kill(Request request);
  void restart(Request request);
  void extend(Request request);
  void choose_thread(Request request);
  void thread_alive(Request request);

  // ---- Queries (session_queries.cc).
  void query(Request request);
  void set_up(Request request);
  void supported(Request request);
  void features(Request request);
  void first_threads(Request request);
  void more_threads(Request request);
  void thread_info(Request request);
  void current_thread(Request request);
  void attached(Request request);
  void monitor_command(Request request);
  void no_acknowledgements(Request request);
  void own_queries(Request request);
  void step_bit_names(Request request);
  void step_bits(Request request);
  void set_step_bits(Request request);
  void physical_memory(Request request);
  void set_physical_memory(Request request);

  Machine* machine_;
  Chardev* chardev_;
  std::function<std::optional<Layout>()> next_layout_;
  Target target_;
  PacketReader reader_;
  PacketWriter writer_;
  std::string input_;  ///< received and not looked at yet
  bool working_{};     ///< within work(), or about to be
  bool busy_{};
  bool connection_changed_{};  ///< while a packet was worked
  bool attached_{};            ///< false: it has detached, and lets the machine run
  bool waiting_{};             ///< for the machine to stop
  bool multiprocess_{};        ///< thread ids with the process before them
  unsigned cpu_{};             ///< chosen for registers and memory
  unsigned run_cpu_{};         ///< chosen for c and s
  unsigned next_thread_{};     ///< of qsThreadInfo
  std::string description_;
  std::vector<Action> rest_;  ///< of the run that a stop has interrupted
  Deferred work_later_, run_later_;
};

}  // namespace rhea::gdbstub
