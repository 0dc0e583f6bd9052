// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/misc/process_link.h"

#include "rhea/util/host_file.h"
#include "rhea/util/log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace rhea::hw {
namespace {

constexpr std::size_t kLongestLine = MiB;
constexpr std::size_t kMostWaiting = 64;
constexpr int kServeAtOnce = 32;
constexpr int kEndMs = 100;

std::string excerpt(std::string_view line) {
  std::string text(line.substr(0, 60));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text + (line.size() > 60 ? "..." : "");
}

// Values in values in values cost the parser more than they are long.
bool is_deep(std::string_view line) {
  constexpr int kDeepest = 32;
  int depth = 0;
  bool text = false;
  for (std::size_t i = 0; i < line.size() && depth <= kDeepest; ++i) {
    const char c = line[i];
    if (text && c == '\\')
      ++i;
    else if (c == '"')
      text = !text;
    else if (!text && (c == '[' || c == '{'))
      ++depth;
    else if (!text && (c == ']' || c == '}'))
      --depth;
  }
  return depth > kDeepest;
}

bool is_answer(const Json& message) { return message.contains("answer"); }

}  // namespace

Result<std::shared_ptr<ProcessLink>> ProcessLink::start(Machine& machine, std::string name,
                                                        const std::vector<std::string>& words,
                                                        std::span<const std::string> variables,
                                                        Callbacks callbacks) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail("no socket for '{}': {}", words[0], errno_text(errno));
  std::shared_ptr<ProcessLink> link(
      new ProcessLink(machine, std::move(name), std::move(callbacks)));
  link->socket_ = FileDescriptor(ends[0]);
  const FileDescriptor theirs(ends[1]);
  const FileDescriptor nothing = TRY(open_host_file("/dev/null", {.flags = O_RDWR}));
  const std::array descriptors = {
      ChildProcess::Descriptor{.ours = nothing.get(), .as = STDIN_FILENO},
      ChildProcess::Descriptor{.ours = STDERR_FILENO, .as = STDOUT_FILENO},
      ChildProcess::Descriptor{.ours = theirs.get(), .as = kSocket}};
  link->child_ = TRY(ChildProcess::start(words, descriptors, variables));
  link->reader_ = std::jthread([raw = link.get()] { raw->read_lines(); });
  return link;
}

ProcessLink::~ProcessLink() { close(); }

void ProcessLink::close() {
  const std::lock_guard guard(mutex_);
  given_up_ = closed_ = over_ = true;
  ::shutdown(socket_.get(), SHUT_RDWR);
  changed_.notify_all();
}

std::string ProcessLink::reason() const {
  const std::lock_guard guard(mutex_);
  return reason_;
}

void ProcessLink::give_up(const std::string& why) {
  if (given_up_.exchange(true)) return;
  if (connected_)
    report_warning(fmt::format("{}: {}; reads are all ones from here on", name_, why));
  {
    const std::lock_guard guard(mutex_);
    if (over_) return;
    over_ = true;
    reason_ = why;
    ::shutdown(socket_.get(), SHUT_RDWR);
    changed_.notify_all();
  }
  machine_->loop().defer([weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && !self->closed_) self->callbacks_.lost();
  });
}

// ---- The reader's thread

void ProcessLink::read_lines() {
  std::string text;
  std::array<char, 16384> buffer{};
  bool sense = true;
  while (sense) {
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    std::size_t start = 0;
    for (auto end = text.find('\n'); sense && end != std::string::npos;
         end = text.find('\n', start)) {
      sense = take(std::string_view(text).substr(start, end - start));
      start = end + 1;
    }
    text.erase(0, start);
    if (text.size() <= kLongestLine) continue;
    give_up(fmt::format("its process sends a line of more than {} bytes", kLongestLine));
    break;
  }
  const std::string words = last_words();
  if (!words.empty()) give_up(words);
  child_.reset();
}

// Empty when it was given up already.
std::string ProcessLink::last_words() {
  {
    const std::lock_guard guard(mutex_);
    if (over_) return {};
  }
  const auto status = child_->wait(kEndMs);
  return status ? "its process " + end_text(*status) : "its process has closed the socket";
}

// False when there is no more to read.
bool ProcessLink::take(std::string_view line) {
  Json message = is_deep(line) ? Json() : Json::parse(line, nullptr, false);
  const bool known =
      message.is_object() &&
      (is_answer(message) ? message["answer"].is_number_unsigned() : message.contains("do"));
  if (!known) {
    give_up(fmt::format("its process sends nonsense: {}", excerpt(line)));
    return false;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return over_ || waiting_.size() < kMostWaiting; });
  if (over_) return false;
  take_in(std::move(message), lock);
  return true;
}

void ProcessLink::take_in(Json message, std::unique_lock<std::mutex>& lock) {
  if (is_answer(message) && waiting_.empty() && !serving_soon_) {
    const u64 id = message["answer"].get<u64>();
    answers_.insert_or_assign(id, std::move(message));
    while (answers_.size() > kMostWaiting) answers_.erase(answers_.begin());
    changed_.notify_all();
    return;
  }
  waiting_.push_back(std::move(message));
  changed_.notify_all();
  if (std::exchange(serving_soon_, true)) return;
  lock.unlock();
  serve_soon();
  lock.lock();
}

// ---- Under the machine's lock

void ProcessLink::serve_soon() {
  machine_->loop().defer([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->serve();
  });
}

void ProcessLink::serve() {
  for (int left = kServeAtOnce;; --left) {
    std::unique_lock lock(mutex_);
    if (waiting_.empty() || over_) {
      serving_soon_ = false;
      return;
    }
    if (left == 0) {
      serving_soon_ = true;
      break;
    }
    Json message = std::move(waiting_.front());
    waiting_.pop_front();
    changed_.notify_all();
    if (is_answer(message)) {
      const u64 id = message["answer"].get<u64>();
      answers_.insert_or_assign(id, std::move(message));
      continue;
    }
    // Answers that come meanwhile stay behind it.
    serving_soon_ = true;
    lock.unlock();
    if (!callbacks_.request(message))
      give_up(fmt::format("its process sends nonsense: {}",
                          excerpt(message.dump(-1, ' ', true, Json::error_handler_t::replace))));
  }
  serve_soon();
}

// ---- Whoever asks

void ProcessLink::tell(const Json& message) {
  const std::string line = message.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
  ssize_t sent = 0;
  {
    const std::lock_guard guard(mutex_);
    if (over_) return;
    sent = ::send(socket_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  // There is room for thousands of messages; one that is cut would garble the next.
  const bool gone = sent < 0 && errno == EPIPE;  // the reader says how
  if (sent != static_cast<ssize_t>(line.size()) && !gone)
    give_up("its process does not read what it is sent");
}

std::optional<Json> ProcessLink::ask(Json request,
                                     std::optional<std::chrono::milliseconds> patience) {
  u64 id = 0;
  {
    const std::lock_guard guard(mutex_);
    id = next_id_++;
  }
  request["id"] = id;
  tell(request);
  const bool locked = machine_->lock().held_by_me();
  const auto time = patience.value_or(locked ? kPatienceLocked : kPatience);
  return wait_for(id, std::chrono::steady_clock::now() + time, locked);
}

std::optional<Json> ProcessLink::wait_for(u64 id, Deadline limit, bool locked) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (auto found = answers_.extract(id)) return std::move(found.mapped());
    if (over_) return std::nullopt;
    // The main loop cannot serve while this thread has the lock.
    if (locked && !waiting_.empty()) {
      lock.unlock();
      serve();
      lock.lock();
      if (std::chrono::steady_clock::now() < limit) continue;
    } else if (changed_.wait_until(lock, limit) != std::cv_status::timeout) {
      continue;
    }
    if (auto found = answers_.extract(id)) return std::move(found.mapped());
    lock.unlock();
    give_up("its process does not answer");
    return std::nullopt;
  }
}

}  // namespace rhea::hw
