// SPDX-License-Identifier: GPL-2.0-or-later
// Preloaded into a program: marks which of some instructions it comes to, at the cost of one trap
// each. LINE_PROBE_FILE is a file of pairs of 64-bit words: where an instruction is in the
// program's file image, and 1 once it was reached. Processes that the program forks mark the same
// file; programs that it starts are left alone.
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

constexpr std::uint8_t kBreakpoint = 0xcc;

struct Probe {
  std::uint64_t at;  ///< sorted
  std::uint64_t reached;
};

std::span<Probe> probes;
std::vector<std::uint8_t> originals;
std::uintptr_t base;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  ::_exit(125);
}

/// Another thread may have been here first: then there is only the instruction to do again.
void trapped(int, siginfo_t*, void* context) {
  auto& rip = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
  const auto address = static_cast<std::uintptr_t>(rip) - 1;
  const auto probe = std::ranges::lower_bound(probes, address - base, {}, &Probe::at);
  if (probe == probes.end() || probe->at != address - base) ::abort();
  auto* instruction = reinterpret_cast<volatile std::uint8_t*>(address);
  *instruction = originals[static_cast<std::size_t>(probe - probes.begin())];
  probe->reached = 1;
  rip = static_cast<greg_t>(address);
}

void make_writable(std::uintptr_t first, std::uintptr_t end) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  first -= first % page;
  if (::mprotect(reinterpret_cast<void*>(first), end - first, PROT_READ | PROT_WRITE | PROT_EXEC) !=
      0)
    fail("line_probe: mprotect");
}

void map_file(const char* name) {
  const int file = ::open(name, O_RDWR | O_CLOEXEC);
  struct stat status{};
  if (file < 0 || ::fstat(file, &status) != 0) fail(name);
  void* data = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ | PROT_WRITE,
                      MAP_SHARED, file, 0);
  if (data == MAP_FAILED) fail(name);
  ::close(file);
  probes = {static_cast<Probe*>(data), static_cast<std::size_t>(status.st_size) / sizeof(Probe)};
}

int note_base(dl_phdr_info* info, std::size_t, void*) {
  base = info->dlpi_addr;  // the program comes first
  return 1;
}

__attribute__((constructor)) void begin() {
  const char* name = std::getenv("LINE_PROBE_FILE");
  if (name == nullptr) return;
  map_file(name);
  ::unsetenv("LINE_PROBE_FILE");
  ::unsetenv("LD_PRELOAD");
  if (probes.empty()) return;
  ::dl_iterate_phdr(note_base, nullptr);
  make_writable(base + probes.front().at, base + probes.back().at + 1);
  struct sigaction action{};
  action.sa_sigaction = trapped;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (::sigaction(SIGTRAP, &action, nullptr) != 0) fail("line_probe: sigaction");
  for (const Probe& probe : probes) {
    auto* instruction = reinterpret_cast<std::uint8_t*>(base + probe.at);
    originals.push_back(*instruction);
    *instruction = kBreakpoint;
  }
}

}  // namespace

/// Threads block all signals; a trap that is blocked would end the program.
extern "C" int pthread_sigmask(int how, const sigset_t* set, sigset_t* old) {
  using Function = int (*)(int, const sigset_t*, sigset_t*);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "pthread_sigmask"));
  if (set == nullptr || how == SIG_UNBLOCK) return real(how, set, old);
  sigset_t without = *set;
  ::sigdelset(&without, SIGTRAP);
  return real(how, &without, old);
}
