// SPDX-License-Identifier: GPL-2.0-or-later
// A line with more than one source.
#pragma once

#include "rhea/qom/irq.h"
#include "rhea/qom/state.h"

#include <vector>

namespace rhea {

/// A line that several sources pull up: it is high while any of them holds it there.
class SharedLine {
 public:
  SharedLine() = default;
  SharedLine(const SharedLine&) = delete;
  SharedLine& operator=(const SharedLine&) = delete;

  void connect(Irq target) { target_ = target; }
  /// The end of one more source, which must not be given to another as well.
  Irq add_source() {
    levels_.push_back(false);
    return Irq::to<&SharedLine::set>(*this, static_cast<unsigned>(levels_.size() - 1));
  }

 private:
  friend struct StateCodec<SharedLine>;

  void set(unsigned source, bool level) {
    if (levels_[source] != level) high_ += level ? 1 : -1;
    levels_[source] = level;
    target_.set(high_ != 0);
  }

  Irq target_;
  std::vector<bool> levels_;
  int high_{0};
};

/// Which sources pull, in the order in which they were added. Loading does not drive the target,
/// whose own state says what it sees. Sources that only one side has (of a device that was
/// unplugged) do not pull.
template <>
struct StateCodec<SharedLine> {
  static void save(const SharedLine& line, StateWriter& out) {
    out.number(line.levels_.size(), 4);
    for (const bool level : line.levels_) out.number(level ? 1 : 0, 1);
  }
  static Result<> load(SharedLine& line, StateReader& in, const StateField& field) {
    const u64 count = TRY(in.number(4));
    line.high_ = 0;
    line.levels_.assign(line.levels_.size(), false);
    for (u64 source = 0; source < count; ++source) {
      const u64 level = TRY(in.number(1));
      if (level > 1) return fail("line '{}' has a source at {}", field.name, level);
      if (level == 0 || source >= line.levels_.size()) continue;
      line.levels_[source] = true;
      ++line.high_;
    }
    return {};
  }
};

}  // namespace rhea
