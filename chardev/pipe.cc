// SPDX-License-Identifier: GPL-2.0-or-later
// The back end on named pipes.
#include "chardev/backend.h"
#include "chardev/fd_chardev.h"
#include "rhea/util/host_file.h"

#include <fcntl.h>

namespace rhea::chardev {
namespace {

constexpr HostFileOptions kPipe{.flags = O_RDWR | O_NONBLOCK, .kinds = FileKinds::All};

/// PATH.in and PATH.out, or PATH for both ways.
class PipeChardev final : public FdChardev {
 public:
  static constexpr std::string_view kName = "chardev-pipe";
  using Extendable = Chardev;

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues& options, Opening) {
    const std::string path = TRY(take_required(options, "pipe", "path"));
    TRY(expect_no_more(options));
    // Opened both ways: neither open waits for a peer, and a peer that leaves is no end of file.
    auto in = open_host_file(path + ".in", kPipe);
    auto out = open_host_file(path + ".out", kPipe);
    auto pipe = create<PipeChardev>();
    if (in && out) {
      pipe->start_on(machine, std::move(*in), std::move(*out));
      return pipe;
    }
    FileDescriptor both = TRY(open_host_file(path, kPipe));
    pipe->start_on(machine, std::move(both));
    return pipe;
  }
  std::string filename() const override { return "pipe"; }

 private:
  void hangup() override { stop(); }
};

const RegisterType<PipeChardev> registration;
const RegisterBackend backend{{.name = "pipe", .alias = "", .create = &PipeChardev::make}};

}  // namespace
}  // namespace rhea::chardev
