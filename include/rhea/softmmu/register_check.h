// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with a register table, in a sentence, found while the device is compiled.
#pragma once

#include "rhea/qom/register_info.h"
#include "rhea/qom/sentence.h"
#include "rhea/util/types.h"

#include <array>
#include <bit>
#include <string_view>

namespace rhea::detail {

/// A row as the check sees it.
struct CheckedRow {
  RegisterInfo info;
  unsigned member_bytes{};  ///< 0: none
  unsigned members{1};      ///< of an array
  bool read_only{}, write_only{}, constant{};
  bool read_by{}, write_by{}, after_read{}, after_write{};
};

constexpr Sentence about(const RegisterInfo& row) {
  return Sentence().add("register ").add(row.name).add(" at ").add(row.offset, 16).add(" ");
}

constexpr u64 bits_of(unsigned bytes) { return bytes >= 8 ? ~u64{0} : (u64{1} << (8 * bytes)) - 1; }

constexpr Sentence check_fields(const RegisterInfo& row) {
  u64 seen = 0;
  for (const RegisterField& field : row.fields) {
    const auto field_is = [&] { return about(row).add("has a field ").add(field.name).add(" "); };
    if (field.mask == 0) return field_is().add("without bits");
    if ((field.mask & ~bits_of(row.width)) != 0)
      return field_is().add("outside of its ").add(u64{8} * row.width).add(" bits");
    if ((field.mask & seen) != 0) return field_is().add("that overlaps another");
    const u64 low = field.mask >> std::countr_zero(field.mask);
    if ((low & (low + 1)) != 0) return field_is().add("whose bits are not adjacent");
    if (!field.values.empty() && field.values.size() - 1 > low)
      return field_is().add("with more names than values");
    seen |= field.mask;
  }
  return {};
}

constexpr Sentence check_bits(const CheckedRow& row) {
  const RegisterInfo& info = row.info;
  const u64 all = bits_of(info.width);
  const auto wider = [&](std::string_view what, u64 mask) {
    return about(info)
        .add("has ")
        .add(what)
        .add(" ")
        .add(mask, 16)
        .add(", but ")
        .add(u64{8} * info.width)
        .add(" bits");
  };
  if ((info.reset & ~all) != 0) return wider("the value", info.reset);
  if ((info.writable & ~all) != 0) return wider("writable bits", info.writable);
  if ((info.write_1_clears & ~all) != 0) return wider("write-1-to-clear bits", info.write_1_clears);
  if ((info.read_clears & ~all) != 0) return wider("read-to-clear bits", info.read_clears);
  if ((info.exists & ~all) != 0) return wider("bits", info.exists);
  if ((info.writable & info.write_1_clears) != 0)
    return about(info).add("has bits that are writable and write-1-to-clear");
  if ((info.reset & ~info.exists) != 0 && info.stored)
    return about(info).add("has bits in its reset value that are not there");
  return check_fields(info);
}

constexpr Sentence check_effects(const CheckedRow& row) {
  const RegisterInfo& info = row.info;
  const bool member = row.member_bytes != 0;
  const bool after = row.after_write || info.write_1_clears != 0;
  const bool written = row.write_by || after;
  if (row.read_only && row.write_only) return about(info).add("is read-only and write-only");
  if ((row.read_only && written) || (row.constant && after))
    return about(info).add("is read-only, but says what a write does");
  if (row.constant && (member || row.read_by))
    return about(info).add("is constant, but has a value of its own");
  if (row.write_only && (row.read_by || row.after_read || info.read_clears != 0))
    return about(info).add("is write-only, but says what a read does");
  if (!member && !row.constant && !row.read_by && !row.write_by)
    return about(info).add("has neither member, constant, read_by nor write_by");
  if (!member && !row.write_by && written)
    return about(info).add("has no member to write to and no write_by");
  if (!member && info.read_clears != 0) return about(info).add("has no member to clear");
  if (row.write_by && row.after_write)
    return about(info).add("has both write_by and after_write: one does");
  return {};
}

constexpr Sentence check_shape(const CheckedRow& row, const RegisterBankInfo& bank) {
  const RegisterInfo& info = row.info;
  if (info.name.empty())
    return Sentence().add("the register at ").add(info.offset, 16).add(" has no name");
  if (info.end() > bank.size || info.end() < info.offset)
    return about(info).add("ends outside of the bank of ").add(bank.size, 16).add(" bytes");
  if (info.is_range()) return {};
  if (!std::has_single_bit(info.width) || info.width > 8)
    return about(info).add("is ").add(info.width).add(" bytes wide: 1, 2, 4 and 8 are possible");
  if (row.member_bytes != 0 && info.width > row.member_bytes)
    return about(info).add("is wider than its member");
  if (row.members > 1 && row.members != info.count)
    return about(info).add("has another count than its array");
  if (info.count == 0 || info.stride < info.width)
    return about(info).add("is closer to the next than it is wide");
  if (!bank.unaligned && (info.offset % info.width != 0 || info.stride % info.width != 0))
    return about(info).add("is not aligned to its width");
  if (info.reach == Reach::Exact && (info.width < bank.min_access || info.width > bank.max_access))
    return about(info).add("has a width that no access to the bank can have");
  return {};
}

constexpr bool overlap(const RegisterInfo& a, const RegisterInfo& b) {
  const unsigned many = a.count > b.count ? a.count : b.count;
  if (a.offset >= b.end() || b.offset >= a.end()) return false;
  if (many == 1) return true;
  for (unsigned i = 0; i < a.count; ++i)
    for (unsigned j = 0; j < b.count; ++j) {
      const u64 at = a.offset + i * a.stride;
      const u64 other = b.offset + j * b.stride;
      if (at < other + (b.is_range() ? b.stride : b.width) &&
          other < at + (a.is_range() ? a.stride : a.width))
        return true;
    }
  return false;
}

/// Empty when all is well. Two rows may share bytes when one is only read and the other only
/// written.
template <class Rows>
constexpr Sentence check_registers(const RegisterBankInfo& bank, const Rows& rows) {
  for (const CheckedRow& row : rows) {
    if (const Sentence bad = check_shape(row, bank); !bad.empty()) return bad;
    if (row.info.is_range()) continue;
    if (const Sentence bad = check_bits(row); !bad.empty()) return bad;
    if (const Sentence bad = check_effects(row); !bad.empty()) return bad;
  }
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = i + 1; j < rows.size(); ++j) {
      const RegisterInfo& a = rows[i].info;
      const RegisterInfo& b = rows[j].info;
      if (a.name == b.name) return about(b).add("has a name that another has");
      const bool both = (a.guest_reads && b.guest_reads) || (a.guest_writes && b.guest_writes);
      if (both && overlap(a, b)) return about(b).add("overlaps ").add(a.name);
    }
  return {};
}

/// Names the sentence in the compiler's message.
template <Sentence Problem>
struct RegisterTableIs {
  static_assert(Problem.empty(), "the register table is wrong: the text above says how");
};

}  // namespace rhea::detail
