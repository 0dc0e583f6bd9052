// SPDX-License-Identifier: GPL-2.0-or-later
// The host's side of an IDE channel.
#include "tests/storage/ide_host.h"

namespace rhea::test {

void IdeHost::add_controller(Bench& bench) {
  bench.add("piix3-ide", {{"addr", "1.1"}});
  bench.config_write(kDevfn, 0x20, kMaster, 4);
  bench.config_write(kDevfn, 0x04, 0x05, 2);
}

void IdeHost::set_lba28(u32 lba, u8 count, unsigned unit) {
  set_reg(6, static_cast<u8>(0xe0 | unit << 4 | (lba >> 24 & 0x0f)));
  set_reg(2, count);
  set_reg(3, static_cast<u8>(lba));
  set_reg(4, static_cast<u8>(lba >> 8));
  set_reg(5, static_cast<u8>(lba >> 16));
}

void IdeHost::set_lba48(u64 lba, u16 count, unsigned unit) {
  set_reg(6, static_cast<u8>(0xe0 | unit << 4));
  set_reg(2, static_cast<u8>(count >> 8));
  set_reg(3, static_cast<u8>(lba >> 24));
  set_reg(4, static_cast<u8>(lba >> 32));
  set_reg(5, static_cast<u8>(lba >> 40));
  set_reg(2, static_cast<u8>(count));
  set_reg(3, static_cast<u8>(lba));
  set_reg(4, static_cast<u8>(lba >> 8));
  set_reg(5, static_cast<u8>(lba >> 16));
}

u8 IdeHost::command(u8 code) {
  set_reg(7, code);
  return settle();
}

u8 IdeHost::settle() {
  bench_.run_until([this] { return (alternate_status() & kBusy) == 0; });
  return alternate_status();
}

std::vector<u8> IdeHost::read_data(std::size_t bytes) {
  std::vector<u8> data;
  while (data.size() < bytes) {
    settle();
    const u16 value = bench_.inw(base());
    data.push_back(static_cast<u8>(value));
    data.push_back(static_cast<u8>(value >> 8));
  }
  data.resize(bytes);
  return data;
}

void IdeHost::write_data(std::span<const u8> data) {
  for (std::size_t i = 0; i < data.size(); i += 2) {
    settle();
    const unsigned high = i + 1 < data.size() ? data[i + 1] : 0;
    bench_.outw(base(), static_cast<u16>(data[i] | high << 8));
  }
}

void IdeHost::set_table(u32 table, const std::vector<Descriptor>& descriptors) {
  u64 at = table;
  for (const Descriptor& descriptor : descriptors) {
    bench_.store(at, descriptor.address, 4);
    bench_.store(at + 4, (descriptor.length & 0xffff) | (descriptor.last ? 0x80000000U : 0), 4);
    at += 8;
  }
  bench_.outl(static_cast<u16>(master() + 4), table);
}

u8 IdeHost::packet(std::vector<u8> cdb, u16 limit, u8 features) {
  cdb.resize(12);
  set_reg(1, features);
  set_reg(4, static_cast<u8>(limit));
  set_reg(5, static_cast<u8>(limit >> 8));
  command(0xa0);
  write_data(cdb);
  return settle();
}

std::vector<u8> IdeHost::packet_in(const std::vector<u8>& cdb, u16 limit) {
  std::vector<u8> all;
  u8 now = packet(cdb, limit);
  while ((now & kDrq) != 0) {
    const std::size_t bytes = reg(4) | reg(5) << 8;
    const auto block = read_data(bytes);
    all.insert(all.end(), block.begin(), block.end());
    now = settle();
  }
  return all;
}

}  // namespace rhea::test
