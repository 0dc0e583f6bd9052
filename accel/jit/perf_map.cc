// SPDX-License-Identifier: GPL-2.0-or-later
#include "accel/jit/perf_map.h"

#include "rhea/util/host_file.h"
#include "rhea/util/log.h"
#include "rhea/util/option.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace rhea::jit {

// A link that somebody else has left in /tmp is not followed.
Result<> PerfMap::open(const std::string& path) {
  file_ = TRY(open_host_file(path, {.flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW,
                                    .kinds = FileKinds::Regular,
                                    .mode = 0600}));
  open_ = true;
  return {};
}

void PerfMap::add(const x86::HostCode& code) {
  std::string text;
  u32 begin = code.begin;
  const auto entry = [&](u32 end, u64 linear) {
    if (end > begin)
      text += fmt::format("{:x} {:x} guest-0x{:x}\n", reinterpret_cast<u64>(code.at + begin),
                          end - begin, linear);
    begin = end;
  };
  for (std::size_t n = 0; n + 1 < code.starts.size(); ++n)
    entry(code.starts[n + 1], code.linear[n]);
  // What is out of line may belong to any of them.
  entry(code.end, code.linear.front());
  const std::lock_guard lock(mutex_);
  if (!open_ || ::write(file_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()))
    return;
  open_ = false;
  report_warning("-perfmap: the file cannot be written any more");
}

namespace {

Result<> perf_map_option(Machine& machine, const std::string&) {
  auto& map = machine.service<PerfMap>();
  const auto opened = map.open(fmt::format("/tmp/perf-{}.map", ::getpid()));
  if (!opened) return fail("-perfmap: {}", opened.error().message());
  machine.on_machine_ready([&map] {
    if (!map.obeyed) report_warning("-perfmap: this accelerator translates nothing");
  });
  return {};
}

const RegisterOption option{{.name = "perfmap",
                             .argument = "",
                             .help = "tell perf(1) of translated code, in /tmp/perf-PID.map",
                             .phase = StartPhase::Accelerator,
                             .apply = &perf_map_option}};

}  // namespace
}  // namespace rhea::jit
