#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrong register tables do not compile, and the compiler's message has a sentence that says why."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

DEVICE = """
#include "rhea/hw/isa.h"
#include "rhea/softmmu/registers.h"
#include <string>
using namespace rhea;
class Tried final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "tried";
  static void describe(Schema<Tried>& s) {
    s.registers(&Tried::bank_, [](auto reg) { return reg.bank({.size = 16}, ROWS); });
  }
 private:
  void names(const std::string&) {}
  void many(u32, u32, u32) {}
  u32 word_{};
  u8 byte_{};
  std::string text_;
  RegisterBank bank_;
};
const RegisterType<Tried> registration;
"""

CASES = [
    ("a good table compiles", 'reg("A", 0, &Tried::word_)', ""),
    ("registers that overlap", 'reg("A", 0, &Tried::word_), reg("B", 2, &Tried::byte_)',
     "register B at 0x2 overlaps A"),
    ("a register outside of its bank", 'reg("A", 16, &Tried::word_)',
     "register A at 0x10 ends outside of the bank of 0x10 bytes"),
    ("a field outside of its register", 'reg("A", 0, &Tried::byte_).field("F", 0x100)',
     "register A at 0x0 has a field F outside of its 8 bits"),
    ("a width that the member has not", 'reg("A", 0, &Tried::byte_).width(4)',
     "register A at 0x0 is wider than its member"),
    ("a member that is no number", 'reg("A", 0, &Tried::text_)',
     "a register's member is a number, bool, enum, or std::array of them"),
    ("a function of something else", 'reg("A", 0, 4).write_by(&Tried::names)',
     "a register's function takes numbers, bools or enums"),
    ("a function of too much", 'reg("A", 0, &Tried::word_).after_write(&Tried::many)',
     "a register's function takes too many arguments"),
]


def complaint(compiler: list[str], include: str, rows: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "tried.cc"
        source.write_text(DEVICE.replace("ROWS", rows), encoding="utf-8")
        done = subprocess.run([*compiler, "-std=c++23", "-fsyntax-only", f"-I{include}", str(source)],
                              capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    if done.returncode == 0:
        return ""
    return done.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--include", required=True)
    parser.add_argument("compiler", nargs="+")
    options = parser.parse_args()
    compiler = [word for word in options.compiler if not word.endswith("ccache")]
    print(f"1..{len(CASES)}")
    failed = False
    for number, (name, rows, sentence) in enumerate(CASES, 1):
        said = complaint(compiler, options.include, rows)
        good = sentence in said if sentence else said == ""
        failed |= not good
        print(f"{'ok' if good else 'not ok'} {number} {name}")
        if not good:
            print("\n".join(f"# {line[:200]}" for line in said.splitlines()[:20]))
    sys.exit(failed)


main()
