// SPDX-License-Identifier: GPL-2.0-or-later
// What most files include of libraries, compiled once for all of them. A file names what it needs all the same:
// nothing here is there for a reader, and scripts/check-headers holds headers to it.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
