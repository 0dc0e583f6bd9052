// SPDX-License-Identifier: GPL-2.0-or-later
// A text console of the display: taken, but there is no window yet that shows it.
#include "chardev/backend.h"
#include "rhea/util/log.h"

namespace rhea::chardev {
namespace {

constexpr u64 kMaxSide = 16384;

/// Output is dropped, as in QEMU under -display none.
class VirtualConsole final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-vc";

  static Result<std::unique_ptr<Chardev>> make(Machine&, KeyValues& options, Opening) {
    for (const std::string_view key : {"width", "height", "cols", "rows"})
      if (const auto text = options.take(key)) {
        auto side = parse_unsigned(Value(*text), {.min = 1, .max = kMaxSide}, false);
        if (!side)
          return std::unexpected(
              std::move(side).error().within(fmt::format("chardev: vc: {}", key)));
      }
    report_info(
        "no display shows text consoles (vc) yet: their text is dropped; stdio, pty and "
        "socket show it");
    return create<VirtualConsole>();
  }

  Result<> attach(FrontEnd front_end) override {
    TRY(Chardev::attach(std::move(front_end)));
    deliver(ChardevEvent::Opened);
    return {};
  }
  std::size_t write(std::span<const u8> data) override { return logged(data); }
  std::string filename() const override { return "vc"; }
};

const RegisterType<VirtualConsole> registration;
const RegisterBackend backend{{.name = "vc", .alias = "", .create = &VirtualConsole::make}};

}  // namespace
}  // namespace rhea::chardev
