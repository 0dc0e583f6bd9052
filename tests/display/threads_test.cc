// SPDX-License-Identifier: GPL-2.0-or-later
// A VGA card used by several processors at once, while it is drawn: its handlers have a lock of
// their own. Meant for the thread sanitizer.
#include "tests/display/vga_bench.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace rhea::test {
namespace {

class VgaThreads : public testing::Test {
 protected:
  /// On a thread without locks, as a processor.
  template <class Work>
  void as_processor(Work work) {
    vga->machine().lock().unlock();
    std::thread(work).join();
    vga->machine().lock().lock();
  }
  VgaBench vga;
};

TEST_F(VgaThreads, TheWindowShowsWhatTheLastWriteMadeOfIt) {
  vga.set_mode(kMode13);
  u64 chained = 0, planar = 0;
  as_processor([&] {
    AddressSpace &memory = vga->machine().memory(), &ports = vga->machine().io();
    memory.store(0xa0004, 0x5a, 1);
    chained = memory.load(0xa0004, 1);
    ports.store(0x3c4, 0x0604, 2);  // planes one by one
    ports.store(0x3ce, 0x0004, 2);  // reads from the first
    planar = memory.load(0xa0001, 1);
  });
  EXPECT_EQ(chained, 0x5au);
  EXPECT_EQ(planar, 0x5au) << "byte 4 of chained memory is byte 1 of plane 0";
}

TEST_F(VgaThreads, ProcessorsDrawingAndResetsDoNotMeet) {
  std::atomic<bool> stop{false};
  const auto processor = [&](unsigned seed) {
    AddressSpace &memory = vga->machine().memory(), &ports = vga->machine().io();
    for (unsigned n = seed; !stop; ++n) {
      ports.store(0x3c4, n % 2 != 0 ? 0x0604 : 0x0e04, 2);
      ports.store(0x3ce, n % 3 != 0 ? 0x0e06 : 0x0506, 2);
      ports.load(0x3da, 1);
      memory.store(0xb8000 + n % 4000, n, 2);
      memory.load(0xa0000 + n % 60000, 4);
    }
  };
  std::thread first(processor, 0), second(processor, 3);
  for (unsigned round = 0; round < 60; ++round) {
    vga->machine().lock().unlock();
    std::this_thread::yield();
    vga->machine().lock().lock();
    vga.refresh(round % 4 == 0);
    vga->save();
    if (round % 16 == 15) vga->reset();
  }
  stop = true;
  vga->machine().lock().unlock();
  first.join();
  second.join();
  vga->machine().lock().lock();
}

}  // namespace
}  // namespace rhea::test
