// SPDX-License-Identifier: GPL-2.0-or-later
// The 8254's channel 2 as port 0x61 sees it.
#pragma once

namespace rhea {

class SpeakerTimer {
 public:
  virtual ~SpeakerTimer() = default;
  virtual void set_gate(bool high) = 0;
  virtual bool gate() const = 0;
  virtual bool output() const = 0;
};

}  // namespace rhea
