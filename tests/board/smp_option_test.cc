// SPDX-License-Identifier: GPL-2.0-or-later
// -smp: what follows from what, and what is refused.
#include "softmmu/smp_option.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

/// "cpus/maxcpus sockets*cores*threads of so many dies", or why not.
std::string settled(std::vector<std::string_view> options, bool prefer_sockets = false) {
  Machine machine;
  auto& request = machine.service<SmpRequest>();
  for (const std::string_view option : options)
    if (auto added = request.add(*KeyValues::parse(option, "cpus")); !added)
      return added.error().message();
  if (auto done = request.settle(machine.config, prefer_sockets); !done)
    return done.error().message();
  const MachineConfig& c = machine.config;
  const std::string dies = c.dies == 1 ? "" : fmt::format(" of {} dies", c.dies);
  return fmt::format("{}/{} {}*{}*{}", c.cpus, c.max_cpus, c.sockets, c.cores, c.threads) + dies;
}

TEST(Smp, WhatIsNotSaidFollowsFromTheRest) {
  EXPECT_EQ(settled({}), "1/1 1*1*1");
  EXPECT_EQ(settled({"4"}), "4/4 1*4*1");
  EXPECT_EQ(settled({"4,sockets=2"}), "4/4 2*2*1");
  EXPECT_EQ(settled({"4,cores=2"}), "4/4 2*2*1");
  EXPECT_EQ(settled({"4,threads=2"}), "4/4 1*2*2");
  EXPECT_EQ(settled({"4,sockets=1,cores=2"}), "4/4 1*2*2");
  EXPECT_EQ(settled({"sockets=2,cores=2"}), "4/4 2*2*1");
  EXPECT_EQ(settled({"2,maxcpus=8"}), "2/8 1*8*1");
  EXPECT_EQ(settled({"maxcpus=8"}), "8/8 1*8*1");
  EXPECT_EQ(settled({"4,dies=1,clusters=1"}), "4/4 1*4*1");
}

TEST(Smp, OlderBoardsMakeSocketsOfWhatIsLeftOpen) {
  EXPECT_EQ(settled({"4"}, true), "4/4 4*1*1");
  EXPECT_EQ(settled({"4,cores=2"}, true), "4/4 2*2*1");
  EXPECT_EQ(settled({"4,sockets=2"}, true), "4/4 2*2*1");
  EXPECT_EQ(settled({"2,maxcpus=8"}, true), "2/8 8*1*1");
}

TEST(Smp, SeveralOptionsAddUp) {
  EXPECT_EQ(settled({"4,cores=8", "8"}), "8/8 1*8*1");
  EXPECT_EQ(settled({"2", "cores=2,threads=1"}), "2/2 1*2*1");
}

TEST(Smp, TheProductMustBeTheMaximum) {
  const std::string rule =
      "-smp: Invalid CPU topology: product of the hierarchy must match maxcpus: ";
  EXPECT_EQ(settled({"4,cores=8"}),
            rule + "sockets (0) * dies (1) * cores (8) * threads (1) != maxcpus (4)");
  EXPECT_EQ(settled({"2,sockets=3"}),
            rule + "sockets (3) * dies (1) * cores (0) * threads (1) != maxcpus (2)");
  EXPECT_EQ(settled({"3,sockets=2,cores=2,threads=1"}),
            rule + "sockets (2) * dies (1) * cores (2) * threads (1) != maxcpus (3)");
  EXPECT_EQ(settled({"3,cores=2"}),
            rule + "sockets (1) * dies (1) * cores (2) * threads (1) != maxcpus (3)");
  EXPECT_EQ(settled({"4,sockets=4294967295,cores=4294967295,threads=4294967295"}),
            rule +
                "sockets (4294967295) * dies (1) * cores (4294967295) * threads (4294967295) != "
                "maxcpus (4)");
}

TEST(Smp, MoreThanTheMaximumAreRefused) {
  EXPECT_EQ(settled({"cpus=4,maxcpus=2"}),
            "-smp: Invalid CPU topology: maxcpus must be equal to or greater than smp: "
            "sockets (1) * dies (1) * cores (2) * threads (1) == maxcpus (2) < smp_cpus (4)");
  EXPECT_EQ(settled({"256"}),
            "-smp: Invalid SMP CPUs 256. The max CPUs supported by this machine is 255");
  EXPECT_EQ(settled({"2,maxcpus=300"}),
            "-smp: Invalid SMP CPUs 300. The max CPUs supported by this machine is 255");
}

TEST(Smp, LevelsThatThereAreNotAreRefused) {
  EXPECT_EQ(settled({"4,clusters=2"}),
            "-smp clusters=2: clusters not supported by this machine's CPU topology");
}

TEST(Smp, DiesLieBetweenSocketsAndCores) {
  EXPECT_EQ(settled({"8,dies=2"}), "8/8 1*4*1 of 2 dies");
  EXPECT_EQ(settled({"8,dies=2,cores=2"}), "8/8 2*2*1 of 2 dies");
  EXPECT_EQ(settled({"8,dies=2,sockets=2,threads=2"}), "8/8 2*1*2 of 2 dies");
  EXPECT_EQ(settled({"dies=3,cores=2"}), "6/6 1*2*1 of 3 dies");
  EXPECT_EQ(
      settled({"3,dies=2"}),
      "-smp: Invalid CPU topology: product of the hierarchy must match maxcpus: sockets (1) * "
      "dies (2) * cores (1) * threads (1) != maxcpus (3)");
}

TEST(Smp, WrongNumbersAreNamed) {
  EXPECT_TRUE(settled({"0"}).starts_with("cpus: "));
  EXPECT_TRUE(settled({"sockets=x"}).starts_with("sockets: "));
  EXPECT_EQ(settled({"2,nope=1"}), "unknown parameter 'nope'");
}

}  // namespace
}  // namespace rhea::test
