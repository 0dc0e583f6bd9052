// SPDX-License-Identifier: GPL-2.0-or-later
// Which accelerator runs the guest when nobody chose one, and that a choice is kept.
#include "accel/icount.h"
#include "accel/kvm/host_cpu.h"
#include "softmmu/device_threads.h"
#include "tests/accel/guest.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace rhea::test {
namespace {

using testing::HasSubstr;

/// A host's /proc and /sys.
class HostCpu : public testing::Test {
 protected:
  HostCpu() : root_(std::filesystem::path(testing::TempDir()) / fmt::format("host-{}", getpid())) {
    std::filesystem::create_directories(root_ / "proc");
    std::filesystem::create_directories(root_ / "sys/module");
  }
  ~HostCpu() override { std::filesystem::remove_all(root_); }

  void flags(const std::string& flags) {
    std::ofstream(root_ / "proc/cpuinfo")
        << "processor\t: 0\nflags\t\t: " << flags << "\nvmx flags\t: ept vpid\n";
  }
  void module(const std::string& name) {
    std::filesystem::create_directory(root_ / "sys/module" / name);
  }
  bool virtualizes() const { return kvm::has_hardware_virtualization(root_.string()); }

 private:
  std::filesystem::path root_;
};

TEST_F(HostCpu, VtxAndAmdVAreFlagsOfTheProcessor) {
  flags("fpu vme vmx sse2");
  EXPECT_TRUE(virtualizes());
  flags("fpu vme sse2 svm");
  EXPECT_TRUE(virtualizes());
}

TEST_F(HostCpu, OtherFlagsAreNotTaken) {
  flags("fpu vme hypervisor svm_lock avmx");
  EXPECT_FALSE(virtualizes());
}

TEST_F(HostCpu, TheVendorsModuleIsProofEnough) {
  flags("fpu hypervisor");
  module("kvm");
  EXPECT_FALSE(virtualizes());
  module("kvm_intel");
  EXPECT_TRUE(virtualizes());
}

TEST_F(HostCpu, AHostWithoutProcHasNone) { EXPECT_FALSE(virtualizes()); }

struct Choice {
  std::string name;
  std::string said;
};

/// What is taken of `candidates` (none: the default), and what the user hears.
Choice choose(const std::vector<std::string>& candidates) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  accel::AccelService service(machine);
  for (const std::string& candidate : candidates) service.add_candidates(candidate);
  testing::internal::CaptureStderr();
  const auto result = service.select();
  machine.machine_ready();
  const std::string said = testing::internal::GetCapturedStderr();
  return {result ? std::string(service.accelerator().short_name()) : result.error().message(),
          said};
}

// Which of the two a host has decides which half of this is seen there.
TEST(DefaultAccelerator, KvmIsTakenWhereTheProcessorRunsGuestsAndPassedOverWhereItInterprets) {
  SKIP_WITHOUT_KVM();
  const bool fast = kvm::has_hardware_virtualization();
  const auto [name, said] = choose({});
  EXPECT_EQ(name, fast ? "kvm" : "tcg");
  EXPECT_THAT(said, HasSubstr(fast ? "" : "neither VT-x nor AMD-V"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), fast ? 0 : 1) << said;
}

TEST(DefaultAccelerator, AnExplicitKvmIsTakenHoweverSlowAndSaidToBe) {
  SKIP_WITHOUT_KVM();
  const std::string expected = kvm::has_hardware_virtualization() ? "" : "-accel kvm is slow here";
  for (const char* list : {"kvm", "kvm:tcg"}) {
    const auto [name, said] = choose({list});
    EXPECT_EQ(name, "kvm");
    EXPECT_THAT(said, HasSubstr(expected));
  }
}

TEST(DefaultAccelerator, ListsKeepTheirOrder) {
  EXPECT_EQ(choose({"tcg:kvm"}).name, "tcg");
  EXPECT_EQ(choose({"tcg", "kvm"}).name, "tcg");
  const auto [name, said] = choose({"nonesuch:tcg"});
  EXPECT_EQ(name, "tcg");
  EXPECT_THAT(said, HasSubstr("invalid accelerator 'nonesuch'"));
}

TEST(DefaultAccelerator, WrongPropertiesAreNoReasonToTryTheNext) {
  EXPECT_THAT(choose({"tcg,nope=1:kvm"}).name, HasSubstr("nope"));
  EXPECT_THAT(choose({"kvm,kernel-irqchip=maybe", "tcg"}).name, HasSubstr("maybe"));
}

TEST(ChosenAccelerator, IsTheLastThatTheMachineOptionNames) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  accel::AccelService service(machine);
  service.set_candidates("kvm");
  service.set_candidates("qtest");
  ASSERT_TRUE(service.select());
  EXPECT_EQ(service.accelerator().short_name(), "qtest");
}

TEST(ChosenAccelerator, IsNamedByOneKindOfOptionOnly) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  accel::AccelService service(machine);
  service.set_candidates("tcg");
  service.add_candidates("tcg");
  EXPECT_EQ(service.select().error().message(),
            "The -accel and \"-machine accel=\" options are incompatible");
}

TEST(ChosenAccelerator, HasNoThreadAProcessorWhereInstructionsAreCounted) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  machine.service<accel::InstructionCount>().settings.emplace();
  accel::AccelService service(machine);
  service.add_candidates("tcg,thread=multi");
  EXPECT_EQ(service.select().error().message(),
            "-accel: tcg,thread=multi: No MTTCG when icount is enabled");
}

bool has_device_threads(const char* candidate, bool counted) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  if (counted) machine.service<accel::InstructionCount>().settings.emplace();
  accel::AccelService service(machine);
  service.add_candidates(candidate);
  EXPECT_TRUE(service.select());
  return machine.service<DeviceThreads>().wanted;
}

TEST(ChosenAccelerator, HasDevicesServeGuestsThatRunOnThreads) {
  EXPECT_TRUE(has_device_threads("tcg", false));
  EXPECT_FALSE(has_device_threads("qtest", false));
  EXPECT_FALSE(has_device_threads("tcg", true));
}

TEST(ChosenAccelerator, TakesQemusWordsForHowItIsBuilt) {
  EXPECT_EQ(choose({"tcg,thread=single,split-wx=off"}).name, "tcg");
  EXPECT_THAT(choose({"tcg,thread=many"}).name, HasSubstr("Invalid 'thread' setting many"));
}

}  // namespace
}  // namespace rhea::test
