// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/misc/process_link.h"

#include "hw/misc/process_messages.h"
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
// A process's socket closes before the process has ended: on a loaded host, some time before. At
// the start there is time to wait for it, later a guest's access is waiting.
constexpr int kEndMs = 100, kEndAtStartMs = 2000;

std::string excerpt(std::string_view line) {
  std::string text(line.substr(0, 60));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text + (line.size() > 60 ? "..." : "");
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
      new ProcessLink(machine, std::move(name), "its process", std::move(callbacks)));
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

void ProcessLink::hang_up() { ::shutdown(socket_.get(), SHUT_RDWR); }

std::string ProcessLink::words_of(const Json& request) const {
  return excerpt(request.dump(-1, ' ', true, Json::error_handler_t::replace));
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
      sense = take_line(std::string_view(text).substr(start, end - start));
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
  if (over()) return {};
  const auto status = child_->wait(is_connected() ? kEndMs : kEndAtStartMs);
  return status ? "its process " + end_text(*status) : "its process has closed the socket";
}

// False when there is no more to read.
bool ProcessLink::take_line(std::string_view line) {
  Json message = is_deep(line) ? Json() : Json::parse(line, nullptr, false);
  const bool known =
      message.is_object() &&
      (is_answer(message) ? message["answer"].is_number_unsigned() : message.contains("do"));
  if (!known) {
    give_up(fmt::format("its process sends nonsense: {}", excerpt(line)));
    return false;
  }
  std::optional<u64> answer_to;
  if (is_answer(message)) answer_to = message["answer"].get<u64>();
  return take(std::move(message), answer_to);
}

// ---- Whoever asks

void ProcessLink::tell(const Json& message) {
  const std::string line = message.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
  ssize_t sent = 0;
  {
    const std::lock_guard guard(mutex_);
    sent = ::send(socket_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  // There is room for thousands of messages; one that is cut would garble the next.
  const bool gone = sent < 0 && errno == EPIPE;  // the reader says how
  if (sent != static_cast<ssize_t>(line.size()) && !gone)
    give_up("its process does not read what it is sent");
}

std::optional<Json> ProcessLink::ask(Json request, std::optional<Duration> patience) {
  const u64 id = next_id();
  request["id"] = id;
  tell(request);
  return wait_for(id, patience);
}

}  // namespace rhea::hw
