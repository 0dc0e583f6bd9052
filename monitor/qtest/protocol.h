// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU's qtest protocol: a test drives ports, memory, interrupts and time by lines of text.
#pragma once

#include "rhea/softmmu/machine.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::qtest {

using Words = std::vector<std::string_view>;

/// Executes commands; independent of where the lines come from.
class Protocol {
 public:
  /// `notify` gets what is sent unasked, "IRQ raise 5" (without line end).
  Protocol(Machine& machine, std::function<void(std::string)> notify)
      : machine_(&machine), notify_(std::move(notify)) {}

  /// The answer to one line: "OK", "OK 0x12", "FAIL why", "ERR why".
  std::string execute(std::string_view line);

 private:
  struct Command {
    std::string_view name;
    std::size_t words;  ///< at least, the name among them
    std::string (Protocol::*run)(const Words& words);
  };
  static std::span<const Command> commands();

  std::string port_in(const Words& words);
  std::string port_out(const Words& words);
  std::string load(const Words& words);
  std::string store(const Words& words);
  std::string read(const Words& words);
  std::string write(const Words& words);
  std::string fill(const Words& words);
  std::string clock_step(const Words& words);
  std::string clock_set(const Words& words);
  std::string intercept_in(const Words& words);
  std::string intercept_out(const Words& words);
  std::string intercept(const Words& words, bool outputs);
  std::string set_irq_in(const Words& words);
  std::string endianness(const Words& words);
  std::string refuse(const Words& words);

  Machine* machine_;
  std::function<void(std::string)> notify_;
  const Device* intercepted_{};
  std::vector<bool> levels_;  ///< of the intercepted pins
};

}  // namespace rhea::qtest
