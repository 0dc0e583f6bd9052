// SPDX-License-Identifier: GPL-2.0-or-later
// Why KVM cannot be had, each in one line that says what to do; and the writes that the kernel
// handles for us.
#include "tests/accel/guest.h"

#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What "-accel kvm,device=PATH" says.
std::string refusal(const std::string& device) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  accel::AccelService service(machine);
  service.add_candidates("kvm,device=" + device);
  const auto result = service.select();
  return result ? "it works" : result.error().message();
}

TEST(KvmStartUp, AMissingDeviceIsNamed) {
  const std::string text = refusal("/nonexistent/kvm");
  EXPECT_THAT(text, HasSubstr("cannot open /nonexistent/kvm: there is no such device"));
  EXPECT_THAT(text, Not(HasSubstr("\n")));
}

TEST(KvmStartUp, AFolderCannotBeOpened) {
  const std::string text = refusal("/dev");
  EXPECT_THAT(text, HasSubstr("cannot open /dev: Is a directory"));
  EXPECT_THAT(text, Not(HasSubstr("\n")));
}

TEST(KvmStartUp, AnotherDeviceIsNotKvm) {
  const std::string text = refusal("/dev/null");
  EXPECT_THAT(text, HasSubstr("/dev/null is not KVM"));
  EXPECT_THAT(text, Not(HasSubstr("\n")));
}

TEST(KvmStartUp, OtherVersionsOfTheInterfaceAreRefused) {
  EXPECT_TRUE(kvm::System::check_version(12));
  for (const int version : {11, 13}) {
    const auto result = kvm::System::check_version(version);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), fmt::format("this host's KVM speaks API version {}, only "
                                                    "version 12 will do",
                                                    version));
  }
}

class KvmBus : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
};

TEST_F(KvmBus, AKvmWithoutWhatAPcNeedsIsTooOld) {
  auto system = kvm::System::open();
  ASSERT_TRUE(system);
  ASSERT_TRUE((*system)->check_extensions());
  (*system)->hide(KVM_CAP_EXT_CPUID);
  const auto result = (*system)->check_extensions();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "this host's KVM is too old: it lacks KVM_CAP_EXT_CPUID");
}

/// A region that writes down what reaches its handler.
class Listening {
 public:
  explicit Listening(u64 size) {
    region.init_io(nullptr, "listening", size,
                   io<&Listening::read, &Listening::write>({.min = 1, .max = 8}), this);
  }
  Region region;
  std::vector<u64> writes;
  std::vector<u64>* log{&writes};

 private:
  u64 read(u64, unsigned) { return 0; }
  void write(u64 offset, u64 value, unsigned) { log->push_back(offset << 32 | value); }
};

u64 signals(const FileDescriptor& event) {
  eventfd_t value = 0;
  return eventfd_read(event.get(), &value) == 0 ? value : 0;
}
FileDescriptor make_event() { return FileDescriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

/// Enters the guest once: what it leaves for is in the shared area, and nobody has handled it.
u32 enter_once(Guest& guest) {
  const kvm::VcpuHandle& handle = guest.vcpu().handle();
  EXPECT_EQ(::ioctl(handle.fd.get(), KVM_RUN, 0), 0) << errno_text(errno);
  return handle.run->exit_reason;
}
u16 exit_port(Guest& guest) { return guest.vcpu().handle().run->io.port; }

// AL and AX to port 0x700, then to port 0x600, and there it ends.
constexpr std::array<u8, 14> kPortCode = {0xba, 0x00, 0x07, 0xb8, 0x34, 0x12, 0xee,
                                          0xef, 0xba, 0x00, 0x06, 0xee, 0xeb, 0xfe};
// AL to 0xd8000 and AX to 0xd8004 (0xd800), then to port 0x600, and there it ends.
constexpr std::array<u8, 19> kMemoryCode = {0xb8, 0x00, 0xd8, 0x8e, 0xc0, 0x26, 0xa2,
                                            0x00, 0x00, 0x26, 0xa3, 0x04, 0x00, 0xba,
                                            0x00, 0x06, 0xee, 0xeb, 0xfe};
constexpr std::size_t kOutInMemoryCode = 13;

/// The parameter: whether the kernel has eventfds for writes of any length.
class KvmEventFds : public KvmBus, public testing::WithParamInterface<bool> {
 protected:
  static GuestOptions options() {
    if (GetParam()) return {};
    return {.vm = {}, .hidden = {KVM_CAP_IOEVENTFD_ANY_LENGTH}};
  }
};
INSTANTIATE_TEST_SUITE_P(Kernels, KvmEventFds, testing::Bool(),
                         [](const auto& any) { return any.param ? "AnyLength" : "EachLength"; });

TEST_P(KvmEventFds, PortWritesOfEverySizeSignalWithoutAnExit) {
  Guest guest(options());
  Listening port(4);
  const FileDescriptor event = make_event();
  port.region.add_eventfd({.offset = 0, .size = 0, .fd = event.get()});
  guest.machine().system_io().add(0x700, port.region);
  guest.prepare_real(kPortCode);
  ASSERT_EQ(enter_once(guest), u32{KVM_EXIT_IO});
  EXPECT_EQ(exit_port(guest), 0x600);
  EXPECT_EQ(signals(event), 2U);
}

TEST_P(KvmEventFds, MemoryWritesOfEverySizeSignalWithoutAnExit) {
  Guest guest(options());
  Listening memory(0x1000);
  const FileDescriptor first = make_event(), second = make_event();
  memory.region.add_eventfd({.offset = 0, .size = 0, .fd = first.get()});
  memory.region.add_eventfd({.offset = 4, .size = 0, .fd = second.get()});
  guest.machine().system_memory().add(0xd8000, memory.region, 1);
  guest.prepare_real(kMemoryCode);
  ASSERT_EQ(enter_once(guest), u32{KVM_EXIT_IO});
  EXPECT_EQ(exit_port(guest), 0x600);
  EXPECT_EQ(signals(first), 1U);
  EXPECT_EQ(signals(second), 1U);
}

TEST_F(KvmBus, AnEventFdThatMatchesAValueLeavesTheOthersToTheHandler) {
  Guest guest;
  Listening port(4);
  const FileDescriptor event = make_event();
  port.region.add_eventfd(
      {.offset = 0, .size = 2, .match = true, .value = 0x1234, .fd = event.get()});
  guest.machine().system_io().add(0x700, port.region);
  guest.start_real(kPortCode);
  ASSERT_TRUE(guest.wait_done());
  guest.pause();
  EXPECT_EQ(port.writes, (std::vector<u64>{0x34}));
  EXPECT_EQ(signals(event), 1U);
}

TEST_F(KvmBus, AnEventFdThatIsTakenAwayLeavesWritesToTheHandler) {
  Guest guest;
  Listening port(4);
  const FileDescriptor event = make_event();
  const IoEventFd eventfd{.offset = 0, .size = 0, .fd = event.get()};
  port.region.add_eventfd(eventfd);
  guest.machine().system_io().add(0x700, port.region);
  port.region.remove_eventfd(eventfd);
  guest.start_real(kPortCode);
  ASSERT_TRUE(guest.wait_done());
  guest.pause();
  EXPECT_EQ(port.writes, (std::vector<u64>{0x34, 0x1234}));
  EXPECT_EQ(signals(event), 0U);
}

// ---- Coalesced writes

TEST_F(KvmBus, CoalescedMemoryWritesWaitInTheRingUntilTheNextExit) {
  Guest guest;
  Listening memory(0x1000);
  memory.region.set_coalesced(0, 0x1000);
  guest.machine().system_memory().add(0xd8000, memory.region, 1);
  guest.prepare_real(kMemoryCode);
  ASSERT_EQ(enter_once(guest), u32{KVM_EXIT_IO});
  EXPECT_EQ(exit_port(guest), 0x600);
  EXPECT_TRUE(guest.vm().coalesced().pending());
  EXPECT_TRUE(memory.writes.empty());
  guest.vm().coalesced().drain();
  EXPECT_EQ(memory.writes, (std::vector<u64>{0x00, u64{4} << 32 | 0xd800}));
}

TEST_F(KvmBus, ADisplayThatAsksForCoalescedWritesGetsThem) {
  Guest guest;
  Listening memory(0x1000);
  memory.region.set_coalesced(0, 0x1000);
  guest.machine().system_memory().add(0xd8000, memory.region, 1);
  guest.prepare_real(kMemoryCode);
  ASSERT_EQ(enter_once(guest), u32{KVM_EXIT_IO});
  guest.machine().memory().flush_coalesced();
  EXPECT_EQ(memory.writes.size(), 2U);
}

TEST_F(KvmBus, CoalescedPortWritesWaitInTheRingUntilTheNextExit) {
  Guest guest;
  if (guest.vm().extension(KVM_CAP_COALESCED_PIO) == 0)
    GTEST_SKIP() << "this host's KVM does not coalesce port writes";
  Listening port(4);
  port.region.set_coalesced(0, 4);
  guest.machine().system_io().add(0x700, port.region);
  guest.prepare_real(kPortCode);
  ASSERT_EQ(enter_once(guest), u32{KVM_EXIT_IO});
  EXPECT_EQ(exit_port(guest), 0x600);
  EXPECT_TRUE(port.writes.empty());
  guest.vm().coalesced().drain();
  EXPECT_EQ(port.writes, (std::vector<u64>{0x34, 0x1234}));
}

TEST_F(KvmBus, CoalescedWritesArriveBeforeTheExitBehindThem) {
  Guest guest;
  Listening memory(0x1000), port(4);
  port.log = &memory.writes;
  memory.region.set_coalesced(0, 0x1000);
  guest.machine().system_memory().add(0xd8000, memory.region, 1);
  guest.machine().system_io().add(0x700, port.region);
  auto code = kMemoryCode;
  code[kOutInMemoryCode + 2] = 0x07;
  guest.start_real(code);
  EXPECT_TRUE(guest.wait([&] { return guest.vcpu().in_guest() && memory.writes.size() == 3; }));
  guest.pause();
  EXPECT_EQ(memory.writes, (std::vector<u64>{0x00, u64{4} << 32 | 0xd800, 0x00}));
}

TEST_F(KvmBus, CoalescedWritesArriveByAndByFromAGuestThatNeverLeaves) {
  Guest guest;
  Listening memory(0x1000);
  memory.region.set_coalesced(0, 0x1000);
  guest.machine().system_memory().add(0xd8000, memory.region, 1);
  auto code = kMemoryCode;
  code[kOutInMemoryCode] = 0xeb;  // jumps to itself
  code[kOutInMemoryCode + 1] = 0xfe;
  guest.start_real(code);
  EXPECT_TRUE(guest.wait([&] { return memory.writes.size() == 2; }, 2000));
}

}  // namespace
}  // namespace rhea::test
