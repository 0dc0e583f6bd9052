// SPDX-License-Identifier: GPL-2.0-or-later
// The "none" board, on which tools ask a program what it can do.
#include "hw/i386/board.h"
#include "net/nic_requests.h"
#include "rhea/util/log.h"
#include "softmmu/default_devices.h"
#include "softmmu/memory_option.h"

namespace rhea::hw {
namespace {

/// No processor, no device; memory at address 0 where -m asks for it.
class NoneBoard final : public Board {
 public:
  static constexpr std::string_view kName = "none-machine";
  static void describe(Schema<NoneBoard>& s) { s.help("empty machine"); }

  Result<> build() override {
    machine().config.cpus = machine().config.max_cpus = 0;
    machine().service<DefaultDevices>().network = false;
    for (const net::NicRequest& request : TRY(machine().service<net::NicRequests>().take()))
      report_warning(fmt::format("{}: this board has no place for a card", request.option));
    TRY(tell_of_unused_options());
    if (!machine().service<MemoryRequest>().size_given) return {};
    TRY(ram_.init_ram(nullptr, "ram", machine().config.ram_size, machine().config.ram));
    machine().system_memory().add(0, ram_);
    return {};
  }

 private:
  Region ram_;
};

const RegisterType<NoneBoard> registration;

}  // namespace
}  // namespace rhea::hw
