// SPDX-License-Identifier: GPL-2.0-or-later
// What firmware tries to boot, and in which order: bootindex= of devices, fw_cfg file "bootorder".
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/schema.h"
#include "rhea/softmmu/machine.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea {

/// What firmware sees of a device; devices that it does not see do without.
class FirmwareNamed {
 public:
  virtual ~FirmwareNamed() = default;
  /// The device's own part of its path: "ide@1,1".
  virtual std::string firmware_name() const = 0;
};

/// The name of a device as firmware builds it from what it finds (Open Firmware's device paths):
/// "/pci@i0cf8/ide@1,1/drive@0/disk@0". Parts that firmware cannot see are left out.
std::string firmware_path(const Device& device);

/// All that have a place in the order; the least index comes first. Main thread, machine's lock.
class BootOrder final : public MachineService {
 public:
  explicit BootOrder(Machine&) {}

  /// `device` may be null when `suffix` is a whole path. `owner` is who leaves again. An index that
  /// is taken is an error.
  Result<> join(const void* owner, i32 index, const Device* device, std::string suffix);
  void leave(const void* owner);
  /// One path a line, under `strict` "HALT" behind them, ended by a zero; nothing at all without
  /// entries.
  std::vector<u8> file(bool strict) const;

 private:
  struct Entry {
    const void* owner;
    i32 index;
    const Device* device;
    std::string suffix;
  };
  std::vector<Entry> entries_;  ///< by index
};

/// A device's bootindex property; a member of the device. Set it before the device is realized or,
/// for the next reset, afterwards.
class BootIndex final : public ObjectMember {
 public:
  BootIndex() = default;
  ~BootIndex() override { leave(); }

  /// Declares the property in a device's describe().
  template <class Self, class Owner>
  static void declare(Schema<Self>& s, std::string_view name, BootIndex Owner::* member) {
    s.computed(
         name, "int32", [member](const Self& self) { return Value(i64{(self.*member).index_}); },
         [member](Self& self, const Value& value) -> Result<> { return (self.*member).set(value); })
        .settable_when_realized()
        .help("place in the boot order, the least first; -1: none");
  }
  /// From realize(): `device` is in its place now. `suffix` follows the device's own path.
  Result<> join(const Device& device, std::string suffix = {});

 protected:
  void end() override { leave(); }

 private:
  void leave();
  Result<> set(const Value& value);

  i32 index_{-1};
  BootOrder* order_{};  ///< that of the machine which the device is in
  const Device* device_{};
  std::string suffix_;
};

}  // namespace rhea
