// SPDX-License-Identifier: GPL-2.0-or-later
// pread and pwrite, Linux's own asynchronous I/O, io_uring.
#include "block/io_engine.h"

#include <libaio.h>
#include <liburing.h>
#include <unistd.h>

#include <cerrno>

namespace rhea::block {
namespace {

class ThreadsEngine final : public IoEngine {
 public:
  ssize_t read(int fd, std::span<u8> data, u64 offset) override {
    return result(::pread(fd, data.data(), data.size(), static_cast<off_t>(offset)));
  }
  ssize_t write(int fd, std::span<const u8> data, u64 offset) override {
    return result(::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset)));
  }

 private:
  static ssize_t result(ssize_t moved) { return moved < 0 ? -errno : moved; }
};

class NativeEngine final : public IoEngine {
 public:
  ~NativeEngine() override {
    if (context_ != nullptr) ::io_destroy(context_);
  }
  /// 0, or the error number negated.
  int open() { return ::io_setup(1, &context_); }
  ssize_t read(int fd, std::span<u8> data, u64 offset) override {
    iocb request{};
    ::io_prep_pread(&request, fd, data.data(), data.size(), static_cast<long long>(offset));
    return run(request);
  }
  ssize_t write(int fd, std::span<const u8> data, u64 offset) override {
    iocb request{};
    // The library takes the buffer of a write as one that it could write to.
    auto* bytes = const_cast<u8*>(data.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    ::io_prep_pwrite(&request, fd, bytes, data.size(), static_cast<long long>(offset));
    return run(request);
  }

 private:
  ssize_t run(iocb& request) {
    iocb* list = &request;
    if (const int submitted = ::io_submit(context_, 1, &list); submitted != 1)
      return submitted < 0 ? submitted : -EAGAIN;
    io_event event{};
    int got = 0;
    while ((got = ::io_getevents(context_, 1, 1, &event, nullptr)) == -EINTR) {
    }
    return got == 1 ? static_cast<ssize_t>(event.res) : got;
  }

  io_context_t context_{};
};

class UringEngine final : public IoEngine {
 public:
  ~UringEngine() override {
    if (opened_) ::io_uring_queue_exit(&ring_);
  }
  int open() {
    const int error = ::io_uring_queue_init(1, &ring_, 0);
    opened_ = error == 0;
    return error;
  }
  ssize_t read(int fd, std::span<u8> data, u64 offset) override {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) return -EAGAIN;
    ::io_uring_prep_read(entry, fd, data.data(), static_cast<unsigned>(data.size()), offset);
    return run();
  }
  ssize_t write(int fd, std::span<const u8> data, u64 offset) override {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) return -EAGAIN;
    ::io_uring_prep_write(entry, fd, data.data(), static_cast<unsigned>(data.size()), offset);
    return run();
  }

 private:
  ssize_t run() {
    int submitted = 0;
    while ((submitted = ::io_uring_submit(&ring_)) == -EINTR) {
    }
    if (submitted < 0) return submitted;
    io_uring_cqe* event = nullptr;
    int error = 0;
    while ((error = ::io_uring_wait_cqe(&ring_, &event)) == -EINTR) {
    }
    if (error < 0) return error;
    const ssize_t moved = event->res;
    ::io_uring_cqe_seen(&ring_, event);
    return moved;
  }

  io_uring ring_{};
  bool opened_{false};
};

template <class Engine>
Result<std::unique_ptr<IoEngine>> open_engine(AioMode mode) {
  auto engine = std::make_unique<Engine>();
  if (const int error = engine->open(); error < 0)
    return fail("aio={} is not available on this host: {}", enum_name(mode), errno_text(-error));
  return engine;
}

}  // namespace

Result<std::unique_ptr<IoEngine>> make_io_engine(AioMode mode) {
  switch (mode) {
    case AioMode::Native: return open_engine<NativeEngine>(mode);
    case AioMode::IoUring: return open_engine<UringEngine>(mode);
    case AioMode::Threads: break;
  }
  return std::make_unique<ThreadsEngine>();
}

}  // namespace rhea::block
