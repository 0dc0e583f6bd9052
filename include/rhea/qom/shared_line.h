// SPDX-License-Identifier: GPL-2.0-or-later
// A line with more than one source.
#pragma once

#include "rhea/qom/irq.h"

#include <vector>

namespace rhea {

/// A line that several sources pull up: it is high while any of them holds it there. It has no
/// state of its own: devices say again what they hold when theirs has been loaded.
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
  void set(unsigned source, bool level) {
    if (levels_[source] != level) high_ += level ? 1 : -1;
    levels_[source] = level;
    target_.set(high_ != 0);
  }

  Irq target_;
  std::vector<bool> levels_;
  int high_{0};
};

}  // namespace rhea
