// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/user_process.h"

#include "net/user/message.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"
#include "util/helper_program.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

namespace rhea::net {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLongestPause{4000};
/// A process that lived so long starts again at once when it dies.
constexpr milliseconds kLongLife{10000};

/// Drops what waits in a socket. What ended one process is not to meet the next.
void drain(int socket) {
  std::array<char, 1> byte{};
  while (::recv(socket, byte.data(), byte.size(), MSG_DONTWAIT) >= 0) {
  }
}

}  // namespace

UserProcess::UserProcess(Plan plan)
    : plan_(std::move(plan)),
      targets_(plan_.guest_forwards),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

UserProcess::~UserProcess() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  ::eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
}

void UserProcess::start() {
  const std::lock_guard lock(mutex_);
  if (thread_.joinable()) return;
  // Signals are the main thread's.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this] { work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread_.native_handle(), "net user");
}

Result<> UserProcess::start_and_wait() {
  start();
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, std::chrono::seconds(5), [this] { return tried_; }))
    return fail("netdev '{}': the process of its user network does not start", plan_.name);
  if (!trouble_.empty()) return fail("netdev '{}': {}", plan_.name, trouble_);
  return {};
}

// ---- What others ask

void UserProcess::tell(Unsent message) {
  if (!control_) return;  // it hears all when it begins
  unsent_.push_back(std::move(message));
  // It stands still. The next one hears all from the start. (Nobody has waited for it yet: it is
  // still this process's number.)
  if (unsent_.size() > kMostUnsent + forwards_.size()) ::kill(pid_, SIGKILL);
  ::eventfd_write(wake_.get(), 1);
}

void UserProcess::tell_forward(const HostForward& forward) {
  tell({.body = {{"forward", forward.message()}}, .forward = forward.rule()});
}

void UserProcess::add_forward(HostForward forward) {
  const std::lock_guard lock(mutex_);
  tell_forward(forwards_.emplace_back(std::move(forward)));
}

bool UserProcess::remove_forward(const HostForward& host_side) {
  const std::lock_guard lock(mutex_);
  const auto gone = std::ranges::find_if(
      forwards_, [&](const HostForward& one) { return one.same_host_side(host_side); });
  if (gone == forwards_.end()) return false;
  tell({.body = {{"unforward", gone->message()}}});
  forwards_.erase(gone);
  return true;
}

std::vector<HostForward> UserProcess::forwards() const {
  const std::lock_guard lock(mutex_);
  std::vector<HostForward> all;
  for (const HostForward& one : forwards_) all.push_back(one.rule());
  return all;
}

void UserProcess::set_running(bool running) {
  const std::lock_guard lock(mutex_);
  running_ = running;
  tell({.body = {{"running", running}}});
}

Result<std::string> UserProcess::connections() {
  const auto end = Clock::now() + plan_.patience;
  const auto silent = [this] {
    return fail("netdev '{}': its process does not answer", plan_.name);
  };
  const std::unique_lock asking(asking_, end);
  if (!asking) return silent();
  FileDescriptor control;
  u64 number = 0;
  {
    std::unique_lock lock(mutex_);
    // One that is about to begin has its forwards to tell of.
    if (thread_.joinable()) changed_.wait_until(lock, end, [this] { return tried_; });
    if (!control_) return "";
    number = ++asked_;
    control = FileDescriptor(::fcntl(control_.get(), F_DUPFD_CLOEXEC, 0));
    tell({.body = {{"info", number}}});
  }
  while (true) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
    auto answer = TRY(receive_message(control.get(), std::max(static_cast<int>(left), 0)));
    if (answer && number_in(answer->body, "info") == number) return text_in(answer->body, "text");
    if (left <= 0) return silent();
  }
}

// ---- The thread

void UserProcess::work() {
  // A file system that does not answer keeps this network's names and files waiting, no longer.
  limit_wait_for_files(milliseconds(500));
  std::string said;
  while (!stopping_) {
    const Clock::time_point since = Clock::now();
    const auto begun = begin();
    {
      const std::lock_guard lock(mutex_);
      trouble_ = begun ? "" : begun.error().message();
      lost_ = !begun;
      if (!std::exchange(tried_, true)) changed_.notify_all();
    }
    if (begun) {
      serve();
      bury(since);
      continue;
    }
    // Once: it may stay so.
    if (std::string text = begun.error().message(); text != std::exchange(said, text))
      report_error(fmt::format("netdev '{}': {}", plan_.name, text));
    wait_stopped(kLongestPause);
  }
  const std::lock_guard lock(mutex_);
  control_.reset();
  child_.reset();
}

Result<> UserProcess::begin() {
  const std::vector<std::string> program =
      plan_.program.empty() ? std::vector{TRY(find_helper("rhea-net-user", "net/user"))}
                            : plan_.program;
  HelperSocket control = TRY(helper_socket());
  HelperSocket files = TRY(helper_socket());
  const FileDescriptor frames = out_of_the_way(plan_.frames.get());
  // A monitor may be at ours.
  const FileDescriptor nothing = TRY(open_host_file("/dev/null", {.flags = O_RDWR}));
  const FileDescriptor stream = out_of_the_way(nothing.get());
  const std::array<ChildProcess::Descriptor, 5> sockets{
      {{.ours = stream.get(), .as = STDIN_FILENO},
       {.ours = stream.get(), .as = STDOUT_FILENO},
       {.ours = frames.get(), .as = user::kFrames},
       {.ours = control.its.get(), .as = user::kControl},
       {.ours = files.its.get(), .as = user::kFiles}}};
  child_ = TRY(ChildProcess::start(program, sockets));
  pid_ = child_->pid();
  files_ = std::move(files.ours);
  const std::lock_guard lock(mutex_);
  control_ = std::move(control.ours);
  unsent_.clear();
  tell({.body = {{"configure", plan_.configuration}}});
  tell({.body = {{"running", running_}}});
  for (const HostForward& forward : forwards_) tell_forward(forward);
  return {};
}

bool UserProcess::has_unsent() const {
  const std::lock_guard lock(mutex_);
  return !unsent_.empty();
}

// There is room: more than the longest message takes.
Result<> UserProcess::send_one() {
  const std::lock_guard lock(mutex_);
  if (unsent_.empty()) return {};
  const Unsent next = std::move(unsent_.front());
  unsent_.pop_front();
  int socket = -1;
  if (next.forward) {
    const auto there = std::ranges::find_if(
        forwards_, [&](const HostForward& one) { return one.same_host_side(*next.forward); });
    if (there == forwards_.end()) return {};  // removed meanwhile
    socket = there->socket.get();
  }
  return send_message(control_.get(), next.body, socket);
}

void UserProcess::serve() {
  while (!stopping_) {
    const short output = has_unsent() ? short{POLLOUT} : short{0};
    std::array<pollfd, 3> waited{{{.fd = files_.get(), .events = POLLIN, .revents = 0},
                                  {.fd = wake_.get(), .events = POLLIN, .revents = 0},
                                  {.fd = control_.get(), .events = output, .revents = 0}}};
    if (::poll(waited.data(), waited.size(), -1) < 0) {
      if (errno != EINTR) return;
      continue;
    }
    if (eventfd_t times = 0; waited[1].revents != 0) ::eventfd_read(wake_.get(), &times);
    if ((waited[2].revents & ~POLLOUT) != 0) return;
    if (waited[2].revents != 0 && !send_one()) return;
    if (waited[0].revents == 0) continue;
    const auto question = receive_message(files_.get(), 0);
    if (!question) return;
    if (*question) answer((*question)->body);
  }
}

void UserProcess::answer(const Json& question) {
  const auto found = [&]() -> Result<FileDescriptor> {
    if (question.contains("connect")) return targets_.connect(number_in(question, "connect"));
    const std::string what = text_in(question, "open");
    if (what == "resolver")
      return open_host_file("/etc/resolv.conf", {.flags = O_RDONLY, .kinds = FileKinds::Regular});
    if (what == "tftp" && plan_.tftp) return plan_.tftp->open_file(text_in(question, "name"));
    return fail("nothing of the kind");
  }();
  Json reply = {{"ask", number_in(question, "ask")}};
  if (!found) reply["errno"] = question.contains("connect") ? ECONNREFUSED : ENOENT;
  (void)send_message(files_.get(), reply, found ? found->get() : -1);
}

void UserProcess::bury(Clock::time_point since) {
  {
    const std::lock_guard lock(mutex_);
    control_.reset();
  }
  pid_ = 0;
  files_.reset();
  if (stopping_) return;
  std::optional<int> status = child_->wait(200);
  if (!status) {
    child_->kill();
    status = child_->wait(1000);
  }
  child_.reset();
  lost_ = true;
  drain(plan_.frames.get());
  const bool lived = Clock::now() - since >= kLongLife;
  const std::string how = status ? end_text(*status) : "is lost";
  report_warning(fmt::format("netdev '{}': the process of its user network {}; {}", plan_.name, how,
                             lived || pause_.count() == 0
                                 ? "it is started again"
                                 : fmt::format("it comes again in {} s", pause_.count() / 1000)));
  if (lived) pause_ = {};
  const milliseconds now = std::exchange(
      pause_, std::min(kLongestPause, pause_.count() == 0 ? milliseconds(1000) : 2 * pause_));
  if (now.count() != 0) wait_stopped(now);
}

void UserProcess::wait_stopped(milliseconds most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, most, [this] { return stopping_.load(); });
}

}  // namespace rhea::net
