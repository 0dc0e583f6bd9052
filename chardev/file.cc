// SPDX-License-Identifier: GPL-2.0-or-later
// Back ends on named files: a file for output, and a pair of named pipes.
#include "chardev/backend.h"
#include "chardev/fd_chardev.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"

#include <fcntl.h>

namespace rhea::chardev {
namespace {

/// Output only; a regular file never blocks for long.
class FileChardev final : public FdChardev {
 public:
  static constexpr std::string_view kName = "chardev-file";
  using Extendable = Chardev;

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues& options, Opening) {
    const std::string path = TRY(take_required(options, "file", "path"));
    const int mode = TRY(options.take_bool("append", false)) ? O_APPEND : O_TRUNC;
    auto file = create<FileChardev>();
    file->use_loop(machine);
    file->fd_ = TRY(open_host_file(path, {.flags = O_WRONLY | O_CREAT | O_NONBLOCK | mode}));
    file->start(-1, file->fd_.get());
    return file;
  }
  Result<> attach(FrontEnd front_end) override {
    TRY(FdChardev::attach(std::move(front_end)));
    deliver(ChardevEvent::Opened);
    return {};
  }
  bool connected() const override { return true; }
  std::string filename() const override { return "file"; }

 private:
  ssize_t send_some(int fd, std::span<const u8> data) override {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno != EAGAIN && errno != EINTR && !std::exchange(warned_, true))
      report_warning(fmt::format("chardev '{}': output is lost: {}", name(), errno_text(errno)));
    return n;
  }
  void hangup() override {}

  FileDescriptor fd_;
  bool warned_{false};
};

constexpr HostFileOptions kPipe{.flags = O_RDWR | O_NONBLOCK, .kinds = FileKinds::All};

/// PATH.in and PATH.out, or PATH for both ways.
class PipeChardev final : public FdChardev {
 public:
  static constexpr std::string_view kName = "chardev-pipe";
  using Extendable = Chardev;

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues& options, Opening) {
    const std::string path = TRY(take_required(options, "pipe", "path"));
    auto pipe = create<PipeChardev>();
    pipe->use_loop(machine);
    // Opened both ways: neither open waits for a peer, and a peer that leaves is no end of file.
    auto in = open_host_file(path + ".in", kPipe);
    auto out = open_host_file(path + ".out", kPipe);
    if (in && out) {
      pipe->in_fd_ = std::move(*in);
      pipe->out_fd_ = std::move(*out);
      pipe->start(pipe->in_fd_.get(), pipe->out_fd_.get());
    } else {
      pipe->in_fd_ = TRY(open_host_file(path, kPipe));
      pipe->start(pipe->in_fd_.get(), pipe->in_fd_.get());
    }
    return pipe;
  }
  std::string filename() const override { return "pipe"; }

 private:
  void hangup() override { stop(); }

  FileDescriptor in_fd_;
  FileDescriptor out_fd_;
};

const RegisterType<FileChardev> file_registration;
const RegisterType<PipeChardev> pipe_registration;
const RegisterBackend file_backend{{.name = "file", .alias = "", .create = &FileChardev::make}};
const RegisterBackend pipe_backend{{.name = "pipe", .alias = "", .create = &PipeChardev::make}};

}  // namespace
}  // namespace rhea::chardev
