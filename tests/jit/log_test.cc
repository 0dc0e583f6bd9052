// SPDX-License-Identifier: GPL-2.0-or-later
// What -d shows of the software CPU.
#include "rhea/util/log.h"

#include "tests/jit/jit_guest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What is logged while a guest loads 0x1234 to AX, calls INT 0x20, and halts.
std::string log_of(std::string_view items) {
  JitGuest guest;
  guest.load({0xb8, 0x34, 0x12,             // mov ax, 0x1234
              0xeb, 0x00,                   // jmp $ + 2
              0xcd, 0x20,                   // int 0x20, to 0:0x1100
              0xf4});                       // hlt
  const u8 handler[] = {0xe6, 0x81, 0xf4};  // out 0x81, al; hlt
  std::ranges::copy(handler, guest.memory() + 0x1100);
  guest.memory()[4 * 0x20 + 1] = 0x11;
  EXPECT_TRUE(log_enable(items));
  testing::internal::CaptureStderr();
  guest.start();
  EXPECT_TRUE(guest.wait_done());
  guest.pause();
  log_mask = 0;
  return testing::internal::GetCapturedStderr();
}

TEST(JitLog, InAsmShowsCodeOnceAndDisassembled) {
  const std::string log = log_of("in_asm");
  EXPECT_THAT(log, HasSubstr("----------------\nIN: \n"
                             "0x00001000:  b8 34 12                 mov      $0x1234, %ax\n"
                             "0x00001003:  eb 00                    jmp      0x1005\n\n"));
  EXPECT_THAT(log, Not(HasSubstr("Trace")));
}

TEST(JitLog, ExecShowsEachBlockWithItsModesFlags) {
  const std::string log = log_of("exec");
  EXPECT_THAT(log, HasSubstr(" [0000000000000000/0000000000001000/00000040/00000000] \n"));
  EXPECT_THAT(log, HasSubstr(" [0000000000000000/0000000000001005/00000040/00000000] \n"));
  EXPECT_THAT(log, HasSubstr("/0000000000001100/"));
}

TEST(JitLog, CpuShowsTheRegistersBeforeEachBlock) {
  const std::string log = log_of("cpu");
  EXPECT_THAT(log, HasSubstr("EIP=00001000 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"));
  EXPECT_THAT(log, HasSubstr("EAX=00001234"));
  EXPECT_THAT(log, HasSubstr("CCS=00000000 CCD=00000000 CCO=EFLAGS\nEFER=0000000000000000\n"));
  EXPECT_THAT(log, Not(HasSubstr("XMM00")));
}

TEST(JitLog, FpuAddsTheVectors) { EXPECT_THAT(log_of("cpu,fpu"), HasSubstr("XMM00=")); }

TEST(JitLog, NothingIsLoggedUnasked) { EXPECT_EQ(log_of("guest_errors"), ""); }

}  // namespace
}  // namespace rhea::test
