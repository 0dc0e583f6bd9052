// SPDX-License-Identifier: GPL-2.0-or-later
// The host's side of the floppy controller.
#include "tests/storage/fdc_host.h"

namespace rhea::test {
namespace {

constexpr u8 kReady = 0x80, kToHost = 0x40, kBusy = 0x10;

}  // namespace

void FdcHost::start(unsigned unit, u8 data_rate) {
  set_reg(2, 0x00);
  set_reg(2, static_cast<u8>(0x1c | 0x10 << unit | unit));
  for (int drive = 0; drive < 4; ++drive) sense_interrupt();
  rate(data_rate);
}

void FdcHost::command(const std::vector<u8>& bytes) {
  for (const u8 byte : bytes) {
    if ((main_status() & (kReady | kToHost)) != kReady) return;
    set_reg(5, byte);
  }
}

bool FdcHost::wait_for(u8 bits) {
  return bench_.run_until([this, bits] { return (main_status() & bits) == bits; });
}

std::vector<u8> FdcHost::result() {
  std::vector<u8> bytes;
  if (!wait_for(kReady | kToHost | kBusy)) return bytes;
  while ((main_status() & (kReady | kToHost | kBusy)) == (kReady | kToHost | kBusy) &&
         bytes.size() < 32)
    bytes.push_back(reg(5));
  return bytes;
}

void FdcHost::seek(u8 cylinder, unsigned unit) {
  command({0x0f, static_cast<u8>(unit), cylinder});
  sense_interrupt();
}

void FdcHost::set_dma(u32 address, u32 length, Direction direction) {
  bench_.outb(0x0a, 0x06);
  bench_.outb(0x0b, static_cast<u8>(direction));
  bench_.outb(0x0c, 0);
  bench_.outb(0x04, static_cast<u8>(address));
  bench_.outb(0x04, static_cast<u8>(address >> 8));
  bench_.outb(0x81, static_cast<u8>(address >> 16));
  bench_.outb(0x05, static_cast<u8>(length - 1));
  bench_.outb(0x05, static_cast<u8>((length - 1) >> 8));
  bench_.outb(0x0a, 0x02);
}

std::vector<u8> FdcHost::read_data(std::size_t bytes) {
  std::vector<u8> data;
  while (data.size() < bytes && wait_for(0xf0)) data.push_back(reg(5));
  return data;
}

void FdcHost::write_data(std::span<const u8> data) {
  for (const u8 byte : data) {
    if (!wait_for(0xb0)) return;
    set_reg(5, byte);
  }
}

}  // namespace rhea::test
