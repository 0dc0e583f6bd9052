// SPDX-License-Identifier: GPL-2.0-or-later
// A bench with what the monitors' tests share: CPUs that do nothing, and ways to speak to a
// monitor.
#pragma once

#include "accel/accelerator.h"
#include "monitor/hmp/session.h"
#include "monitor/monitors.h"
#include "monitor/qmp/command.h"
#include "tests/chardev/client.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace rhea::test {

/// What the CPUs of add_fake_cpus say of themselves.
struct FakeCpuState final : MachineService {
  explicit FakeCpuState(Machine&) {
    state.gpr[x86::Rax] = 0x1122334455667788;
    state.rip = 0x7c00;
    state.segment[x86::Cs].selector = 0xf000;
  }
  x86::CpuState state;
};

/// `count` CPUs whose registers hold known values and whose first 1 MiB of linear addresses is
/// mapped at itself.
void add_fake_cpus(Machine& machine, unsigned count);

class MonitorTest : public testing::Test {
 protected:
  Machine& machine() { return bench_.machine(); }
  /// The answer to one QMP message, after negotiation.
  std::string qmp(std::string_view message) {
    qmp::Context context{.machine = machine(), .client = client_};
    std::string answer = qmp::respond(context, message);
    if (context.later) answer = context.answer_text(wait_for(*context.later));
    return answer;
  }
  qmp::Json returned(std::string_view message) { return qmp::Json::parse(qmp(message))["return"]; }
  /// "GenericError: text"
  std::string error(std::string_view message) {
    const auto answer = qmp::Json::parse(qmp(message));
    if (!answer.contains("error")) return "no error";
    return answer["error"]["class"].get<std::string>() + ": " +
           answer["error"]["desc"].get<std::string>();
  }
  /// What a line of the human monitor prints.
  std::string hmp(std::string_view line) {
    hmp::Context context{.machine = machine(), .view = view_, .client = client_, .out = {}};
    hmp::run_line(context, line);
    if (context.later) context.out += hmp::last_words(wait_for(*context.later));
    return context.out;
  }
  /// Runs the main loop, with the machine's lock free in between, until the answer is there.
  Result<qmp::Json> wait_for(qmp::Later& later) {
    std::optional<Result<qmp::Json>> answer;
    later.on_finish([&answer](const Result<qmp::Json>& result) { answer = result; });
    LockDomain& lock = machine().lock();
    const bool held = lock.held_by_me();
    if (held) lock.unlock();
    while (!answer) machine().loop().iterate(true);
    if (held) lock.lock();
    return *answer;
  }

  Bench bench_{1 * MiB};
  qmp::Client client_{.negotiated = true, .pretty = false, .received = {}, .named = {}};
  hmp::View view_;
  ScratchFolder scratch_;
};

}  // namespace rhea::test
