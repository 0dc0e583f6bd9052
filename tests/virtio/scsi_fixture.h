// SPDX-License-Identifier: GPL-2.0-or-later
// A virtio SCSI host on a bench, the driver of its queues, and disks and CD-ROMs on its bus.
#pragma once

#include "hw/scsi/big_endian.h"
#include "hw/scsi/scsi_device.h"
#include "hw/virtio/virtio_scsi.h"
#include "tests/block/gate_node.h"
#include "tests/virtio/pci_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rhea::test {

inline constexpr u64 kScsiDiskBytes = 4 * MiB, kScsiData = 0x10'0000;
inline constexpr u64 kHotPlugBit = hw::virtio::bit(hw::virtio_scsi::kHotPlug),
                     kChangeBit = hw::virtio::bit(hw::virtio_scsi::kParamChange);
inline constexpr u64 kAllOfScsi = kVersion1 | kHotPlugBit | kChangeBit;

/// What comes back of a command.
struct ScsiResult {
  using Response = hw::virtio_scsi::Response;
  Response response{0xff};
  u8 status{0xff};
  u32 residual{}, sense_bytes{};
  u32 sense{};  ///< key, code and qualifier as one number
  bool good() const { return response == Response::Ok && status == 0; }
};

class VirtioScsiTest : public testing::Test {
 protected:
  using Cdb = std::vector<u8>;
  using Bytes = std::vector<u8>;
  using Response = hw::virtio_scsi::Response;
  using Function = hw::virtio_scsi::TaskFunction;
  static constexpr u64 kHeads = 0x2'0000, kSlot = 0x200, kControl = 0x3'0000, kEvents = 0x3'8000;
  static constexpr u32 kHeadBytes = 51, kAnswerBytes = 108;
  static constexpr unsigned kSlots = 32;

  ~VirtioScsiTest() override {
    for (auto& [name, gate] : gates) gate->open();
  }
  /// A medium for drive `name`, whose sectors all differ.
  void insert(const std::string& name, u64 bytes = kScsiDiskBytes, bool read_only = false) {
    auto& drive =
        find_drive(bench.machine(), name) != nullptr
            ? *find_drive(bench.machine(), name)
            : bench.machine().container("/drives").add_child(name, create<BlockBackend>());
    auto node = std::make_unique<GateNode>(bytes, read_only);
    auto gate = node->gate();
    for (std::size_t n = 0; n < gate->data.size(); ++n)
      gate->data[n] = static_cast<u8>(n / 512 + n);
    gates[name] = gate;
    drive.insert(std::move(node));
  }
  hw::ScsiDevice& add_disk(const std::string& name = "disk0", Properties more = {}) {
    if (!gates.contains(name)) insert(name);
    more.emplace_back("drive", name);
    return dynamic_cast<hw::ScsiDevice&>(bench.add("scsi-hd", more));
  }
  hw::ScsiDevice& add_cd(const std::string& name = "cd0", Properties more = {}) {
    if (!gates.contains(name)) insert(name, u64{600} * 2048, true);
    more.emplace_back("drive", name);
    return dynamic_cast<hw::ScsiDevice&>(bench.add("scsi-cd", more));
  }
  void use_host(const Properties& properties = {}) {
    driver.emplace(bench, "virtio-scsi-pci", properties);
  }
  /// The driver comes up, and hears what its units have to tell.
  void begin(u64 features = kAllOfScsi) {
    ASSERT_TRUE(driver->negotiate(features));
    packed = (features & kPacked) != 0;
    control = queue(0, 0x4'0000, 16);
    events = queue(1, 0x5'0000, 16);
    requests = queue(2, 0x6'0000, 128);
    driver->drive();
  }
  void use(u64 features = kAllOfScsi) {
    use_host();
    add_disk();
    begin(features);
    hear();
  }
  /// The unit tells what it has to tell.
  void hear(u8 target = 0) {
    lun = {1, target, 0, 0, 0, 0, 0, 0};
    for (unsigned n = 0; n < 8 && run({0x00}).status == 2; ++n) {
    }
  }
  std::unique_ptr<RingDriver> queue(u16 number, u64 at, u16 entries) {
    const RingPlace place{
        .descriptors = at, .driver = at + 0x4000, .device = at + 0x8000, .entries = entries};
    for (const u64 part : {place.descriptors, place.driver, place.device})
      bench.write(part, Bytes(0x1000, 0));
    driver->enable_queue(number, place);
    if (packed) return std::make_unique<PackedDriver>(bench.machine().memory(), place);
    return std::make_unique<SplitDriver>(bench.machine().memory(), place);
  }

  /// Makes a command available, with `out` bytes from kScsiData on, or room for `in` there.
  u16 ask(const Cdb& cdb, u32 out = 0, u32 in = 0) {
    const u64 head = kHeads + kSlot * (asked++ % kSlots);
    bench.write(head, Bytes(kSlot, 0));
    bench.write(head, lun);
    bench.store(head + 8, asked, 8);
    bench.write(head + 19, cdb);
    answer_at = head + 0x100;
    bench.store(answer_at + 11, 0xff, 1);
    std::vector<Piece> pieces{{head, kHeadBytes}};
    if (out != 0) pieces.push_back({kScsiData, out});
    pieces.push_back({answer_at, kAnswerBytes, true});
    if (in != 0) pieces.push_back({kScsiData, in, true});
    const u16 id = requests->add(pieces);
    driver->notify(2);
    return id;
  }
  std::optional<UsedBuffer> answer() {
    std::optional<UsedBuffer> used;
    bench.run_until([&] { return used || (used = requests->take_used()); });
    return used;
  }
  ScsiResult result_at(u64 at) {
    ScsiResult result{.response = static_cast<Response>(bench.load(at + 11, 1)),
                      .status = static_cast<u8>(bench.load(at + 10, 1)),
                      .residual = static_cast<u32>(bench.load(at + 4, 4)),
                      .sense_bytes = static_cast<u32>(bench.load(at, 4))};
    if (result.sense_bytes != 0)
      result.sense = static_cast<u32>((bench.load(at + 14, 1) & 15) << 16 |
                                      bench.load(at + 24, 1) << 8 | bench.load(at + 25, 1));
    return result;
  }
  ScsiResult run(const Cdb& cdb, u32 out = 0, u32 in = 0) {
    ask(cdb, out, in);
    return answer() ? result_at(answer_at) : ScsiResult{};
  }
  /// What a command gives, `bytes` at most.
  Bytes get(const Cdb& cdb, u32 bytes) {
    bench.write(kScsiData, Bytes(bytes, 0));
    const ScsiResult result = run(cdb, 0, bytes);
    EXPECT_TRUE(result.good()) << std::hex << result.sense;
    return bench.read(kScsiData, bytes - result.residual);
  }
  ScsiResult put(const Cdb& cdb, const Bytes& data) {
    bench.write(kScsiData, data);
    return run(cdb, static_cast<u32>(data.size()));
  }
  u32 sense_of(const Cdb& cdb, u32 out = 0, u32 in = 0) { return run(cdb, out, in).sense; }
  /// READ (10) and its like.
  static Cdb ten(u8 opcode, u32 lba, u16 count, u8 flags = 0) {
    Cdb cdb(10);
    cdb[0] = opcode;
    cdb[1] = flags;
    hw::put_be(cdb, 2, lba, 4);
    hw::put_be(cdb, 7, count, 2);
    return cdb;
  }
  static Cdb sixteen(u8 opcode, u64 lba, u32 count, u8 flags = 0) {
    Cdb cdb(16);
    cdb[0] = opcode;
    cdb[1] = flags;
    hw::put_be(cdb, 2, lba, 8);
    hw::put_be(cdb, 10, count, 4);
    return cdb;
  }
  /// The task with that number, of all that were asked for.
  Response manage(Function function, u64 tag = 0) {
    bench.store(kControl, 0, 4);
    bench.store(kControl + 4, static_cast<u32>(function), 4);
    bench.write(kControl + 8, lun);
    bench.store(kControl + 16, tag, 8);
    bench.store(kControl + 64, 0xff, 1);
    control->add({{kControl, 24}, {kControl + 64, 1, true}});
    driver->notify(0);
    bench.run_until([&] { return control->take_used().has_value(); });
    return static_cast<Response>(bench.load(kControl + 64, 1));
  }
  void offer_event() {
    events->add({{kEvents + u64{16} * (offered++ % 16), 16, true}});
    driver->notify(1);
  }
  /// The next event: event, target, unit, reason.
  std::optional<std::array<u32, 4>> event() {
    std::optional<UsedBuffer> used;
    if (!bench.run_until([&] { return used || (used = events->take_used()); })) return {};
    const u64 at = kEvents + u64{16} * (heard++ % 16);
    return std::array<u32, 4>{
        static_cast<u32>(bench.load(at, 4)), static_cast<u32>(bench.load(at + 5, 1)),
        static_cast<u32>(bench.load(at + 7, 1)), static_cast<u32>(bench.load(at + 12, 4))};
  }
  Bytes on_disk(u64 at, std::size_t bytes, const std::string& name = "disk0") {
    const auto from = gates[name]->data.begin() + static_cast<std::ptrdiff_t>(at);
    return {from, from + static_cast<std::ptrdiff_t>(bytes)};
  }
  BlockBackend& backend(const std::string& name = "disk0") {
    return *find_drive(bench.machine(), name);
  }
  bool settle() {
    return bench.run_until([&] { return backend().in_flight() == 0; });
  }
  u64 config(u64 at, unsigned size) { return driver->modern(0x2000 + at, size); }

  Bench bench;
  std::map<std::string, std::shared_ptr<Gate>> gates;
  std::optional<VirtioPciDriver> driver;
  std::unique_ptr<RingDriver> control, events, requests;
  Bytes lun{1, 0, 0, 0, 0, 0, 0, 0};
  bool packed{false};
  u64 answer_at{};
  unsigned asked{0}, offered{0}, heard{0};
};

}  // namespace rhea::test
