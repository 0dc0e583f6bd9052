// SPDX-License-Identifier: GPL-2.0-or-later
// -readconfig's files.
#include "cli/config_file.h"

#include <gtest/gtest.h>

namespace rhea::cli {
namespace {

std::string shown(std::string_view text) {
  const auto options = parse_config(text);
  if (!options) return options.error().message();
  std::string all;
  for (const ConfigOption& option : *options)
    all += "-" + option.name + " " + option.argument + "\n";
  return all;
}

TEST(ConfigFile, GroupsAreOptions) {
  EXPECT_EQ(shown("# a machine\n"
                  "[machine]\n  type = \"pc\"\n\n"
                  "[memory]\n  size = \"64\"\n"
                  "[smp-opts]\n  cpus = \"2\"\n"
                  "[drive \"disk\"]\n  file = \"a.img\"\r\n  if=\"none\"\n"
                  "[device]\n  driver = \"ide-hd\"\n  drive = \"disk\"\n"),
            "-machine type=pc\n"
            "-m size=64\n"
            "-smp cpus=2\n"
            "-drive id=disk,file=a.img,if=none\n"
            "-device driver=ide-hd,drive=disk\n");
}

TEST(ConfigFile, CommasAreTheValues) {
  EXPECT_EQ(shown("[drive]\nfile = \"a,b = \"c\".img\"\n"), "-drive file=a,,b = \"c\".img\n");
}

TEST(ConfigFile, ErrorsNameTheLine) {
  EXPECT_EQ(shown("\n[dirve]\n"), "line 2: there is no group 'dirve'; did you mean 'drive'?");
  EXPECT_EQ(shown("[drive\n"), "line 1: a group is written [name] or [name \"id\"]");
  EXPECT_EQ(shown("[drive \"x]\n"), "line 1: a group is written [name] or [name \"id\"]");
  EXPECT_EQ(shown("[drive]\nfile = a.img\n"), "line 2: a setting is written key = \"value\"");
  EXPECT_EQ(shown("file = \"a.img\"\n"), "line 1: no group is open");
  EXPECT_EQ(shown(""), "");
}

}  // namespace
}  // namespace rhea::cli
