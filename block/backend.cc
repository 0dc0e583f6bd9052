// SPDX-License-Identifier: GPL-2.0-or-later
// Drives: media, and requests from the devices to the medium.
#include "block/block_service.h"
#include "block/blockdev.h"
#include "block/drive_errors.h"
#include "block/request_queue.h"
#include "block/trace_events.h"
#include "rhea/block/block_backend.h"
#include "rhea/softmmu/tool_events.h"

#include <array>
#include <atomic>
#include <utility>

namespace rhea {

using namespace block;

struct BlockBackend::Impl {
  std::shared_ptr<char> attached = std::make_shared<char>();  ///< whose requests they are
  std::shared_ptr<BlockNode> node;
  BlockService* service{};  ///< with the queue
  std::unique_ptr<RequestQueue> queue;
  DriveErrors errors;
  /// The node, as requests see it that have waited while the medium was changed.
  std::shared_ptr<std::atomic<const BlockNode*>> present =
      std::make_shared<std::atomic<const BlockNode*>>(nullptr);

  // A request that is refused completes like any other: later, on the main loop.
  Result<> check(u64 offset, u64 length, bool write) const {
    if (!node) return fail("no medium");
    if (write && node->read_only()) return fail("'{}' is read-only", node->filename());
    if (offset > node->size() || length > node->size() - offset)
      return fail("{} bytes at {} are beyond the end of '{}'", length, offset, node->filename());
    return {};
  }
};

// A machine that stops tells each time: it goes on only when somebody lets it.
void BlockBackend::failed(const BlockNode& node, bool read, const Error& error) {
  static constexpr std::array kActions = {"report", "ignore", "stop"};
  DriveErrors& errors = impl_->errors;
  errors.action = errors.decide(read, error);
  const bool stops = errors.action == ErrorAction::Stop;
  if (stops) errors.note_stop(error);
  ToolEvents::Data data = {
      {"device", shown_name()},
      {"node-name", node.node_name},
      {"operation", std::string(read ? "read" : "write")},
      {"action", std::string(kActions[static_cast<std::size_t>(errors.action)])}};
  if (errors.may_stop()) data.emplace_back("nospace", is_no_space(error));
  data.emplace_back("reason", error.message());
  machine().service<ToolEvents>().tell("BLOCK_IO_ERROR", std::move(data),
                                       stops ? ToolEvents::Pace::AtOnce : ToolEvents::Pace::Held);
  if (stops && machine().running()) machine().request_pause(RunState::IoError);
}

const ErrorPolicy& BlockBackend::error_policy() const { return impl_->errors.policy; }
void BlockBackend::set_error_policy(ErrorPolicy policy) { impl_->errors.policy = policy; }
void BlockBackend::set_error_policy_of(OnError read, OnError write) {
  if (read != OnError::Auto) impl_->errors.policy.read = read;
  if (write != OnError::Auto) impl_->errors.policy.write = write;
}
void BlockBackend::let_policy_decide() { impl_->errors.in_force = true; }
ErrorAction BlockBackend::error_action() const { return impl_->errors.action; }
std::string_view BlockBackend::io_status() const { return impl_->errors.status(); }
void BlockBackend::when_running(std::function<void()> then) {
  impl_->errors.when_running(std::move(then));
}
void BlockBackend::machine_runs() { impl_->errors.go_on(); }

RequestQueue& BlockBackend::queue() {
  if (!impl_->queue) {
    impl_->service = &machine().service<BlockService>();
    impl_->queue = std::make_unique<RequestQueue>(
        machine().loop(), [service = impl_->service] { service->became_quiet(); });
  }
  return *impl_->queue;
}

// `work` is called with the medium when the request is allowed; what it counts is known here.
BlockBackend::Ticket BlockBackend::start(Request request, Result<> allowed,
                                         std::function<Result<>(BlockNode&)> work,
                                         Completion done) {
  const bool read = request.counter == &Statistics::reads;
  const std::shared_ptr<BlockNode> asked = allowed ? impl_->node : nullptr;
  return queue().add(
      read ? RequestQueue::Kind::Read : RequestQueue::Kind::Write,
      [node = impl_->node, present = impl_->present, allowed = std::move(allowed),
       end = request.end, work = std::move(work)]() -> Result<> {
        if (!allowed) return allowed;
        if (present->load() != node.get()) return fail("the medium has been changed");
        if (end > node->size()) return fail("the medium has become shorter");
        return work(*node);
      },
      [this, request, read, asked, whose = std::weak_ptr(impl_->attached),
       done = std::move(done)](Result<> result) {
        ++(statistics_.*request.counter);
        if (result && request.bytes_counter != nullptr)
          statistics_.*request.bytes_counter += request.bytes;
        if (!result) block_error(name(), result.error().message());
        impl_->errors.action = ErrorAction::Report;
        if (!result && asked && asked == impl_->node) failed(*asked, read, result.error());
        if (!whose.expired()) done(std::move(result));
      });
}

BlockBackend::BlockBackend() : impl_(std::make_unique<Impl>()) {}
BlockBackend::~BlockBackend() {
  if (impl_->node && !is_node_) {
    if (quiet())
      impl_->node->release();
    else if (!impl_->service->ending().begun())  // then all goes with the program
      // Behind the last write, however long that takes.
      queue().add(
          RequestQueue::Kind::Write,
          [node = impl_->node]() -> Result<> {
            node->release();
            return {};
          },
          nullptr);
  }
  if (impl_->queue) impl_->service->close(*impl_->queue, name());
}

bool BlockBackend::inserted() const { return impl_->node != nullptr; }
u64 BlockBackend::size() const { return impl_->node ? impl_->node->size() : 0; }
bool BlockBackend::read_only() const { return impl_->node ? impl_->node->read_only() : cdrom_; }
std::string BlockBackend::filename() const { return impl_->node ? impl_->node->filename() : ""; }
const std::shared_ptr<BlockNode>& BlockBackend::medium() const { return impl_->node; }
std::string BlockBackend::format() const {
  return std::string(impl_->node ? impl_->node->format() : "");
}

void BlockBackend::set_medium(std::shared_ptr<BlockNode> node) {
  drain();
  if (impl_->node) impl_->node->release();
  impl_->node = std::move(node);
  *impl_->present = impl_->node.get();
  if (!impl_->node) return;
  was_read_only_ = impl_->node->read_only();
  if (impl_->node->node_name.empty() && in_machine())
    impl_->node->node_name = machine().service<NamedNodes>().new_name();
}

void BlockBackend::hold(std::shared_ptr<BlockNode> node) {
  impl_->node = std::move(node);
  is_node_ = true;
}

void BlockBackend::insert(std::shared_ptr<BlockNode> node) {
  set_medium(std::move(node));
  if (media_ != nullptr) media_->medium_changed(true);
}

void BlockBackend::eject() {
  if (!impl_->node) return;
  set_medium(nullptr);
  if (media_ != nullptr) media_->medium_changed(false);
}

Result<> BlockBackend::attach(Device& device, MediaDevice* media) {
  if (device_ != nullptr) return fail("Drive '{}' is already in use by another device", name());
  device_ = &device;
  media_ = media;
  return {};
}

std::string BlockBackend::device_name() const {
  if (device_ == nullptr) return {};
  return device_->id().empty() ? device_->path() : device_->id();
}

// Requests of the device that are under way are completed for nobody.
void BlockBackend::detach() {
  impl_->attached = std::make_shared<char>();
  impl_->errors.in_force = false;
  resized_ = nullptr;
  device_ = nullptr;
  media_ = nullptr;
}

BlockBackend::Ticket BlockBackend::read(u64 offset, std::span<u8> data, Completion done) {
  block_read(name(), offset, data.size());
  return start(
      {.counter = &Statistics::reads,
       .bytes_counter = &Statistics::read_bytes,
       .bytes = data.size(),
       .end = offset + data.size()},
      impl_->check(offset, data.size(), false),
      [offset, data](BlockNode& node) { return node.read(offset, data); }, std::move(done));
}

BlockBackend::Ticket BlockBackend::write(u64 offset, std::span<const u8> data, Completion done) {
  block_write(name(), offset, data.size());
  return start(
      {.counter = &Statistics::writes,
       .bytes_counter = &Statistics::written_bytes,
       .bytes = data.size(),
       .end = offset + data.size()},
      impl_->check(offset, data.size(), true),
      [offset, data](BlockNode& node) { return node.write(offset, data); }, std::move(done));
}

BlockBackend::Ticket BlockBackend::flush(Completion done) {
  block_flush(name());
  return start(
      {.counter = &Statistics::flushes}, impl_->check(0, 0, false),
      [](BlockNode& node) { return node.flush(); }, std::move(done));
}

BlockBackend::Ticket BlockBackend::discard(u64 offset, u64 length, Completion done) {
  block_discard(name(), offset, length);
  return start(
      {.counter = &Statistics::discards,
       .bytes_counter = &Statistics::discarded_bytes,
       .bytes = length,
       .end = offset + length},
      impl_->check(offset, length, true),
      [offset, length](BlockNode& node) { return node.discard(offset, length); }, std::move(done));
}

BlockBackend::Ticket BlockBackend::write_zeroes(u64 offset, u64 length, bool may_unmap,
                                                Completion done) {
  block_write(name(), offset, length);
  return start(
      {.counter = &Statistics::writes,
       .bytes_counter = &Statistics::written_bytes,
       .bytes = length,
       .end = offset + length},
      impl_->check(offset, length, true),
      [=](BlockNode& node) { return node.write_zeroes(offset, length, may_unmap); },
      std::move(done));
}

// Whose command it is does not depend on the device.
void BlockBackend::resize(u64 bytes, Completion done) {
  queue().add(
      RequestQueue::Kind::Write,
      [node = impl_->node, bytes]() -> Result<> {
        return node ? node->resize(bytes) : fail("no medium");
      },
      [this, done = std::move(done)](Result<> result) {
        if (result && resized_) resized_();
        done(std::move(result));
      });
}

bool BlockBackend::withdraw(Ticket ticket) {
  return impl_->queue != nullptr && impl_->queue->withdraw(ticket);
}

void BlockBackend::drain() {
  if (impl_->queue) impl_->queue->drain();
}

bool BlockBackend::drain(std::chrono::steady_clock::time_point until) {
  return !impl_->queue || impl_->queue->drain(until);
}

bool BlockBackend::finish() {
  return !impl_->queue || impl_->queue->drain(impl_->service->ending().patience());
}

bool BlockBackend::quiet() const { return !impl_->queue || impl_->queue->quiet(); }

void BlockBackend::hold() { queue().hold(); }
void BlockBackend::release() { queue().release(); }

unsigned BlockBackend::in_flight() const { return impl_->queue ? impl_->queue->in_flight() : 0; }

namespace {
const RegisterType<BlockBackend, Object> registration;
}  // namespace

}  // namespace rhea
