#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrong declarations of a device do not compile, and the compiler's message has a sentence that says why."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

TABLE = """
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

TABLES = [
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

CLASS = """
#include "rhea/hw/pci.h"
#include "rhea/chardev/chardev_port.h"
#include <string>
using namespace rhea;
class Other final : public PciDevice {
 public:
  static constexpr std::string_view kName = "other";
  static constexpr PciIdentity kPci{.vendor = 1, .device = 2};
  static void describe(Schema<Other>&) {}
  u64 read(u64, unsigned) { return 0; }
  void write(u64, u64, unsigned) {}
};
class Tried final : public PciDevice {
 public:
  NAME
  static constexpr PciIdentity kPci{.vendor = 1, .device = 2};
  DESCRIBE
  Result<> realize() override {
    TRY(PciDevice::realize());
    REALIZE
    return {};
  }
  MORE
  u64 read(u64, unsigned) { return 0; }
  void write(u64, u64, unsigned) {}
  MemResult access(Access&) { return MemResult::Ok; }
  void pin(unsigned, bool) {}
  u8 byte_{};
  i16 number_{};
  bool flag_{};
  std::string text_;
  ChardevPort port_;
  Region region_;
};
const RegisterType<Tried> registration;
"""

NAME = 'static constexpr std::string_view kName = "tried";'
DESCRIBE = "static void describe(Schema<Tried>& s) { DECLARE }"


def tried(name: str = NAME, describe: str = DESCRIBE, declare: str = "s.help({});", realize: str = "", more: str = "") -> str:
    parts = {"NAME": name, "DESCRIBE": describe, "DECLARE": declare, "REALIZE": realize, "MORE": more}
    source = CLASS
    for word, text in parts.items():
        source = source.replace(word, text)
    return source


def initialise(handlers: str) -> str:
    return tried(realize=f'region_.init_io(*this, "r", 4, io<{handlers}>());')


def in_struct(member: str, chained: str) -> str:
    return f"""struct Part {{
        static void describe(StateFields<Part>& s) {{ s.state("p", &Part::p){chained}; }}
        {member} p{{}};
      }};"""


NO_DESCRIBE = "tried: it has no describe() of its own that is public and static (an empty one will do)"
READ = "a handler of reads is `u64 f(u64 offset, unsigned size)` or `MemResult f(Access&)`"
WRITE = "a handler of writes is `void f(u64 offset, u64 value, unsigned size)` or `MemResult f(Access&)`"
RANGE = "range() is for properties that are numbers kept in a member"
STATE_RANGE = "range() is for unsigned numbers, enums, arrays of them, and the length of vectors"
DEFAULT = "the_default_of_a_property_does_not_fit_its_member"
IGNORED = "nodiscard"

CLASSES = [
    ("a good class compiles", tried(), ""),
    ("a describe() that is misspelt", tried(describe="static void descibe(Schema<Tried>&) {}"), NO_DESCRIBE),
    ("a describe() that is private", tried(describe="private: static void describe(Schema<Tried>&) {} public:"), NO_DESCRIBE),
    ("a describe() that is not static", tried(describe="void describe(Schema<Tried>&) {}"), "tried: its describe() must be static"),
    ("a describe() of another class", tried(describe="static void describe(Schema<Other>&) {}"),
     "tried: its describe() takes the schema of another class"),
    ("a describe() that describes nothing", tried(describe="static void describe() {}"),
     "tried: its describe() is not a `static void describe(Schema<T>&)`"),
    ("no kName", tried(name=""), "a class that extends pci-device has no kName of its own"),
    ("a pure virtual function left over", tried(more="virtual void left_over() = 0;"),
     "tried: a pure virtual function of its bases is left over"),
    ("a constructor that wants something", tried(more="explicit Tried(int) {}"),
     "tried: it has no public constructor without arguments"),
    ("a default that its member cannot hold", tried(declare='s.property("p", &Tried::byte_, 256);'), DEFAULT),
    ("a negative default of an unsigned member", tried(declare='s.property("p", &Tried::byte_, -1);'), DEFAULT),
    ("a number as the default of a flag", tried(declare='s.property("p", &Tried::flag_, 2);'), "the default of a property is of its member's type, or a number for a number"),
    ("a default that its member can hold", tried(declare='s.property("p", &Tried::byte_, 255);'), ""),
    ("a range of a flag", tried(declare='s.property("p", &Tried::flag_, true).range(0, 1);'), RANGE),
    ("a range of a text", tried(declare='s.property("p", &Tried::text_, "").range(0, 1);'), RANGE),
    ("a range of a link", tried(declare='s.link("p", &Tried::port_).range(0, 1);'), RANGE),
    ("a range of a signed state", tried(declare='s.state("p", &Tried::number_).range(0, 1);'), STATE_RANGE),
    ("a range of a signed number in a struct", tried(more=in_struct("i16", ".range(0, 1)")), STATE_RANGE),
    ("a range of a flag in a struct", tried(more=in_struct("bool", ".range(0, 1)")), STATE_RANGE),
    ("a range of an unsigned number in a struct", tried(more=in_struct("u16", ".range(0, 1)")), ""),
    ("a number in a struct that survives a reset", tried(more=in_struct("i16", ".survives_reset()")), ""),
    ("good handlers compile", initialise("&Tried::read, &Tried::write"), ""),
    ("one good handler for both compiles", initialise("&Tried::access, &Tried::access"), ""),
    ("a handler of reads that writes", initialise("&Tried::write, &Tried::write"), READ),
    ("a handler of writes that reads", initialise("&Tried::read, &Tried::read"), WRITE),
    ("a handler of something else", initialise("&Tried::pin, &Tried::write"), READ),
    ("handlers of another class", initialise("&Other::read, &Other::write"),
     "the handlers are member functions of another class"),
    ("a pin's handler of the wrong type", tried(realize='init_gpio_in<&Tried::access>(*this, "", 1);'),
     "the handler of an input pin is `void f(unsigned pin, bool level)`"),
    ("an ignored Result", tried(realize='region_.init_ram(this, "r", 4096);'), IGNORED),
    ("an ignored attach", tried(realize="port_.attach({});"), IGNORED),
    ("an ignored Result of one's own", tried(more="Result<u32> count() { return 1u; }", realize="count();"), IGNORED),
    ("a Result that is looked at", tried(more="Result<u32> count() { return 1u; }", realize="if (!count()) return fail(\"none\");"), ""),
    ("an ignored MemResult of one's own", tried(more="MemResult touch() { return MemResult::Ok; }", realize="touch();"), IGNORED),
    ("an ignored MemResult", tried(realize="u32 word{}; dma().read_value(0, word);"), IGNORED),
]

CASES = [(name, TABLE.replace("ROWS", rows), sentence) for name, rows, sentence in TABLES] + CLASSES


# What the cases include, compiled once for all of them.
PRECOMPILED = """
#include "rhea/chardev/chardev_port.h"
#include "rhea/hw/isa.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/registers.h"
#include <string>
"""


class Compiler:
    """Looks at sources, and says what it has against them."""

    def __init__(self, command: list[str], include: str, folder: Path) -> None:
        self._folder = folder
        self._command = [*command, "-std=c++23", "-Werror=unused-result", f"-I{include}"]
        header = folder / "precompiled.h"
        header.write_text(PRECOMPILED, encoding="utf-8")
        self._run(["-x", "c++-header", str(header), "-o", f"{header}.gch"]).check_returncode()
        self._command += ["-include", str(header)]

    def complaint(self, text: str) -> str:
        source = self._folder / "tried.cc"
        source.write_text(text, encoding="utf-8")
        done = self._run(["-fsyntax-only", str(source)])
        return done.stderr if done.returncode else ""

    def _run(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False,
                              env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})


def look(compiler: Compiler) -> bool:
    print(f"1..{len(CASES)}")
    failed = False
    for number, (name, text, sentence) in enumerate(CASES, 1):
        said = compiler.complaint(text)
        good = sentence in said if sentence else said == ""
        failed |= not good
        print(f"{'ok' if good else 'not ok'} {number} {name}")
        if not good:
            print("\n".join(f"# {line[:200]}" for line in said.splitlines()[:20]))
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--include", required=True)
    parser.add_argument("compiler", nargs="+")
    options = parser.parse_args()
    command = [word for word in options.compiler if not word.endswith("ccache")]
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(look(Compiler(command, options.include, Path(folder))))


main()
