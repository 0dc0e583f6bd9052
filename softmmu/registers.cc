// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses to declared registers that are unusual: of some bytes, of several registers, traced.
#include "rhea/softmmu/registers.h"

#include <algorithm>

namespace rhea {
namespace detail {
namespace {

/// A register that an access reaches.
struct Reached {
  const RegisterInfo* row{};
  unsigned index{};
  u64 lanes{};      ///< bits of the register
  unsigned from{};  ///< where in the access they are, in bytes
  unsigned skip{};  ///< where in the register they begin, in bytes
};

std::optional<Reached> reach(const RegisterInfo& row, unsigned index, const Access& access) {
  const u64 at = row.offset + index * row.stride;
  const u64 end = at + row.width;
  const u64 access_end = access.offset + access.size;
  if (access.offset >= end || access_end <= at) return std::nullopt;
  const Reached whole{.row = &row, .index = index, .lanes = bits_of(row.width)};
  const bool at_start = access.offset == at;
  if (at_start && access.size == row.width) return whole;
  switch (row.reach) {
    case Reach::Exact: return std::nullopt;
    case Reach::FromStart:
      return at_start && access.size < row.width ? std::optional(whole) : std::nullopt;
    case Reach::Anywhere: return access.offset >= at ? std::optional(whole) : std::nullopt;
    case Reach::Bytes: break;
  }
  const u64 first = std::max(at, access.offset);
  const u64 last = std::min(end, access_end);
  const auto skip = static_cast<unsigned>(first - at);
  return Reached{.row = &row,
                 .index = index,
                 .lanes = bits_of(static_cast<unsigned>(last - first)) << (8 * skip),
                 .from = static_cast<unsigned>(first - access.offset),
                 .skip = skip};
}

/// Calls `visit` for each register reached; false when there is none.
template <class Visit>
bool each_reached(const RegisterBankInfo& bank, const Access& access, bool write, Visit visit) {
  bool found = false;
  for (const RegisterInfo& row : bank.rows) {
    if (row.is_range() || !(write ? row.guest_writes : row.guest_reads)) continue;
    if (access.offset >= row.end()) continue;
    const u64 past = access.offset > row.offset ? access.offset - row.offset : 0;
    for (u64 index = past / row.stride; index < row.count; ++index) {
      if (row.offset + index * row.stride >= access.offset + access.size) break;
      if (const auto reached = reach(row, static_cast<unsigned>(index), access)) {
        visit(*reached);
        found = true;
      }
    }
  }
  return found;
}

std::string device_name(const RegisterCode& bank, void* device) {
  return trace::ObjectSubject(&bank.object(device)).name();
}

void show(const RegisterCode& bank, void* device, const Reached& r, bool write, u64 value) {
  std::string line = fmt::format("{}: {} {} {:#x}", device_name(bank, device),
                                 register_name(*r.row, r.index), write ? "<-" : "->", value);
  if (r.lanes != bits_of(r.row->width)) line += fmt::format(" of bits {:#x}", r.lanes);
  if (const std::string fields = fields_text(*r.row, value); !fields.empty())
    line += fmt::format(" [{}]", fields);
  log_event(line + "\n");
}

void show_other(const RegisterCode& bank, void* device, std::string_view where,
                const Access& access, bool write) {
  log_event(fmt::format("{}: {} {} {:#x}\n", device_name(bank, device), where, write ? "<-" : "->",
                        access.value));
}

const RegisterInfo* range_of(const RegisterBankInfo& bank, const Access& access) {
  const auto found = std::ranges::find_if(bank.rows, [&](const RegisterInfo& row) {
    const u64 at = access.offset - row.offset;
    return row.is_range() && at < row.stride && access.size <= row.stride - at;
  });
  return found == bank.rows.end() ? nullptr : &*found;
}

std::string place_in(const RegisterInfo& range, const Access& access) {
  return fmt::format("{}+{:#x}", range.name, access.offset - range.offset);
}

}  // namespace

void log_read_only(std::string_view device, std::string_view name, u64 value) {
  log_guest(device, "write of {:#x} to read-only {}", value, name);
}

MemResult read_registers(const RegisterCode& bank, void* device, Access& access, bool traced) {
  if (const RegisterInfo* range = range_of(bank, access)) {
    access.value = range->read_range(device, access.offset - range->offset, access.size);
    if (traced) show_other(bank, device, place_in(*range, access), access, false);
    return MemResult::Ok;
  }
  u64 value = bank.elsewhere & all_ones(access.size);
  const bool found = each_reached(bank, access, false, [&](const Reached& r) {
    const u64 read = r.row->read(device, r.index, r.lanes) & bits_of(r.row->width);
    if (traced) show(bank, device, r, false, read & r.lanes);
    const u64 place = r.lanes >> (8 * r.skip) << (8 * r.from);
    const u64 part = (read & r.lanes) >> (8 * r.skip) << (8 * r.from);
    value = (value & ~place) | part;
  });
  access.value = value & all_ones(access.size);
  if (found) return MemResult::Ok;
  if (traced) show_other(bank, device, fmt::format("{:#x}", access.offset), access, false);
  log_guest(device_name(bank, device), "read of nothing at {:#x}", access.offset);
  return MemResult::Ok;
}

MemResult write_registers(const RegisterCode& bank, void* device, Access& access, bool traced) {
  if (const RegisterInfo* range = range_of(bank, access)) {
    if (traced) show_other(bank, device, place_in(*range, access), access, true);
    range->write_range(device, access.offset - range->offset, access.value, access.size);
    return MemResult::Ok;
  }
  const bool found = each_reached(bank, access, true, [&](const Reached& r) {
    const u64 value = access.value >> (8 * r.from) << (8 * r.skip) & r.lanes;
    if (traced) show(bank, device, r, true, value);
    r.row->write(device, r.index, value, r.lanes);
  });
  if (found) return MemResult::Ok;
  // Of those that are only read, the names are told.
  const bool read_only = each_reached(bank, access, false, [&](const Reached& r) {
    if (traced) show(bank, device, r, true, access.value >> (8 * r.from) << (8 * r.skip) & r.lanes);
    log_read_only(device_name(bank, device), r.row->name, access.value);
  });
  if (read_only) return MemResult::Ok;
  if (traced) show_other(bank, device, fmt::format("{:#x}", access.offset), access, true);
  log_guest(device_name(bank, device), "write of {:#x} to nothing at {:#x}", access.value,
            access.offset);
  return MemResult::Ok;
}

}  // namespace detail

namespace {

const RegisterBankInfo* find_bank(Device& owner, const void* region) {
  for (const TypeInfo* type = &owner.type(); type != nullptr; type = type->parent)
    for (const DeclaredBank& bank : type->banks)
      if (bank.region(owner) == region) return bank.info;
  return nullptr;
}

}  // namespace

void RegisterBank::init(Device& owner, u64 size) {
  const RegisterBankInfo* info = find_bank(owner, this);
  RHEA_ASSERT(info != nullptr);
  const auto& code = static_cast<const detail::RegisterCode&>(*info);
  init_io(&owner, std::string(info->name), size != 0 ? size : info->size, code.ops,
          info->self(owner));
}

const RegisterBankInfo* declared_registers(const Region& region) {
  return region.owner() == nullptr ? nullptr : find_bank(*region.owner(), &region);
}

}  // namespace rhea
