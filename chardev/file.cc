// SPDX-License-Identifier: GPL-2.0-or-later
// The back end on a named file, for output.
#include "chardev/backend.h"
#include "rhea/softmmu/deferred.h"
#include "rhea/softmmu/ending.h"
#include "rhea/util/file_writer.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"

#include <fcntl.h>

#include <mutex>

namespace rhea::chardev {
namespace {

// What may wait for the disk; then the front end waits.
constexpr std::size_t kMaxWaiting = 64 * KiB;

/// Output only. A thread writes it, so that a slow disk holds up who writes to it and nobody else.
class FileChardev final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-file";
  using Extendable = Chardev;

  ~FileChardev() override {
    if (writer_ && !writer_->flush(ending_->patience())) warn("its disk does not answer");
  }

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues& options, Opening) {
    const std::string path = TRY(take_required(options, "file", "path"));
    const int mode = TRY(options.take_bool("append", false)) ? O_APPEND : O_TRUNC;
    if (options.find("input-path") != nullptr)
      return fail("chardev: file: QEMU has input-path=; Rhea has not yet: use a pipe or a pty");
    TRY(expect_no_more(options));
    FileDescriptor fd =
        TRY(open_host_file(path, {.flags = O_WRONLY | O_CREAT | O_NONBLOCK | mode}));
    auto file = create<FileChardev>();
    file->ending_ = &machine.service<Ending>();
    file->begin(std::move(fd), machine.loop());
    return file;
  }
  Result<> attach(FrontEnd front_end) override {
    TRY(Chardev::attach(std::move(front_end)));
    deliver(ChardevEvent::Opened);
    return {};
  }
  std::size_t write(std::span<const u8> data) override {
    return logged(data.first(writer_->write(data)));
  }
  std::string filename() const override { return "file"; }

 private:
  void begin(FileDescriptor fd, EventLoop& loop) {
    room_later_.init(loop, [this] {
      if (front_end().can_send) front_end().can_send();
    });
    warn_later_.init(loop, [this] { warn(failure()); });
    writer_ =
        std::make_unique<FileWriter>(FileWriter::to_file(std::move(fd)), kMaxWaiting,
                                     FileWriter::Events{.room = [this] { room_later_.schedule(); },
                                                        .failed =
                                                            [this](const Error& error) {
                                                              failure(error.message());
                                                              warn_later_.schedule();
                                                            }});
  }
  std::string failure(std::optional<std::string> now = {}) {
    const std::lock_guard lock(mutex_);
    if (now) failure_ = std::move(*now);
    return failure_;
  }
  void warn(std::string_view why) const {
    report_warning(fmt::format("chardev '{}': output is lost: {}", name(), why));
  }

  const Ending* ending_{};
  Deferred room_later_, warn_later_;  // outlive the writer's thread, which schedules them
  std::mutex mutex_;                  ///< guards what follows
  std::string failure_;
  std::unique_ptr<FileWriter> writer_;
};

const RegisterType<FileChardev> registration;
const RegisterBackend backend{{.name = "file", .alias = "", .create = &FileChardev::make}};

}  // namespace
}  // namespace rhea::chardev
