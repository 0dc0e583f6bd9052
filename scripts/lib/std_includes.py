# SPDX-License-Identifier: GPL-2.0-or-later
"""Which standard headers a file uses and does not include.

Precompiled headers hide a missing #include from the compiler, so the names are looked up here.
A header of the project that a file includes may bring what it needs along.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import tree

# Header: the names of namespace std it is included for. Those that many headers bring, such as
# std::move and std::size_t, are left out.
NAMES = {
    "algorithm": "all_of any_of none_of clamp fill_n find_if for_each lower_bound upper_bound "
                 "max_element min_element rotate sort stable_sort transform unique equal_range",
    "array": "array to_array",
    "atomic": "atomic atomic_ref atomic_flag atomic_thread_fence memory_order_acquire "
              "memory_order_release memory_order_relaxed",
    "bit": "bit_cast bit_ceil bit_width countl_zero countr_zero countl_one countr_one "
           "has_single_bit popcount rotl rotr byteswap endian",
    "charconv": "from_chars to_chars",
    "chrono": "chrono",
    "condition_variable": "condition_variable condition_variable_any",
    "cstring": "memcpy memmove memset memcmp strlen strcmp strerror",
    "deque": "deque",
    "expected": "expected unexpected",
    "filesystem": "filesystem",
    "fstream": "ifstream ofstream fstream",
    "functional": "function move_only_function bind_front plus hash",
    "limits": "numeric_limits",
    "map": "map multimap",
    "memory": "unique_ptr shared_ptr weak_ptr make_unique make_shared enable_shared_from_this",
    "mutex": "mutex recursive_mutex lock_guard unique_lock scoped_lock once_flag call_once",
    "numeric": "accumulate iota",
    "optional": "optional nullopt nullopt_t make_optional",
    "random": "mt19937 mt19937_64 uniform_int_distribution random_device",
    "set": "set multiset",
    "shared_mutex": "shared_mutex shared_lock",
    "span": "span as_bytes as_writable_bytes",
    "stdexcept": "runtime_error logic_error invalid_argument out_of_range",
    "string": "string to_string stoi stoul stoull getline",
    "string_view": "string_view",
    "thread": "thread jthread this_thread",
    "tuple": "tuple tie make_tuple apply",
    "unordered_map": "unordered_map",
    "unordered_set": "unordered_set",
    "variant": "variant monostate visit get_if holds_alternative",
    "vector": "vector",
}
PROVIDER = {name: header for header, names in NAMES.items() for name in names.split()}
# A header that is documented to bring, or cannot do without, another.
BRINGS = {"string": {"string_view"}, "filesystem": {"string", "string_view"},
          "functional": set(), "condition_variable": {"mutex"}, "shared_mutex": {"mutex"},
          "fstream": {"string", "string_view"}, "nlohmann/json.hpp": {"string", "string_view", "vector", "map"},
          "gtest/gtest.h": {"string", "string_view", "vector", "memory", "tuple", "map", "set", "limits"},
          "gmock/gmock.h": {"string", "string_view", "vector", "memory", "tuple", "functional"},
          "fmt/format.h": {"string", "string_view", "limits", "memory"},
          "fmt/core.h": {"string", "string_view", "cstring"}}

INCLUDE = re.compile(r'^#include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
USE = re.compile(r"\bstd::(?:ranges::)?(\w+)")
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def place(name: str, includer: Path) -> Path | None:
    """The project's file of this name, relative to the root."""
    for path in (Path("include") / name, Path(name), includer.parent / name):
        if (tree.ROOT / path).is_file():
            return path
    return None


@lru_cache(maxsize=None)
def library_headers(file: Path) -> frozenset[str]:
    """The library headers that a file includes, itself or through the project's headers."""
    found: set[str] = set()
    seen, waiting = {file}, [file]
    while waiting:
        current = waiting.pop()
        for own, library in INCLUDE.findall((tree.ROOT / current).read_text(encoding="utf-8")):
            if library:
                found |= {library, *BRINGS.get(library, ())}
            elif (path := place(own, current)) and path not in seen:
                seen.add(path)
                waiting.append(path)
    return frozenset(found)


def missing(file: Path) -> list[str]:
    """One line for each standard header that the file needs and does not get."""
    text = (tree.ROOT / file).read_text(encoding="utf-8")
    uses = set(USE.findall(NOISE.sub(" ", re.sub(r"^#include.*", "", text, flags=re.MULTILINE))))
    wanted: dict[str, str] = {}
    for name in sorted(uses & PROVIDER.keys()):
        wanted.setdefault(PROVIDER[name], name)
    have = library_headers(file)
    return [f"{file}: uses std::{name} and does not include <{header}>"
            for header, name in wanted.items() if header not in have]
