// SPDX-License-Identifier: GPL-2.0-or-later
// The entropy device served by an I/O thread in its own lock domain, while processors drive it and
// the main thread does everything else. Meant for the thread sanitizer.
#include "rhea/softmmu/vcpu.h"
#include "softmmu/device_threads.h"
#include "softmmu/user_objects.h"
#include "tests/support/fake_rng.h"
#include "tests/support/no_descriptors.h"
#include "tests/virtio/blk_fixture.h"
#include "tests/virtio/mmio_driver.h"
#include "tests/virtio/pci_driver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace rhea::test {
namespace {

constexpr u64 kInto = 0x2'0000;

/// A processor that runs no guest: with one, notifications go to the I/O thread.
class IdleRunner final : public VcpuRunner {
 public:
  void run() override {
    std::unique_lock lock(mutex_);
    kicked_.wait(lock, [this] { return std::exchange(wanted_, false); });
  }
  void kick() override {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    kicked_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable kicked_;
  bool wanted_{false};
};

class VirtioThreads : public testing::Test {
 protected:
  VirtioThreads() {
    bench.machine().add_vcpu(runner);
    bench.machine().service<DeviceThreads>().wanted = true;
    FakeRng::make(bench.machine(), "many");
    plug();
  }
  void plug() {
    driver.emplace(bench, "virtio-rng-pci", Properties{{"rng", "many"}, {"packed", "on"}});
  }
  template <class Work>
  void as_processor(Work work) {
    bench.machine().lock().unlock();
    std::thread(work).join();
    bench.machine().lock().lock();
  }
  /// Until the I/O thread has given a buffer back; for processors.
  static UsedBuffer wait_for(RingDriver& ring) {
    std::optional<UsedBuffer> used;
    while (!(used = ring.take_used())) std::this_thread::yield();
    return *used;
  }
  IdleRunner runner;
  Bench bench;
  std::optional<VirtioPciDriver> driver;
};

TEST_F(VirtioThreads, AnotherThreadServesTheNotification) {
  unsigned written = 0;
  as_processor([&] {
    const auto ring = driver->start(kVersion1);
    ring->add({{kInto, 16, true}});
    driver->notify(0);
    written = wait_for(*ring).written;
  });
  EXPECT_EQ(written, 16u);
  EXPECT_TRUE(bench.run_until([&] { return driver->interrupted(); }));
}

TEST_F(VirtioThreads, WithoutDescriptorsTheProcessorServesItself) {
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  {
    const NoMoreDescriptors none;
    plug();
  }
  const auto ring = driver->start(kVersion1);
  ring->add({{kInto, 16, true}});
  driver->notify(0);
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioThreads, AnotherThreadServesTheNotificationInMemory) {
  const VirtioMmioDriver mmio(bench, false, "virtio-rng-device", {{"rng", "many"}});
  unsigned written = 0;
  as_processor([&] {
    const auto ring = mmio.start(kVersion1);
    ring->add({{kInto, 16, true}});
    mmio.notify(0);
    written = wait_for(*ring).written;
  });
  EXPECT_EQ(written, 16u);
  EXPECT_TRUE(bench.run_until([&] { return mmio.interrupted(); }));
  ASSERT_TRUE(bench.machine().unplug(*mmio.device));
  EXPECT_FALSE(mmio.interrupted());
  mmio.notify(0);
  EXPECT_EQ(mmio.get(0x08), 0u);
}

TEST_F(VirtioThreads, AMessageComesByTheMainLoop) {
  driver->enable_msix(2);
  as_processor([&] {
    const auto ring = driver->start(kVersion1 | kPacked, {}, 1);
    ring->add({{kInto, 16, true}});
    driver->notify(0);
    wait_for(*ring);
  });
  EXPECT_TRUE(bench.run_until([&] { return !bench.messages().empty(); }));
}

TEST_F(VirtioThreads, ManyBuffersComeBackInTheirOrder) {
  unsigned good = 0;
  as_processor([&] {
    const auto ring = driver->start(kVersion1 | kPacked | kEventIdx);
    for (unsigned n = 0; n < 50; ++n) {
      const u16 id = ring->add({{kInto, 8, true}});
      driver->notify(0);
      good += wait_for(*ring) == UsedBuffer{.id = id, .written = 8};
    }
  });
  EXPECT_EQ(good, 50u);
}

TEST_F(VirtioThreads, ANotificationNobodyHasHeardIsSaved) {
  const auto ring = driver->start(kVersion1);
  bench.machine().resume();
  bench.machine().pause();
  ring->add({{kInto, 16, true}});
  driver->notify(0);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(ring->take_used(), std::nullopt);
  bench.machine().resume();
  EXPECT_TRUE(bench.run_until([&] { return driver->interrupted(); }));
  EXPECT_NE(ring->take_used(), std::nullopt);
  bench.machine().pause();
}

TEST_F(VirtioThreads, ProcessorsResetsSavesAndUnplugsDoNotMeet) {
  std::atomic<bool> stop{false};
  const auto processor = [&](u64 seed) {
    AddressSpace& memory = bench.machine().memory();
    for (u64 n = seed; !stop; ++n) {
      const u64 modern = VirtioPciDriver::kModern;
      memory.store(VirtioPciDriver::kMsix + 16 * (n % 2) + 12, n % 3 == 0 ? 1 : 0, 4);
      memory.store(modern + 0x14, n % 16 == 0 ? 0 : 0xf, 1);
      memory.store(modern + 0x0c, n % 2 != 0 ? 1 : 0, 4);
      memory.store(modern + 0x1c, 1, 2);
      memory.store(modern + 0x3000, 0, 2);
      memory.load(modern + 0x1000, 1);
    }
  };
  std::thread first(processor, 0), second(processor, 7);
  for (unsigned round = 0; round < 24; ++round) {
    bench.machine().lock().unlock();
    std::this_thread::yield();
    bench.machine().lock().lock();
    if (round % 4 == 0) bench.reset();
    if (round % 8 == 3) {
      ASSERT_TRUE(bench.machine().unplug(driver->device()));
      plug();
    }
    driver->map();
    driver->enable_msix(round % 3);
    driver->start(kVersion1 | (round % 2 == 0 ? kPacked : kEventIdx));
    bench.machine().resume();
    bench.run_until([] { return true; });
    bench.machine().pause();
    bench.save();
  }
  stop = true;
  bench.machine().lock().unlock();
  first.join();
  second.join();
  bench.machine().lock().lock();
}

/// A disk whose queues are served by -object iothread.
class VirtioIoThread : public VirtioBlkTest {
 protected:
  VirtioIoThread() {
    bench.machine().add_vcpu(runner);
    bench.machine().service<DeviceThreads>().wanted = true;
    made = add_user_object(bench.machine(), "iothread", {}, "io0").has_value();
  }
  /// As a processor: reads a sector of each disk, and says whether the answers came.
  bool read_sectors() {
    bench.machine().lock().unlock();
    std::thread([this] { ask(kBlkIn, 3, {{kBlkData, 512, true}}); }).join();
    bench.machine().lock().lock();
    return answer().has_value();
  }
  IdleRunner runner;
  bool made{};
};

TEST_F(VirtioIoThread, ServesTheDeviceThatNamesIt) {
  ASSERT_TRUE(made);
  use({{"iothread", "io0"}});
  EXPECT_TRUE(read_sectors());
  EXPECT_EQ(bench.read(kBlkData, 512), on_disk(3 * 512, 512));
}

TEST_F(VirtioIoThread, ServesADeviceInMemory) {
  ASSERT_TRUE(made);
  insert();
  const VirtioMmioDriver mmio(bench, false, "virtio-blk-device",
                              {{"drive", "disk0"}, {"iothread", "io0"}});
  ring = mmio.start(kVersion1);
  bench.store(kHeads, kBlkIn, 4);
  bench.store(kHeads + 8, 3, 8);
  ring->add({{kHeads, 16}, {kBlkData, 512, true}, {kHeads + 32, 1, true}});
  mmio.notify(0);
  EXPECT_EQ(answer()->written, 513u);
  EXPECT_EQ(bench.read(kBlkData, 512), on_disk(3 * 512, 512));
}

TEST_F(VirtioIoThread, StaysWhileADeviceUsesIt) {
  ASSERT_TRUE(made);
  use({{"iothread", "io0"}});
  EXPECT_EQ(remove_user_object(bench.machine(), "io0").error().message(),
            "object 'io0' is in use, can not be deleted");
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  EXPECT_TRUE(remove_user_object(bench.machine(), "io0"));
}

TEST_F(VirtioIoThread, WantsEventfds) {
  ASSERT_TRUE(made);
  EXPECT_EQ(refusal({{"iothread", "io0"}, {"ioeventfd", "off"}}),
            "ioeventfd is required for iothread");
  EXPECT_TRUE(remove_user_object(bench.machine(), "io0"));
}

TEST_F(VirtioIoThread, MustBeThere) { EXPECT_NE(refusal({{"iothread", "io1"}}), "it works"); }

TEST_F(VirtioIoThread, GoesOnWhenAnotherDeviceGoes) {
  ASSERT_TRUE(made);
  use({{"iothread", "io0"}});
  ASSERT_TRUE(read_sectors());
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  use({{"iothread", "io0"}});
  EXPECT_TRUE(read_sectors());
}

// Meant for the thread sanitizer: notifications are heard while devices go.
TEST_F(VirtioIoThread, NobodyIsInsideADeviceThatHasGone) {
  ASSERT_TRUE(made);
  for (unsigned round = 0; round < 40; ++round) {
    use({{"iothread", "io0"}});
    ask(kBlkIn, 3, {{kBlkData, 512, true}});
    ASSERT_TRUE(bench.machine().unplug(driver->device()));
  }
}

}  // namespace
}  // namespace rhea::test
