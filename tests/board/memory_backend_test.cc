// SPDX-License-Identifier: GPL-2.0-or-later
// Where the guest's memory comes from: -object memory-backend-..., -mem-path, -m.
#include "softmmu/memory_backend.h"

#include "rhea/util/option.h"
#include "tests/block/temp_dir.h"
#include "tests/support/pc.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace rhea::test {
namespace {

using Options = std::vector<std::pair<std::string_view, std::string>>;

struct WithBackends : Pc {
  explicit WithBackends(const Options& options)
      : Pc({}, [&options](Machine& machine) {
          for (const auto& [name, text] : options)
            if (auto applied = find_option(name)->apply(machine, text); !applied)
              throw std::runtime_error(applied.error().message());
        }) {}
};

std::string refusal(const Options& options) {
  try {
    WithBackends pc(options);
    return "it works";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

/// Whether what the guest writes at `address` is in the file there.
bool reaches(Pc& pc, const std::string& file, u64 address) {
  pc.machine().memory().store(address, 0x12345678, 4);
  std::ifstream in(file, std::ios::binary);
  u32 found = 0;
  in.seekg(static_cast<std::streamoff>(address));
  in.read(reinterpret_cast<char*>(&found), sizeof found);
  return found == 0x12345678;
}

TEST(MemoryBackend, ASharedFileHasWhatTheGuestWrites) {
  const TempDir folder;
  const std::string file = folder.path() / "ram";
  WithBackends pc({{"object", "memory-backend-file,id=mem,size=8M,share=on,mem-path=" + file},
                   {"machine", "pc,memory-backend=mem"}});
  EXPECT_EQ(pc.machine().config.ram_size, 8 * MiB);
  EXPECT_TRUE(reaches(pc, file, 0x2000));
}

TEST(MemoryBackend, APrivateFileHasNot) {
  const TempDir folder;
  const std::string file = folder.path() / "ram";
  WithBackends pc({{"object", "memory-backend-file,id=mem,size=8M,mem-path=" + file},
                   {"machine", "pc,memory-backend=mem"}});
  EXPECT_FALSE(reaches(pc, file, 0x2000));
}

TEST(MemoryBackend, OtherKindsWorkToo) {
  WithBackends ram({{"object", "memory-backend-ram,id=mem,size=4M,prealloc=on,merge=off,dump=off"},
                    {"machine", "memory-backend=mem"}});
  WithBackends memfd(
      {{"object", "memory-backend-memfd,id=mem,size=4M"}, {"machine", "memory-backend=mem"}});
  EXPECT_EQ(ram.machine().config.ram_size, 4 * MiB);
  EXPECT_EQ(memfd.machine().config.ram.backing, RamBacking::Memfd);
}

TEST(MemoryBackend, TheSizeMustBeThatOfTheMachine) {
  const Options options = {{"object", "memory-backend-ram,id=mem,size=8M"},
                           {"machine", "memory-backend=mem"}};
  Options same = options, other = options;
  same.emplace_back("m", "8M");
  other.emplace_back("m", "16M");
  EXPECT_EQ(refusal(same), "it works");
  EXPECT_EQ(refusal(other),
            "-machine memory-backend=mem: its size of 8388608 bytes must match that of -m, "
            "16777216");
}

TEST(MemoryBackend, OneInUseStays) {
  WithBackends pc({{"object", "memory-backend-ram,id=mem,size=8M"},
                   {"object", "memory-backend-ram,id=spare,size=8M"},
                   {"machine", "memory-backend=mem"}});
  const auto backend = [&pc](std::string_view id) {
    return dynamic_cast<MemoryBackend*>(pc.machine().container("/objects").child(id));
  };
  EXPECT_FALSE(backend("mem")->can_be_deleted());
  EXPECT_TRUE(backend("spare")->can_be_deleted());
}

TEST(MemoryBackend, WhatIsWrongIsNamed) {
  EXPECT_EQ(refusal({{"machine", "memory-backend=nope"}}),
            "-machine memory-backend=nope: there is no such -object memory-backend-...");
  EXPECT_EQ(refusal({{"object", "memory-backend-ram,id=mem"}}),
            "property 'size' of memory-backend-ram doesn't take value '0'");
  EXPECT_EQ(refusal({{"object", "memory-backend-file,id=mem,size=8M"}}),
            "mem-path property not set");
  EXPECT_EQ(refusal({{"object", "memory-backend-memfd,id=mem,size=8M,hugetlbsize=2M"}}),
            "hugetlbsize needs hugetlb=on");
  EXPECT_NE(refusal({{"mem-path", "/dev/shm"},
                     {"object", "memory-backend-ram,id=mem,size=8M"},
                     {"machine", "memory-backend=mem"}})
                .find("-mem-path"),
            std::string::npos);
}

TEST(MemoryPath, MemoryLiesInTheFile) {
  const TempDir folder;
  const std::string file = folder.path() / "ram";
  WithBackends pc({{"m", "8M"}, {"mem-path", file}, {"mem-prealloc", ""}});
  EXPECT_EQ(std::filesystem::file_size(file), 8 * MiB);
  EXPECT_TRUE(pc.machine().config.ram.prealloc);
}

}  // namespace
}  // namespace rhea::test
