// SPDX-License-Identifier: GPL-2.0-or-later
// The memory in which a memory module says what it is.
#include "hw/i2c/i2c_bus.h"
#include "hw/i2c/module_data.h"
#include "rhea/softmmu/machine.h"

#include <algorithm>

namespace rhea::hw {
namespace {

/// A serial EEPROM of 256 bytes (Atmel's AT24C02 data sheet, by SMBus messages): the first byte of
/// a write is where it begins, and reads go on from there. It holds the serial presence detect of
/// the module in its socket, which is at addresses 0x50 to 0x57 the first to eighth of those that
/// make up the machine's memory; zeroes where there is none. State: complete. Missing: write
/// protection.
class SmbusEeprom final : public I2cDevice {
 public:
  static constexpr std::string_view kName = "smbus-eeprom";
  static void describe(Schema<SmbusEeprom>& s) {
    s.help("EEPROM of a memory module");
    s.board_only();
    s.state("data", &SmbusEeprom::data_).survives_reset();
    s.state("offset", &SmbusEeprom::offset_);
  }

  void receive(std::span<const u8> bytes) override {
    if (bytes.empty()) return;
    offset_ = bytes.front();
    for (const u8 byte : bytes.subspan(1)) data_[offset_++] = byte;
  }
  u8 send() override { return data_[offset_++]; }

 protected:
  Result<> realize() override {
    constexpr unsigned kFirst = 0x50, kSockets = 8;
    const unsigned socket = address() - kFirst;
    const auto modules = memory_modules(machine().config.ram_size, kSockets);
    if (socket < modules.size()) data_ = module_data(modules[socket], socket);
    return {};
  }
  void reset(ResetKind) override { offset_ = 0; }

 private:
  ModuleData data_{};
  u8 offset_{0};
};

const RegisterType<SmbusEeprom> registration;

}  // namespace
}  // namespace rhea::hw
