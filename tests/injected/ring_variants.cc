// SPDX-License-Identifier: GPL-2.0-or-later
// One type a bug.
#include "tests/injected/ring_engine.h"

namespace injected {
namespace {

template <Bug kBug>
class RingVariant final : public RingEngine {
 public:
  static constexpr std::string_view kName = type_name(kBug);
  static void describe(Schema<RingVariant>& s) {
    s.help("ring engine with one bug");
    if (kBug == Bug::PropertyHidesBase) s.property("rombar", &RingVariant::index_, u32{0});
    if (kBug != Bug::RegisterNotSaved) s.state("ring-base", &RingVariant::ring_base_);
    s.state("ring-size", &RingVariant::ring_size_);
    const u32 most = kBug == Bug::LoadedIndexUnchecked ? ~u32{0} : 15;
    if (kBug == Bug::IndexUnbounded || kBug == Bug::IndexOffByOne)
      s.state("index", &RingVariant::index_);
    else
      s.state("index", &RingVariant::index_).range(0, most);
    if (kBug != Bug::FlagBehindLineNotSaved)
      s.state(kBug == Bug::TwoStatesOfOneName ? "index" : "pending", &RingVariant::pending_);
    if (kBug != Bug::VectorNotSaved) s.state("buffer", &RingVariant::buffer_);
    if (kBug != Bug::TimerNotSaved) s.state("timer", &RingVariant::timer_);
  }
  RingVariant() : RingEngine(kBug) {}
};

#define INJECTED_REGISTRATION(name, text) \
  const RegisterType<RingVariant<Bug::name>> registration_of_##name;
INJECTED_PCI_BUGS(INJECTED_REGISTRATION)

}  // namespace
}  // namespace injected
