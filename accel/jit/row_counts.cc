// SPDX-License-Identifier: GPL-2.0-or-later
#include "accel/jit/row_counts.h"

#include "accel/jit/block_cache.h"
#include "accel/jit/translations.h"
#include "target/x86/isa/row.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace rhea::jit {
namespace {

/// How a row is translated, where its operands allow it.
enum class Way : u8 { Emitted, Reencoded, Called };
constexpr std::array<std::string_view, 3> kWayNames{"emitted", "re-encoded", "called"};

Way way_of(unsigned row) {
  const auto* const emitter = x86::translating::emitter_of(row);
  if (emitter == nullptr) return Way::Called;
  return emitter->resident != 0 ? Way::Reencoded : Way::Emitted;
}

void add_to(std::atomic<u64>& counter, u64 more) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

double percent(u64 part, u64 all) {
  return 100 * static_cast<double>(part) / static_cast<double>(std::max<u64>(all, 1));
}

struct OfMnemonic {
  u64 all{}, called{};
};

}  // namespace

RowCounts::RowCounts() : rows_(x86::isa::rows().size()) {}

void RowCounts::add(const Block& block, std::size_t executed, u64 times) {
  const u64 called = block.translation != nullptr ? block.translation->called : ~u64{0};
  for (std::size_t n = 0; n < executed; ++n) {
    Count& row = rows_[block.insns[n].row];
    add_to(row.all, times);
    if ((called >> n & 1) != 0) add_to(row.called, times);
  }
}

void RowCounts::add(const RowCounts& other) {
  for (std::size_t n = 0; n < rows_.size(); ++n) {
    add_to(rows_[n].all, other.rows_[n].all);
    add_to(rows_[n].called, other.rows_[n].called);
  }
}

std::string RowCounts::describe() const {
  std::array<u64, 3> of_table{}, executed{};
  std::map<std::pair<std::string_view, Way>, OfMnemonic> by_name;
  u64 all = 0;
  for (unsigned n = 0; n < rows_.size(); ++n) {
    const Way way = way_of(n);
    ++of_table[static_cast<unsigned>(way)];
    const u64 times = rows_[n].all, called = rows_[n].called;
    if (times == 0) continue;
    all += times;
    executed[static_cast<unsigned>(way)] += times - called;
    executed[static_cast<unsigned>(Way::Called)] += called;
    OfMnemonic& name = by_name[{x86::isa::rows()[n].mnemonic, way}];
    name.all += times;
    name.called += called;
  }
  std::string text = fmt::format(
      "instruction rows    emitted {}, re-encoded {}, called {}\n"
      "instructions        {}: emitted {:.2f} %, re-encoded {:.2f} %, called {:.2f} %\n",
      of_table[0], of_table[1], of_table[2], all, percent(executed[0], all),
      percent(executed[1], all), percent(executed[2], all));
  std::vector<std::pair<std::pair<std::string_view, Way>, OfMnemonic>> sorted(by_name.begin(),
                                                                              by_name.end());
  std::ranges::sort(sorted, std::greater<>(), [](const auto& each) { return each.second.all; });
  for (const auto& [what, times] : sorted)
    text +=
        fmt::format("  {:<17} {:.4f} % {}, {:.4f} % called\n", what.first, percent(times.all, all),
                    kWayNames[static_cast<unsigned>(what.second)], percent(times.called, all));
  return text;
}

}  // namespace rhea::jit
