// SPDX-License-Identifier: GPL-2.0-or-later
// The back end that takes everything and says nothing.
#include "chardev/backend.h"

namespace rhea::chardev {
namespace {

class NullChardev final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-null";

  Result<> attach(FrontEnd front_end) override {
    TRY(Chardev::attach(std::move(front_end)));
    deliver(ChardevEvent::Opened);
    return {};
  }
  std::size_t write(std::span<const u8> data) override { return logged(data); }
  std::string filename() const override { return "null"; }
};

Result<std::unique_ptr<Chardev>> make(Machine&, KeyValues&, Opening) {
  return create<NullChardev>();
}

const RegisterType<NullChardev> registration;
const RegisterBackend backend{{.name = "null", .alias = "", .create = &make}};

}  // namespace
}  // namespace rhea::chardev
