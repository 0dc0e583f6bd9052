// SPDX-License-Identifier: GPL-2.0-or-later
#include "crypto/rng.h"

#include "rhea/qom/registry.h"
#include "rhea/softmmu/ending.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <optional>
#include <thread>

namespace rhea::crypto {
namespace {

/// The kernel's random numbers. It never waits for them: the kernel has some since long before
/// Rhea ran.
class RngBuiltin final : public RngBackend {
 public:
  static constexpr std::string_view kName = "rng-builtin";
  static void describe(Schema<RngBuiltin>& s) { s.help("random numbers of the host's kernel"); }

  std::size_t take(std::span<u8> to) override {
    std::size_t done = 0;
    while (done < to.size()) {
      const ssize_t got = ::getrandom(to.data() + done, to.size() - done, GRND_NONBLOCK);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }
};

/// What a file gives, read by a thread of its own as devices want it.
class RngRandom final : public RngBackend {
 public:
  static constexpr std::string_view kName = "rng-random";
  static void describe(Schema<RngRandom>& s) {
    s.help("random numbers out of a file, such as a character device");
    s.property("filename", &RngRandom::filename_, "/dev/urandom").help("the file");
  }
  ~RngRandom() override;

  std::size_t take(std::span<u8> to) override;
  void add_user(const std::shared_ptr<User>& user) override {
    RngBackend::add_user(user);
    tell_reader();
  }
  void remove_user(const std::shared_ptr<User>& user) override {
    RngBackend::remove_user(user);
    tell_reader();
  }

 protected:
  Result<> complete() override;

 private:
  static constexpr std::size_t kMostAhead = 64 * KiB, kMostAtOnce = 4 * KiB;

  /// Shared with the reader, so that neither cares who goes first.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::string filename;
    FileDescriptor file, wake;
    std::deque<u8> ready;
    std::size_t wanted{0};
    std::vector<std::shared_ptr<User>> users;
    bool ending{false}, ended{false};
  };
  static void serve(const std::shared_ptr<State>& state);
  static bool read_some(State& state, std::size_t most);
  void tell_reader() {
    const std::lock_guard lock(state_->mutex);
    state_->users = users();
  }

  std::string filename_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::thread thread_;
};

Result<> RngRandom::complete() {
  state_->filename = filename_;
  state_->file = TRY(open_host_file(filename_, {.flags = O_RDONLY | O_NONBLOCK}));
  state_->wake = FileDescriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  // The process's signals are for other threads: the new one inherits a full mask.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  thread_ = std::thread([state = state_] { serve(state); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return {};
}

// A file that does not answer keeps nobody: the thread is left to itself then.
RngRandom::~RngRandom() {
  if (!thread_.joinable()) return;
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
  ::eventfd_write(state_->wake.get(), 1);
  const bool ended = state_->changed.wait_for(lock, std::chrono::milliseconds(200),
                                              [this] { return state_->ended; });
  lock.unlock();
  ended ? thread_.join() : thread_.detach();
}

std::size_t RngRandom::take(std::span<u8> to) {
  const std::lock_guard lock(state_->mutex);
  std::deque<u8>& ready = state_->ready;
  const std::size_t count = std::min(to.size(), ready.size());
  std::copy_n(ready.begin(), count, to.begin());
  ready.erase(ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(count));
  if (count < to.size()) {
    state_->wanted = std::min(kMostAhead, to.size() - count);
    state_->changed.notify_all();
  }
  return count;
}

/// Waits for the file, without the lock. False when it gives no more.
bool RngRandom::read_some(State& state, std::size_t most) {
  std::array<u8, kMostAtOnce> bytes;
  std::array<pollfd, 2> files{{{.fd = state.file.get(), .events = POLLIN, .revents = 0},
                               {.fd = state.wake.get(), .events = POLLIN, .revents = 0}}};
  ::poll(files.data(), files.size(), -1);
  if (files[1].revents != 0) return true;
  const ssize_t got = ::read(state.file.get(), bytes.data(), std::min(most, bytes.size()));
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) {
    report_warning(fmt::format("rng-random: '{}' gives no more: {}", state.filename,
                               got == 0 ? "it is at its end" : errno_text(errno)));
    return false;
  }
  const std::lock_guard lock(state.mutex);
  state.ready.insert(state.ready.end(), bytes.begin(), bytes.begin() + got);
  state.wanted -= std::min(state.wanted, static_cast<std::size_t>(got));
  return true;
}

void RngRandom::serve(const std::shared_ptr<State>& state) {
  pthread_setname_np(pthread_self(), "rng-random");
  std::unique_lock lock(state->mutex);
  while (true) {
    state->changed.wait(lock, [&] { return state->ending || state->wanted != 0; });
    if (state->ending) break;
    const std::size_t most = state->wanted;
    lock.unlock();
    const bool more = read_some(*state, most);
    lock.lock();
    if (!more) break;
    if (state->ready.empty()) continue;
    const auto users = state->users;
    lock.unlock();
    for (const auto& user : users) user->gate->enter(user->more);
    lock.lock();
  }
  state->ended = true;
  state->changed.notify_all();
}

const RegisterAbstractType<RngBackend, UserObject> backend_registration;
const RegisterType<RngBuiltin> builtin_registration;
const RegisterType<RngRandom> random_registration;

}  // namespace
}  // namespace rhea::crypto
