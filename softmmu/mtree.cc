// SPDX-License-Identifier: GPL-2.0-or-later
// The texts of `info mtree`, in QEMU's format, which scripts read.
#include "rhea/softmmu/address_space.h"
#include "softmmu/range_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace rhea {
namespace {

constexpr unsigned kMaxDepth = 1024;

std::string_view kind_text(const Region& region, bool readonly) {
  switch (region.kind()) {
    case RegionKind::Ram:
    case RegionKind::Rom: return readonly ? "rom" : "ram";
    case RegionKind::RomDevice: return region.romd_mode() ? "romd" : "i/o";
    case RegionKind::Alias:
      return region.alias_target() != nullptr ? kind_text(*region.alias_target(), readonly) : "i/o";
    default: return "i/o";
  }
}

/// Prints a tree of regions and remembers what its aliases show.
class TreePrinter {
 public:
  void print(const Region& region, u64 base, unsigned depth);
  /// The trees that are visible only through aliases, each once.
  void print_alias_targets();
  std::string take() { return std::move(text_); }
  void line(std::string_view text) { text_.append(text).push_back('\n'); }

 private:
  void remember(const Region& target);

  std::string text_;
  std::vector<const Region*> targets_;
};

void TreePrinter::print(const Region& region, u64 base, unsigned depth) {
  if (depth > kMaxDepth) return;
  const u64 first = base + region.address();
  const u64 last = first + static_cast<u64>(region.size() - 1);
  auto out = std::back_inserter(text_);
  fmt::format_to(out, "{:{}}{:016x}-{:016x} (prio {}, {}): ", "", 2 * depth, first, last,
                 region.priority(), kind_text(region, region.readonly()));
  if (const Region* const target = region.alias_target(); target != nullptr) {
    fmt::format_to(out, "alias {} @{} {:016x}-{:016x}", region.name(), target->name(),
                   region.alias_offset(),
                   region.alias_offset() + static_cast<u64>(region.size() - 1));
    remember(*target);
  } else {
    text_ += region.name();
  }
  line(region.enabled() ? "" : " [disabled]");
  auto children = region.children();
  std::ranges::stable_sort(children, {}, &Region::address);
  for (const Region* child : children) print(*child, first, depth + 1);
}

void TreePrinter::remember(const Region& target) {
  if (std::find(targets_.begin(), targets_.end(), &target) == targets_.end())
    targets_.push_back(&target);
}

void TreePrinter::print_alias_targets() {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    line(fmt::format("\nmemory-region: {}", targets_[i]->name()));
    print(*targets_[i], 0, 1);
  }
}

}  // namespace

namespace softmmu {

std::string range_text(const FlatRange& range) {
  std::string text = fmt::format("  {:016x}-{:016x} (prio {}, {}): {}", range.first, range.last,
                                 range.region->priority(), kind_text(*range.region, range.readonly),
                                 range.region->name());
  if (range.offset != 0) fmt::format_to(std::back_inserter(text), " @{:016x}", range.offset);
  text.push_back('\n');
  return text;
}

}  // namespace softmmu

std::string MemoryMap::tree_text() const {
  TreePrinter printer;
  std::vector<const Region*> roots;
  for (const AddressSpace* space : spaces_)
    if (std::find(roots.begin(), roots.end(), &space->root()) == roots.end())
      roots.push_back(&space->root());
  for (const Region* root : roots) {
    if (root != roots.front()) printer.line("");
    for (const AddressSpace* space : spaces_)
      if (&space->root() == root) printer.line("address-space: " + space->name());
    printer.print(*root, 0, 1);
  }
  printer.print_alias_targets();
  return printer.take();
}

std::string MemoryMap::flat_text() const {
  const RcuGuard guard;
  std::string text;
  std::vector<const AddressSpace*> left(spaces_.begin(), spaces_.end());
  for (unsigned number = 0; !left.empty(); ++number) {
    const AddressSpace& first = *left.front();
    fmt::format_to(std::back_inserter(text), "{}FlatView #{}\n", number == 0 ? "" : "\n", number);
    std::erase_if(left, [&](const AddressSpace* space) {
      if (space->view().ranges() != first.view().ranges()) return false;
      text += fmt::format(" AS \"{}\", root: {}\n", space->name(), space->root().name());
      return true;
    });
    text += fmt::format(" Root memory region: {}\n", first.root().name());
    text += first.view().ranges().empty() ? "  No rendered FlatView\n" : first.view().to_text();
  }
  return text;
}

}  // namespace rhea
