// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/jit/golden_listing.h"

#include "target/x86/cpu_state.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <regex>
#include <set>

namespace rhea::test {
namespace {

using x86::translating::Mem;
using x86::translating::StateLayout;

/// One host instruction.
struct HostLine {
  std::string mnemonic, operands;
  std::size_t next{};
  std::optional<i64> target;  ///< of a direct jump or call
};

i64 number(const std::string& hex) { return static_cast<i64>(std::stoull(hex, nullptr, 16)); }

/// The line's address and bytes, and the text. Those beyond the eighth byte stand on another.
const std::regex& line_pattern() {
  static const std::regex pattern(R"(0x[0-9a-f]+:  ((?:[0-9a-f]{2} )+) *(\S*) *([^\n]*)\n)");
  return pattern;
}

HostLine read_line(const ListedBlock& block, std::size_t at) {
  const std::string text = x86::disassemble(block.buffer.subspan(at), GuestVirt(at), 64, 1);
  HostLine line;
  line.next = at;
  for (std::sregex_iterator it(text.begin(), text.end(), line_pattern()), end; it != end; ++it) {
    line.next += static_cast<std::size_t>((*it)[1].length()) / 3;
    if ((*it)[2].length() == 0) continue;
    line.mnemonic = (*it)[2];
    line.operands = (*it)[3];
  }
  const bool leads = line.mnemonic.starts_with("j") || line.mnemonic == "call";
  if (leads && line.operands.starts_with("0x") && !line.operands.ends_with(')'))
    line.target = number(line.operands);
  return line;
}

/// Cpu's members by their displacement from the state's register.
class StateNames {
 public:
  explicit StateNames(const StateLayout& s) {
    for (const auto& [name, place] :
         std::initializer_list<std::pair<const char*, Mem>>{{"fcw", s.fcw},
                                                            {"fsw", s.fsw},
                                                            {"fxtag", s.fxtag},
                                                            {"fop", s.fop},
                                                            {"fip", s.fip},
                                                            {"fdp", s.fdp},
                                                            {"fcs", s.fcs},
                                                            {"fds", s.fds},
                                                            {"page_rip", s.page_rip},
                                                            {"flags", s.flags},
                                                            {"eflags", s.eflags},
                                                            {"temporary", s.temporary},
                                                            {"temporary2", s.temporary2},
                                                            {"read_table", s.read_table},
                                                            {"write_table", s.write_table},
                                                            {"table_mask", s.table_mask},
                                                            {"jumps", s.jumps},
                                                            {"call", s.call},
                                                            {"owner", s.owner},
                                                            {"attention", s.attention},
                                                            {"budget", s.budget},
                                                            {"resident", s.resident},
                                                            {"kept", s.kept},
                                                            {"refused", s.refused},
                                                            {"cr0", s.cr0},
                                                            {"cr4", s.cr4},
                                                            {"xcr0", s.xcr0},
                                                            {"mxcsr", s.mxcsr},
                                                            {"host_mxcsr", s.host_mxcsr},
                                                            {"host_fcw", s.host_fcw},
                                                            {"cpl", s.cpl},
                                                            {"kernel_gs_base", s.kernel_gs_base}})
      names_[place.disp] = name;
    constexpr std::array kGeneral{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"};
    for (unsigned n = 0; n < 16; ++n) {
      names_[s.gpr(n).disp] = n < 8 ? kGeneral[n] : fmt::format("r{}", n);
      names_[s.vector(n).disp] = fmt::format("ymm{}", n);
    }
    constexpr std::array kSegments{"es", "cs", "ss", "ds", "fs", "gs"};
    for (unsigned n = 0; n < kSegments.size(); ++n) {
      const std::string segment = kSegments[n];
      names_[s.segment_base(n).disp] = segment + ".base";
      names_[s.segment_end(n, false).disp] = segment + ".read_end";
      names_[s.segment_end(n, true).disp] = segment + ".write_end";
      names_[s.selector(n).disp] = segment + ".selector";
    }
  }
  std::string in(const std::string& operands) const {
    static const std::regex kStatePattern(R"((-?)0x([0-9a-f]+)\(%r15)");
    std::smatch found;
    if (!std::regex_search(operands, found, kStatePattern)) return operands;
    const i64 size = number(found[2]);
    const auto place = static_cast<i32>(found[1].length() != 0 ? -size : size);
    auto name = names_.upper_bound(place);
    if (name == names_.begin() || place - (--name)->first >= 8) return operands;
    const std::string part = place == name->first ? "" : fmt::format("+{}", place - name->first);
    return found.prefix().str() + name->second + part + "(%r15" + found.suffix().str();
  }

 private:
  std::map<i32, std::string> names_;
};

class Lister {
 public:
  explicit Lister(const ListedBlock& block) : block_(block), names_(block.layout) {
    named_[at(block.made.call)] = "call";
    named_[at(block.made.leave)] = "leave";
    named_[block.runtime.load - block.buffer.data()] = "load";
    for (const auto& site : block.made.sites)
      named_[at(site.stub)] = fmt::format("-> {:#x}", site.target);
  }

  std::string run() {
    reach();
    name_targets();
    std::string text;
    for (const auto& [where, line] : lines_) {
      text += heading(where);
      if (const auto label = named_.find(static_cast<i64>(where)); label != named_.end())
        text += label->second + ":\n";
      text += fmt::format("    {:<8} {}", line.mnemonic,
                          line.target ? named_.at(*line.target) : names_.in(line.operands));
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n';
    }
    return text;
  }

 private:
  i64 at(u32 offset) const { return static_cast<i64>(block_.begin + offset); }

  // What is not is of the entry: of single instructions, all before them.
  void reach() {
    const bool single = block_.guest.size() == 1;
    std::vector<std::size_t> open{block_.begin +
                                  (single ? block_.made.starts.front() : block_.made.quick_entry)};
    while (!open.empty()) {
      const std::size_t where = open.back();
      open.pop_back();
      if (lines_.contains(where)) continue;
      const HostLine& line = lines_[where] = read_line(block_, where);
      if (line.target && !named_.contains(*line.target))
        open.push_back(static_cast<std::size_t>(*line.target));
      if (line.mnemonic != "jmp" && line.next < block_.begin + block_.made.size)
        open.push_back(line.next);
    }
  }

  void name_targets() {
    std::set<i64> targets;
    for (const auto& [where, line] : lines_)
      if (line.target && !named_.contains(*line.target)) targets.insert(*line.target);
    unsigned number = 0;
    for (const i64 target : targets) named_[target] = fmt::format("L{}", ++number);
  }

  /// What the code from here on is for, where that changes.
  std::string heading(std::size_t where) {
    const auto& starts = block_.made.starts;
    std::string text;
    while (next_ < starts.size() && where >= block_.begin + starts[next_]) {
      const bool last = next_ + 1 == starts.size();
      text += last ? "(behind)\n" : block_.guest[next_] + "\n";
      ++next_;
    }
    if (where < block_.begin + starts.front() && !std::exchange(entered_, true))
      text = "(before)\n";
    return text;
  }

  const ListedBlock& block_;
  StateNames names_;
  std::map<i64, std::string> named_;
  std::map<std::size_t, HostLine> lines_;
  std::size_t next_{0};
  bool entered_{};
};

}  // namespace

std::string list_block(const ListedBlock& block) { return Lister(block).run(); }

}  // namespace rhea::test
