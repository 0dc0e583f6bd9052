// SPDX-License-Identifier: GPL-2.0-or-later
// -object iothread: a thread that serves the queues of all devices that name it.
#pragma once

#include "rhea/qom/schema.h"
#include "rhea/qom/user_object.h"
#include "rhea/util/io_thread.h"

#include <memory>

namespace rhea {

/// Main thread. The thread's loop calls with no lock held: each device is entered by a gate of its
/// own (rhea/softmmu/domain_entry.h).
class IoThreadObject final : public UserObject {
 public:
  static constexpr std::string_view kName = "iothread";
  static void describe(Schema<IoThreadObject>& s);
  ~IoThreadObject() override { thread_->reset(); }

  /// From complete() on. What is inside goes with the object, or when the machine ends.
  const std::shared_ptr<std::unique_ptr<IoThread>>& thread() const { return thread_; }
  /// Whoever holds one keeps the object from being deleted.
  std::shared_ptr<const void> use() const { return uses_; }
  bool can_be_deleted() const override { return uses_.use_count() == 1; }

  struct Polling {
    i64 max_ns{}, grow{}, shrink{}, batch{};
  };
  /// As given. Threads that sleep until they are wanted poll nothing.
  Polling polling() const {
    return {.max_ns = poll_max_ns_, .grow = poll_grow_, .shrink = poll_shrink_, .batch = batch_};
  }

 private:
  Result<> complete() override;

  std::shared_ptr<std::unique_ptr<IoThread>> thread_ =
      std::make_shared<std::unique_ptr<IoThread>>();
  std::shared_ptr<const void> uses_ = std::make_shared<const char>('\0');
  i64 poll_max_ns_{}, poll_grow_{}, poll_shrink_{}, batch_{}, fewest_{}, most_{};
};

}  // namespace rhea
