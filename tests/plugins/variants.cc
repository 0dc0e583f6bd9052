// SPDX-License-Identifier: GPL-2.0-or-later
// A plug-in that is good, or wrong in the one way that its build asks for by a macro.
#include "rhea/hw/isa.h"
#include "rhea/qom/registry.h"

#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <string_view>

namespace plugin {
namespace {

using namespace rhea;

#if defined(THROWS)
struct Thrower {
  Thrower() { throw std::runtime_error("not today"); }
};
const Thrower thrower;
#elif defined(CRASHES)
const int crash = std::raise(SIGSEGV);
#elif defined(HANGS)
const int hang = ::pause();
#elif defined(EXITS)
struct Exit {
  Exit() { ::_exit(3); }
};
const Exit at_once;
#elif defined(UNDEFINED)
}  // namespace
int nobody_has_this();
namespace {
const int missing = nobody_has_this();
#endif

/// A register of eight bits behind a port.
class Latch final : public IsaDevice {
 public:
#if defined(EXISTS)
  static constexpr std::string_view kName = "edu";
#else
  static constexpr std::string_view kName = "plugin-latch";
#endif
  static void describe(Schema<Latch>& s) {
#if defined(SECOND)
    s.help("the second edition of a latch");
    s.property("mask", &Latch::mask_, u8{0x0f}).help("bits that it keeps");
#else
    s.help("a latch");
    s.property("mask", &Latch::mask_, u8{0xff}).help("bits that it keeps");
#endif
    s.state("value", &Latch::value_);
#if defined(SAVE_THROWS)
    s.computed(
        "thrower", "str", [](const Latch&) -> Value { return std::string(); },
        [](Latch&, const Value&) -> Result<> { throw std::runtime_error("no property today"); });
#endif
#if defined(OTHER_STATE)
    s.state("more", &Latch::more_);
#endif
  }
#if defined(OBJECT_THROWS)
  Latch() { throw std::runtime_error("no latch today"); }
#endif

  Result<> realize() override {
    TRY(IsaDevice::realize());
#if defined(REFUSES)
    return fail("no latch today");
#elif defined(REALIZE_THROWS)
    throw std::runtime_error("no realize today");
#endif
    port_.init_io(*this, "latch", 1, io<&Latch::read, &Latch::write>({.min = 1, .max = 1}));
    add_port(0x500, port_);
    return {};
  }
  void reset(ResetKind) override {
#if defined(RESET_THROWS)
    throw std::runtime_error("no reset today");
#endif
    value_ = 0;
  }
#if defined(LOAD_THROWS)
  Result<> post_load(unsigned) override { throw 5; }
#elif defined(SAVE_THROWS)
  void pre_save() override { throw std::runtime_error("no save today"); }
#endif

 private:
#if defined(SECOND)
  u64 read(u64, unsigned) { return value_ | 0x80u; }
#else
  u64 read(u64, unsigned) { return value_; }
#endif
  void write(u64, u64 value, unsigned) { value_ = static_cast<u8>(value & mask_); }

  u8 mask_{};
  u8 value_{};
#if defined(OTHER_STATE)
  u8 more_{};
#endif
  Region port_;
};

const RegisterType<Latch> registration;
#if defined(TWICE)
const RegisterType<Latch> again;
#endif

}  // namespace
}  // namespace plugin
