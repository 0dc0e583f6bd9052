// SPDX-License-Identifier: GPL-2.0-or-later
#include "softmmu/plugin_trial.h"

#include "qom/plugin.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/host_file.h"
#include "util/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>

namespace rhea {
namespace {

constexpr const char* kVariable = "RHEA_PLUGIN_TRIAL";
constexpr std::string_view kVerdict = "\nrhea-plugin-verdict:";
constexpr int kSeconds = 10;
constexpr int kLookMs = 100;
constexpr std::size_t kMostText = 64 * KiB;

// What comes from `fd` until its end, or until the time is up or somebody wants us to stop (false).
bool read_until(int fd, std::chrono::steady_clock::time_point limit, const std::stop_token& stop,
                std::string& text) {
  while (!stop.stop_requested() && std::chrono::steady_clock::now() < limit) {
    pollfd state{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&state, 1, kLookMs) <= 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count <= 0) return true;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kMostText) text.erase(0, text.size() - kMostText / 2);
    if (const auto at = text.find(kVerdict);
        at != std::string::npos && text.find('\n', at + 1) != std::string::npos)
      return true;
  }
  return false;
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  text.remove_prefix(text.rfind('\n') + 1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  return std::string(text);
}

Result<> check_types(const std::string& path) {
  const auto types = TRY(load_plugin(path));
  for (const TypeInfo* type : types) {
    if (type->is_abstract || !type->create) continue;
    if (auto made = create_object(type->name); !made)
      return std::unexpected(std::move(made).error().within(path));
  }
  return {};
}

std::string verdict_on(const std::string& path) {
  try {
    const auto result = check_types(path);
    return result ? std::string() : result.error().message();
  } catch (const std::exception& error) {
    return fmt::format("{}: an object of its types cannot be made: {}", path, error.what());
  } catch (...) {
    return fmt::format("{}: an object of its types cannot be made", path);
  }
}

}  // namespace

bool is_plugin_trial() { return std::getenv(kVariable) != nullptr; }

void run_plugin_trial(const std::string& path) {
  const std::string text = fmt::format("{}{}\n", kVerdict, verdict_on(path));
  (void)!::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(0);
}

Result<> try_plugin(const std::string& path, const std::stop_token& stop) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail("{}: {}", path, errno_text(errno));
  const FileDescriptor ours(ends[0]);
  FileDescriptor theirs(ends[1]);
  const FileDescriptor nothing = TRY(open_host_file("/dev/null", {.flags = O_RDWR}));
  const std::array descriptors = {
      ChildProcess::Descriptor{.ours = nothing.get(), .as = STDIN_FILENO},
      ChildProcess::Descriptor{.ours = nothing.get(), .as = STDOUT_FILENO},
      ChildProcess::Descriptor{.ours = theirs.get(), .as = STDERR_FILENO}};
  const std::array variables = {fmt::format("{}=1", kVariable)};
  auto child =
      ChildProcess::start({"/proc/self/exe", "-device-plugin", path}, descriptors, variables);
  if (!child) return std::unexpected(std::move(child).error().within(path));
  theirs.reset();
  std::string said;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(kSeconds);
  const bool in_time = read_until(ours.get(), limit, stop, said);
  if (const auto at = said.find(kVerdict); at != std::string::npos) {
    const std::string verdict = last_line(std::string_view(said).substr(at + 1));
    const std::string_view error = std::string_view(verdict).substr(verdict.find(':') + 1);
    return error.empty() ? Result<>() : fail("{}", error);
  }
  const auto status = in_time ? child->wait(1000) : std::nullopt;
  if (!status) return fail("{}: it does not finish loading within {} s", path, kSeconds);
  const std::string words = last_line(said);
  return fail("{}: a process that loads it {}{}{}", path, end_text(*status),
              words.empty() ? "" : "; its last words: ", words);
}

}  // namespace rhea
