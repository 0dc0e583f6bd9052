// SPDX-License-Identifier: GPL-2.0-or-later
// -smp: parsing, and the rules by which what is missing follows from the rest.
#include "softmmu/smp_option.h"

#include "rhea/util/option.h"

#include <algorithm>
#include <array>

namespace rhea {
namespace {

constexpr unsigned kMaxCpus = 255;
constexpr u64 kMost = 0xffff'ffff;  // of any one parameter

struct Field {
  std::string_view name;
  unsigned SmpRequest::* member;
};
constexpr std::array kFields = {
    Field{"cpus", &SmpRequest::cpus},         Field{"maxcpus", &SmpRequest::max_cpus},
    Field{"sockets", &SmpRequest::sockets},   Field{"dies", &SmpRequest::dies},
    Field{"clusters", &SmpRequest::clusters}, Field{"cores", &SmpRequest::cores},
    Field{"threads", &SmpRequest::threads},
};

unsigned or_one(unsigned count) { return std::max(count, 1U); }

Result<> smp(Machine& machine, const std::string& text) {
  auto added =
      machine.service<SmpRequest>().add(TRY(KeyValues::parse(text, "cpus", Words::Required)));
  if (!added) return std::unexpected(std::move(added).error().within("-smp " + text));
  return {};
}

const RegisterOption option{{.name = "smp",
                             .argument = "[cpus=]n[,maxcpus=,sockets=,dies=,cores=,threads=]",
                             .help = "number of CPUs and their topology",
                             .phase = StartPhase::Config,
                             .apply = &smp}};

}  // namespace

Result<> SmpRequest::add(KeyValues values) {
  for (const Field& field : kFields) {
    const auto text = values.take(field.name);
    if (!text) continue;
    // No more than fits into a number: the limit is the board's, and settle() knows it.
    auto number = parse_unsigned(*text, {.min = 1, .max = kMost}, false);
    if (!number) return std::unexpected(std::move(number).error().within(field.name));
    this->*field.member = static_cast<unsigned>(*number);
  }
  if (!values.empty()) return fail("unknown parameter '{}'", values.all().front().first);
  return {};
}

Result<> SmpRequest::settle(MachineConfig& config, bool prefer_sockets) const {
  if (clusters > 1)
    return fail("-smp clusters={}: clusters not supported by this machine's CPU topology",
                clusters);
  const unsigned d = or_one(dies);
  unsigned s = sockets, c = cores, t = threads;
  if (cpus == 0 && max_cpus == 0) {
    s = or_one(s), c = or_one(c), t = or_one(t);
  } else {
    const u64 most = max_cpus != 0 ? max_cpus : cpus;
    const auto left_by = [most, d](u64 a, u64 b) {
      const u64 taken = a * b > kMost / d ? kMost : a * b * d;
      return static_cast<unsigned>(most / taken);
    };
    if (s == 0 && (prefer_sockets || c != 0)) {
      c = or_one(c), t = or_one(t);
      s = left_by(c, t);
    } else if (c == 0) {
      s = or_one(s), t = or_one(t);
      c = left_by(s, t);
    }
    if (t == 0) t = left_by(or_one(s), or_one(c));
  }
  const u64 upper = u64{s} * d > kMost ? kMost : u64{s} * d;
  const u64 product = upper * c > kMost ? kMost : upper * c * t;
  const u64 most = max_cpus != 0 ? max_cpus : cpus;
  const u64 total = most != 0 ? most : product;
  const u64 present = cpus != 0 ? cpus : total;
  if (product != total)
    return fail(
        "-smp: Invalid CPU topology: product of the hierarchy must match maxcpus: sockets ({}) * "
        "dies ({}) * cores ({}) * threads ({}) != maxcpus ({})",
        s, d, c, t, total);
  if (total < present)
    return fail(
        "-smp: Invalid CPU topology: maxcpus must be equal to or greater than smp: sockets ({}) * "
        "dies ({}) * cores ({}) * threads ({}) == maxcpus ({}) < smp_cpus ({})",
        s, d, c, t, total, present);
  if (total > kMaxCpus)
    return fail("-smp: Invalid SMP CPUs {}. The max CPUs supported by this machine is {}", total,
                kMaxCpus);
  config.cpus = static_cast<unsigned>(present);
  config.max_cpus = static_cast<unsigned>(total);
  config.sockets = s;
  config.dies = d;
  config.cores = c;
  config.threads = t;
  return {};
}

}  // namespace rhea
