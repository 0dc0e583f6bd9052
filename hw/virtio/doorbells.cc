// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/doorbells.h"

#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/error.h"
#include "softmmu/iothread.h"

#include <sys/eventfd.h>

#include <cerrno>

namespace rhea::hw {
namespace {

/// Ends the threads while the devices that they call still stand.
class BellThreads final : public MachineService {
 public:
  explicit BellThreads(Machine&) {}
  void shutdown() override {
    for (const auto& thread : all) thread->reset();
  }
  std::vector<std::shared_ptr<std::unique_ptr<IoThread>>> all;
};

}  // namespace

/// One more than are wanted: the thread's loop has one of its own, and GLib ends the program for
/// want of it.
Result<> Doorbells::make(unsigned count) {
  std::vector<Bell> made(count + 1);
  for (Bell& bell : made) {
    bell.file = FileDescriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!bell.file) return fail("cannot make {} eventfds: {}", made.size(), errno_text(errno));
  }
  made.pop_back();
  bells_ = std::move(made);
  return {};
}

Result<> Doorbells::init(Device& owner, IoThreadObject* shared, unsigned count,
                         std::function<void(u16)> rung) {
  rung_ = std::move(rung);
  TRY(make(count));
  auto& threads = owner.machine().service<BellThreads>().all;
  std::erase_if(threads, [](const auto& one) { return *one == nullptr; });
  if (shared != nullptr) {
    threads.push_back(shared->thread());
    entry_.init(owner);
    watch((*shared->thread())->loop());
    return {};
  }
  *thread_ = std::make_unique<IoThread>(std::string(owner.type().name), owner.lock_domain());
  threads.push_back(thread_);
  watch((*thread_)->loop());
  return {};
}

// A thread of their own holds the domain while it calls. Another may be about to call when the
// device goes: it finds the gate shut.
void Doorbells::watch(EventLoop& loop) {
  for (u16 number = 0; number < bells_.size(); ++number) {
    std::function<void(FdEvents)> call = [this, number](FdEvents) { hear(number); };
    if (entry_.gate())
      call = [this, number, gate = entry_.gate()](FdEvents) {
        gate->enter([this, number] { hear(number); });
      };
    bells_[number].watch = loop.watch_fd(fd(number), FdEvents::Read, std::move(call));
  }
}

// In the domain: nobody is between hearing it and saying so.
void Doorbells::hear(u16 number) {
  eventfd_t times = 0;
  if (::eventfd_read(fd(number), &times) == 0) rung_(number);
}

void Doorbells::ring(u16 number) const { ::eventfd_write(fd(number), 1); }

// The thread first, which may be about to call a watch. Others may ring still.
void Doorbells::stop() {
  entry_.close();
  thread_->reset();
  if (bells_.empty()) return;
  const DomainGuard guard(owner_domain());
  bells_.clear();
}

void Doorbells::settle() {
  const DomainGuard guard(owner_domain());
  for (u16 number = 0; number < bells_.size(); ++number) hear(number);
}

}  // namespace rhea::hw
