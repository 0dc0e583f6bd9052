// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupt and other one-bit lines between devices.
#pragma once

#include "rhea/qom/member.h"
#include "rhea/qom/state.h"
#include "rhea/util/error.h"
#include "rhea/util/lock.h"
#include "rhea/util/types.h"

#include <functional>
#include <type_traits>
#include <utility>

namespace rhea {

/// The receiving end of a line: a pin of some device. Cheap to copy; unconnected by default.
/// Levels are set under the machine's lock, by whomever: receivers are interrupt controllers and
/// the like. Who runs under a domain of its own posts them (rhea/softmmu/posted.h). A receiver with
/// a domain of its own has it taken for it.
class Irq {
 public:
  using Handler = void (*)(void* opaque, unsigned pin, bool level);

  Irq() = default;
  Irq(Handler handler, void* opaque, unsigned pin)
      : handler_(handler), opaque_(opaque), pin_(pin) {}

  /// `Method` is `void Self::f(unsigned pin, bool level)`.
  template <auto Method, class Self>
  static Irq to(Self& self, unsigned pin) {
    return {[](void* opaque, unsigned p, bool level) {
              (static_cast<Self*>(opaque)->*Method)(p, level);
            },
            &self, pin};
  }

  void set(bool level) const {
    if (handler_ != nullptr) handler_(opaque_, pin_, level);
  }
  bool connected() const { return handler_ != nullptr; }

 private:
  Handler handler_{};
  void* opaque_{};
  unsigned pin_{};
};

/// The sending end: remembers its level. As state (`s.state("irq", &Self::irq_)`) it is saved, and
/// repeats its level when the machine was loaded; where the level follows from other state,
/// post_load() sets it instead. Low once its device is unrealized.
class IrqOutput final : public ObjectMember {
 public:
  void connect(Irq target) { target_ = target; }
  Irq target() const { return target_; }
  bool connected() const { return target_.connected(); }
  /// Tells the receiver of changes only.
  void set(bool level) {
    if (level == level_) return;
    RHEA_ASSERT(!LockDomain::in_device_alone());
    level_ = level;
    target_.set(level);
  }
  void raise() { set(true); }
  void lower() { set(false); }
  /// An edge: high, then low.
  void pulse() {
    set(true);
    set(false);
  }
  /// Tells the receiver even without a change (after reset or load).
  void repeat() const { target_.set(level_); }
  bool level() const { return level_; }

 protected:
  void end() override { lower(); }
  void loaded() override {
    if (std::exchange(load_, false)) repeat();
  }

 private:
  friend struct StateCodec<IrqOutput>;
  Irq target_;
  bool level_{false};
  bool load_{false};  ///< the level is a loaded one, that nobody was told of
};

template <>
struct StateCodec<IrqOutput> {
  static void save(const IrqOutput& line, StateWriter& out) { out.number(line.level_, 1); }
  static Result<> load(IrqOutput& line, StateReader& in, const StateField& field) {
    TRY(StateCodec<bool>::load(line.level_, in, field));
    line.load_ = true;
    return {};
  }
  static Value show(const IrqOutput& line) { return line.level_; }
};

/// Stands between a line and its receiver and tells an observer, when there is one, of each level.
struct IrqTap {
  Irq next;
  std::function<void(unsigned, bool)> observer;
  bool forward{true};
  const Object* receiver{};  ///< whose domain `next` runs under
  void set(unsigned pin, bool level);
};

}  // namespace rhea
