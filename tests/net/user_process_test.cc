// SPDX-License-Identifier: GPL-2.0-or-later
// A user network's process that stands still, is overwhelmed, or is not to be trusted.
#include "net/user/sandbox.h"
#include "tests/net/user_bench.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <future>

namespace rhea::test {
namespace {

using testing::ExitedWithCode;
using testing::HasSubstr;

/// A process in whose place a Python program stands. Its sockets are `frames`, `control` and
/// `files`.
class ImpostorProcess {
 public:
  explicit ImpostorProcess(const std::string& program)
      : process_({.name = "n0",
                  .configuration = Json::object(),
                  .frames = FileDescriptor(::eventfd(0, EFD_CLOEXEC)),
                  .tftp = {},
                  .guest_forwards = {},
                  .program = {"python3", "-c",
                              "import json, socket, sys\n"
                              "control = socket.socket(fileno=4)\n"
                              "files = socket.socket(fileno=5)\n" +
                                  program},
                  .patience = std::chrono::seconds(60)}) {}
  net::UserProcess* operator->() { return &process_; }

 private:
  net::UserProcess process_;
};

/// What is said of a program's end.
std::string said_at_end_of(const std::string& program) {
  NetBench net;
  testing::internal::CaptureStderr();
  {
    ImpostorProcess process(program);
    process->start();
    EXPECT_TRUE(net.eventually([&] { return process->lost(); }));
  }  // whose thread, which says it a moment later, has ended
  return testing::internal::GetCapturedStderr();
}

TEST(UserProcess, WhatItAsksMayBeNonsense) {
  const std::string said = said_at_end_of(
      "for question in [{'ask': 'x', 'connect': {}}, {'ask': -1, 'connect': -1},\n"
      "                 {'ask': [], 'open': 7}, {'ask': {}, 'open': 'tftp', 'name': None}, {}]:\n"
      "    files.send(json.dumps(question).encode())\n"
      "    answer = json.loads(files.recv(1 << 17))\n"
      "    assert answer['ask'] == 0 and answer['errno'] != 0\n"
      "sys.exit(7)\n");
  EXPECT_THAT(said, HasSubstr("ended with status 7"));
}

TEST(UserProcess, WhatItAnswersMayBeNonsense) {
  ImpostorProcess process(
      "number = 0\n"
      "while number == 0:\n"
      "    number = json.loads(control.recv(1 << 17)).get('info', 0)\n"
      "for answer in [{'info': 'x'}, {'info': None, 'text': 1}, {'info': number, 'text': [2]}]:\n"
      "    control.send(json.dumps(answer).encode())\n"
      "files.recv(1)\n");
  ASSERT_TRUE(process->start_and_wait());
  EXPECT_EQ(process->connections().value_or("none"), "");
}

TEST(UserProcess, WhoWaitsForItsAnswerKeepsNobodyElseWaiting) {
  const std::string asked = testing::TempDir() + "asked." + std::to_string(::getpid());
  ImpostorProcess process(
      "number = 0\n"
      "while True:\n"
      "    said = json.loads(control.recv(1 << 17))\n"
      "    if 'info' in said:\n"
      "        number = said['info']\n"
      "        open('" +
      asked +
      "', 'w')\n"
      "    if number and said.get('running') is False:\n"
      "        control.send(json.dumps({'info': number, 'text': 'it stands'}).encode())\n");
  NetBench net;
  ASSERT_TRUE(process->start_and_wait());
  auto table = std::async(std::launch::async, [&] { return process->connections(); });
  EXPECT_TRUE(net.eventually([&] { return std::filesystem::exists(asked); }));
  process->set_running(false);
  EXPECT_EQ(table.get().value_or("none"), "it stands");
  std::filesystem::remove(asked);
}

TEST(UserProcess, ItHasNeitherRheasInputNorItsOutput) {
  const std::string said = said_at_end_of(
      "import os\n"
      "sys.exit(sum(os.readlink('/proc/self/fd/%d' % n) == '/dev/null' for n in (0, 1)))\n");
  EXPECT_THAT(said, HasSubstr("ended with status 2"));
}

TEST_F(UserNet, HundredsOfForwardsReachIt) {
  constexpr int kForwards = 400;
  std::string options = "ipv6=off";
  for (int n = 0; n < kForwards; ++n) options += ",hostfwd=udp:127.0.0.1:0-:7";
  start(options);
  ASSERT_TRUE(guest->arp());
  std::istringstream table(netdev->process().connections().value_or(""));
  int found = 0;
  for (std::string line; std::getline(table, line);) found += line.contains("HOST_FORWARD") ? 1 : 0;
  EXPECT_EQ(found, kForwards);
}

TEST_F(UserNet, ItIsWaitedForWhoseForwardsAreAskedFor) {
  start();
  ASSERT_TRUE(netdev->add_forward(net::HostForward::parse("tcp:127.0.0.1:0-:22").value()));
  EXPECT_THAT(netdev->process().connections().value_or(""), HasSubstr("TCP[HOST_FORWARD]"));
}

TEST_F(UserNet, ConnectionsBeyondItsLimitsFailAlone) {
  LoopbackSocket server(SOCK_STREAM);
  GuestStack& stack = start();
  ASSERT_TRUE(stack.arp());
  const pid_t process = netdev->process().pid();
  for (unsigned port = 2000; port < 8000; ++port)
    stack.send_tcp({.port = port, .to_port = server.port(), .flags = GuestStack::kSyn});
  EXPECT_TRUE(stack.arp());
  EXPECT_EQ(netdev->process().pid(), process);
}

TEST_F(UserNet, StoppedItHearsLaterWhatItWasTold) {
  LoopbackSocket server(SOCK_DGRAM);
  GuestStack& stack = start();
  ASSERT_TRUE(stack.arp());
  const pid_t process = netdev->process().pid();
  ASSERT_EQ(::kill(process, SIGSTOP), 0);
  for (int n = 0; n < 2000; ++n) netdev->process().set_running(false);
  netdev->process().set_running(true);
  ASSERT_EQ(::kill(process, SIGCONT), 0);
  stack.send_udp(kGatewayIp, 3000, server.port(), "question");
  EXPECT_EQ(server.receive(), "question");
  server.answer("answer");
  // While the machine stands, nothing is read of the host.
  EXPECT_EQ(stack.expect_udp(3000).value_or(Received{}).data, "answer");
  EXPECT_EQ(netdev->process().pid(), process);
}

TEST_F(UserNet, StoppedForGoodItIsEndedAndComesAgain) {
  GuestStack& stack = start();
  ASSERT_TRUE(stack.arp());
  const pid_t process = netdev->process().pid();
  testing::internal::CaptureStderr();
  ASSERT_EQ(::kill(process, SIGSTOP), 0);
  for (int n = 0; n < 6000; ++n) netdev->process().set_running(true);
  const bool came = net.eventually([&] {
    const pid_t now = netdev->process().pid();
    return now != 0 && now != process;
  });
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(came) << said;
  EXPECT_TRUE(stack.arp());
}

/// What a system call is refused with in the sandbox, as the child's status.
[[noreturn]] void try_in_sandbox(long number, long a, long b, long c) {
  if (!net::user::enter_sandbox()) ::_exit(255);
  ::_exit(::syscall(number, a, b, c) < 0 ? errno : 0);
}

TEST(UserSandbox, NobodyElseIsSignalled) {
  const pid_t rhea = ::getpid();
  EXPECT_EXIT(try_in_sandbox(SYS_tgkill, rhea, rhea, 0), ExitedWithCode(EPERM), "");
  EXPECT_EXIT(try_in_sandbox(SYS_kill, rhea, 0, 0), ExitedWithCode(EPERM), "");
  EXPECT_EXIT(try_in_sandbox(SYS_fcntl, STDERR_FILENO, F_SETOWN, rhea), ExitedWithCode(EPERM), "");
  EXPECT_EXIT(try_in_sandbox(SYS_fcntl, STDERR_FILENO, F_SETSIG, SIGKILL), ExitedWithCode(EPERM),
              "");
}

TEST(UserSandbox, FlagsAreSetAndItMayAbort) {
  EXPECT_EXIT(try_in_sandbox(SYS_fcntl, STDERR_FILENO, F_GETFL, 0), ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        (void)net::user::enter_sandbox();
        std::abort();
      },
      testing::KilledBySignal(SIGABRT), "");
}

TEST(UserSandbox, NothingIsOpenedStartedOrBound) {
  EXPECT_EXIT(try_in_sandbox(SYS_openat, AT_FDCWD, reinterpret_cast<long>("/etc/passwd"), O_RDONLY),
              ExitedWithCode(EPERM), "");
  EXPECT_EXIT(try_in_sandbox(SYS_execve, reinterpret_cast<long>("/bin/true"), 0, 0),
              ExitedWithCode(EPERM), "");
  EXPECT_EXIT(try_in_sandbox(SYS_bind, 0, 0, 0), ExitedWithCode(EPERM), "");
  EXPECT_EXIT(try_in_sandbox(SYS_socket, AF_UNIX, SOCK_STREAM, 0), ExitedWithCode(EPERM), "");
}

}  // namespace
}  // namespace rhea::test
