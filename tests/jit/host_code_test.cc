// SPDX-License-Identifier: GPL-2.0-or-later
// What -d out_asm and -perfmap show of translated code.
#include "accel/jit/perf_map.h"
#include "rhea/util/log.h"
#include "tests/block/temp_dir.h"
#include "tests/jit/row_guest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace rhea::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// Executes ADD RAX, RBX; INC ECX; HLT, translated or not.
void add_and_increment(RowGuest& guest) {
  const u8 code[] = {0x48, 0x01, 0xd8, 0xff, 0xc1};
  guest.load(code);
  RowState state;
  state.rip = RowGuest::kCode;
  guest.run(state);
}

/// What is logged meanwhile.
std::string log_of_adding(std::string_view items, bool translates = true) {
  RowGuest guest(translates, RowMode::Long);
  EXPECT_TRUE(log_enable(items));
  testing::internal::CaptureStderr();
  add_and_increment(guest);
  log_mask = 0;
  return testing::internal::GetCapturedStderr();
}

TEST(OutAsm, ShowsTheHostCodeOfEachInstruction) {
  const std::string log = log_of_adding("out_asm");
  EXPECT_THAT(log, ContainsRegex("OUT: \\[size=[0-9]+\\]\n"
                                 "  -- guest addr 0x0000000000010000 \\+ tb prologue\n"));
  EXPECT_THAT(log, ContainsRegex("  48 03 c3 +add      %rbx, %rax\n"));
  EXPECT_THAT(log, HasSubstr("  -- guest addr 0x0000000000010003\n"));
  EXPECT_THAT(log, HasSubstr("  -- tb slow paths\n"));
}

TEST(OutAsm, TogetherWithInAsmShowsBoth) {
  const std::string log = log_of_adding("in_asm,out_asm");
  EXPECT_THAT(log, HasSubstr("IN: \n0x00010000:  48 01 d8                 add      %rbx, %rax\n"));
  EXPECT_THAT(log, HasSubstr("OUT: "));
}

TEST(OutAsm, HasNothingToShowWhereAllIsInterpreted) {
  EXPECT_EQ(log_of_adding("out_asm", false), "");
}

TEST(OutAsm, IsNotShownUnasked) { EXPECT_THAT(log_of_adding("in_asm"), Not(HasSubstr("OUT:"))); }

TEST(PerfMap, NamesTheGuestsInstructions) {
  const TempDir folder;
  RowGuest guest(true, RowMode::Long);
  ASSERT_TRUE(guest.machine().service<jit::PerfMap>().open(folder / "map"));
  add_and_increment(guest);
  const std::string map = TempDir::contents(folder / "map");
  EXPECT_THAT(map, ContainsRegex("(^|\n)[0-9a-f]+ [0-9a-f]+ guest-0x10000\n"));
  EXPECT_THAT(map, ContainsRegex("\n[0-9a-f]+ [0-9a-f]+ guest-0x10003\n"));
}

TEST(PerfMap, IsNotWrittenThroughALink) {
  const TempDir folder;
  Machine machine;
  const std::string other = folder.file("other", 5);
  std::filesystem::create_symlink(other, folder / "map");
  EXPECT_FALSE(machine.service<jit::PerfMap>().open(folder / "map"));
  EXPECT_EQ(std::filesystem::file_size(other), 5U);
}

}  // namespace
}  // namespace rhea::test
