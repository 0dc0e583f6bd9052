// SPDX-License-Identifier: GPL-2.0-or-later
// The stream that holds a machine: sections of objects, then RAM.
#include "rhea/softmmu/snapshot.h"

#include "qom/guarded.h"
#include "rhea/qom/registry.h"
#include "rhea/util/lock.h"
#include "rhea/util/log.h"

#include <zlib.h>

#include <algorithm>
#include <map>
#include <set>

namespace rhea {
namespace {

constexpr u64 kMagic = 0x3130'504e'5341'4852;  // "RHASNP01"
constexpr std::size_t kPage = 4096;
constexpr u64 kNoMorePages = ~u64{0};

std::map<std::string_view, std::string_view>& names() {
  static std::map<std::string_view, std::string_view> table;
  return table;
}
std::set<std::string_view>& optional_types() {
  static std::set<std::string_view> table;
  return table;
}

/// Under which name a type's state is saved.
std::string_view saved_name(const TypeInfo& type) {
  const auto it = names().find(type.name);
  return it == names().end() ? std::string_view(type.name) : it->second;
}

u32 checksum(std::span<const u8> data) {
  return static_cast<u32>(crc32_z(0, data.data(), data.size()));
}

bool has_state(const Object& object) {
  return std::ranges::any_of(object.type().lineage(), [](const TypeInfo* type) {
    return !type->state.fields.empty() || !type->subsections.empty();
  });
}

void save_class(const Object& object, const TypeInfo& type, StateWriter& out) {
  out.text(saved_name(type));
  out.number(type.version, 2);
  type.state.save(&object, out);
  for (const Subsection& subsection : type.subsections) {
    const bool needed = subsection.needed(object);
    out.number(needed, 1);
    if (!needed) continue;
    out.text(subsection.name);
    subsection.fields.save(&object, out);
  }
}

Result<> load_class(Object& object, const TypeInfo& type, StateReader& in) {
  const std::string name = TRY(in.text());
  if (name != saved_name(type))
    return fail("state of type '{}' is expected, not '{}'", saved_name(type), name);
  const auto version = static_cast<unsigned>(TRY(in.number(2)));
  if (version < type.minimum_version || version > type.version)
    return fail("state version {} of '{}' is not supported ({}..{})", version, type.name,
                type.minimum_version, type.version);
  TRY(type.state.load(&object, in, version));
  for (const Subsection& subsection : type.subsections) {
    if (TRY(in.number(1)) == 0) continue;
    const std::string found = TRY(in.text());
    if (found != subsection.name)
      return fail("subsection '{}' is expected, not '{}'", subsection.name, found);
    TRY(subsection.fields.load(&object, in, subsection.version));
  }
  return {};
}

void prepare(Object& object) {
  object.members_settle();
  const DomainGuard domain_guard(object.lock_domain());
  object.pre_save();
}

// A section: path, type, framed body, CRC of everything before it.
void save_section(Object& object, StateWriter& out) {
  const DomainGuard domain_guard(object.lock_domain());
  const std::size_t start = out.size();
  out.text(object.path());
  out.text(saved_name(object.type()));
  const auto place = out.begin_block();
  for (const TypeInfo* type : object.type().lineage())
    if (!type->state.fields.empty() || !type->subsections.empty()) save_class(object, *type, out);
  out.end_block(place);
  out.number(checksum(std::span(out.data()).subspan(start)), 4);
}

struct Section {
  std::string path, type;
  StateReader body;
};

Result<Section> read_section(StateReader& in) {
  const StateReader before = in;
  std::string path = TRY(in.text());
  std::string type = TRY(in.text());
  const StateReader body = TRY(in.block());
  const std::size_t length = before.remaining() - in.remaining();
  StateReader again = before;
  const u32 actual = checksum(TRY(again.bytes(length)));
  if (TRY(in.number(4)) != actual) return fail("state of '{}' is damaged (checksum)", path);
  return Section{.path = std::move(path), .type = std::move(type), .body = body};
}

Result<> load_body(Object& object, StateReader body) {
  const DomainGuard domain_guard(object.lock_domain());
  for (const TypeInfo* type : object.type().lineage())
    if (!type->state.fields.empty() || !type->subsections.empty()) {
      auto result = guarded([&] { return load_class(object, *type, body); });
      if (!result) return std::unexpected(std::move(result).error().within(object.path()));
    }
  if (!body.at_end()) return fail("{}: state is longer than known", object.path());
  return {};
}

Result<> check_loaded(Object& object) {
  const DomainGuard domain_guard(object.lock_domain());
  for (const TypeInfo* type : object.type().lineage())
    if (type->loaded) TRY(type->loaded(object));
  return object.post_load(object.type().version);
}

Result<> run_post_load(Object& object) {
  auto result = guarded([&] { return check_loaded(object); });
  if (!result) return std::unexpected(std::move(result).error().within(object.path()));
  return {};
}

void save_ram(const RamBlock& block, StateWriter& out) {
  const std::size_t start = out.size();
  out.text(block.id());
  out.number(block.size(), 8);
  for (u64 page = 0; page < block.size() / kPage; ++page) {
    const std::span<const u8> bytes(block.host() + page * kPage, kPage);
    if (std::ranges::all_of(bytes, [](u8 b) { return b == 0; })) continue;
    out.number(page, 8);
    out.bytes(bytes);
  }
  out.number(kNoMorePages, 8);
  out.number(checksum(std::span(out.data()).subspan(start)), 4);
}

struct RamSection {
  RamBlock* block{};
  StateReader pages;
};

Result<RamSection> read_ram(Machine& machine, StateReader& in) {
  const StateReader before = in;
  const std::string id = TRY(in.text());
  const u64 size = TRY(in.number(8));
  const StateReader pages = in;
  while (TRY(in.number(8)) != kNoMorePages) TRY(in.bytes(kPage));
  StateReader again = before;
  const u32 actual = checksum(TRY(again.bytes(before.remaining() - in.remaining())));
  if (TRY(in.number(4)) != actual) return fail("memory '{}' is damaged (checksum)", id);
  for (const auto& block : machine.map().ram_blocks())
    if (block->id() == id) {
      if (block->size() != size)
        return fail("memory '{}' has {} bytes, the saved one {}", id, block->size(), size);
      return RamSection{.block = block.get(), .pages = pages};
    }
  return fail("memory '{}' is not in this machine", id);
}

Result<> load_ram(const RamSection& section) {
  RamBlock& block = *section.block;
  StateReader pages = section.pages;
  std::ranges::fill(block.bytes(), u8{0});
  for (u64 page = TRY(pages.number(8)); page != kNoMorePages; page = TRY(pages.number(8))) {
    const auto bytes = TRY(pages.bytes(kPage));
    if (page >= block.size() / kPage) return fail("memory '{}' has no page {}", block.id(), page);
    std::ranges::copy(bytes, block.host() + page * kPage);
  }
  block.mark_dirty(0, block.size());
  return {};
}

/// A step of saving it.
template <class Step>
Result<> of(const Object& object, Step step) {
  auto result = guarded_call(step);
  if (!result) return std::unexpected(std::move(result).error().within(object.path()));
  return {};
}

std::string of_type(const Object& object) {
  return fmt::format("'{}' ({})", object.path(), object.type().name);
}

std::vector<Object*> stateful_objects(Machine& machine) {
  std::vector<Object*> objects;
  for (const auto& child : machine.children())
    child->visit([&](Object& object) {
      if (has_state(object)) objects.push_back(&object);
    });
  return objects;
}

}  // namespace

RegisterSavedAs::RegisterSavedAs(std::string_view type, std::string_view as) { names()[type] = as; }
RegisterOptionalState::RegisterOptionalState(std::string_view type) {
  optional_types().insert(type);
}

void save_object(Object& object, StateWriter& out) {
  prepare(object);
  save_section(object, out);
}

Result<> load_object(Object& object, StateReader& in) {
  const Section section = TRY(read_section(in));
  if (section.path != object.path())
    return fail("state of '{}' is expected, not of '{}'", object.path(), section.path);
  if (section.type != saved_name(object.type()))
    return fail("'{}' is a {}, the saved state is of a {}", section.path, object.type().name,
                section.type);
  TRY(load_body(object, section.body));
  object.members_loaded();
  return run_post_load(object);
}

Result<std::vector<u8>> save_devices(Machine& machine) {
  StateWriter out;
  out.number(static_cast<u64>(machine.virtual_clock().now_ns()), 8);
  const auto objects = stateful_objects(machine);
  out.number(objects.size(), 4);
  for (Object* object : objects) TRY(of(*object, [&] { prepare(*object); }));
  TRY(machine.service<SaveChecks>().take_failure());
  for (Object* object : objects) TRY(of(*object, [&] { save_section(*object, out); }));
  return out.take();
}

Result<SavedDevices> SavedDevices::read(Machine& machine, std::span<const u8> stream) {
  StateReader in(stream);
  const auto now = static_cast<i64>(TRY(in.number(8)));
  SavedDevices saved(machine, now);
  std::vector<Object*> missing = stateful_objects(machine);
  for (u64 left = TRY(in.number(4)); left > 0; --left) {
    Section section = TRY(read_section(in));
    const auto it = std::ranges::find(missing, section.path, &Object::path);
    if (it == missing.end() && optional_types().contains(section.type)) continue;
    if (it == missing.end())
      return fail("'{}' ({}) is in the snapshot, but not in this machine", section.path,
                  section.type);
    if (section.type != saved_name((*it)->type()))
      return fail("'{}' is a {}, in the snapshot it is a {}", section.path, (*it)->type().name,
                  section.type);
    saved.sections_.emplace_back(*it, section.body);
    missing.erase(it);
  }
  std::erase_if(
      missing, [](const Object* object) { return optional_types().contains(object->type().name); });
  if (!missing.empty())
    return fail("{} is in this machine, but not in the snapshot", of_type(*missing.front()));
  if (!in.at_end()) return fail("the state of the devices is longer than known");
  return saved;
}

Result<> SavedDevices::apply() const {
  machine_->virtual_clock().set_ns(now_);
  const Transaction transaction(machine_->map());
  for (const auto& [object, body] : sections_) TRY(load_body(*object, body));
  for (const auto& [object, body] : sections_) object->members_loaded();
  for (const auto& [object, body] : sections_) TRY(run_post_load(*object));
  return {};
}

std::vector<u8> save_machine(Machine& machine) {
  const auto devices = save_devices(machine);
  if (!devices) {
    report_error(devices.error().message());
    return {};
  }
  StateWriter out;
  out.number(kMagic, 8);
  const auto place = out.begin_block();
  out.bytes(*devices);
  out.end_block(place);
  const auto blocks = machine.map().ram_blocks();
  out.number(blocks.size(), 4);
  for (const auto& block : blocks) save_ram(*block, out);
  return out.take();
}

// Everything is read and checked before anything is changed, so that a damaged stream leaves the
// machine as it was.
Result<> load_machine(Machine& machine, std::span<const u8> stream) {
  StateReader in(stream);
  if (TRY(in.number(8)) != kMagic) return fail("this is no saved machine");
  StateReader body = TRY(in.block());
  const auto bytes = TRY(body.bytes(body.remaining()));
  const SavedDevices devices = TRY(SavedDevices::read(machine, bytes));
  std::vector<RamSection> blocks;
  for (u64 left = TRY(in.number(4)); left > 0; --left) blocks.push_back(TRY(read_ram(machine, in)));
  if (!in.at_end()) return fail("the saved machine is longer than known");
  for (const RamSection& block : blocks) TRY(load_ram(block));
  return devices.apply();
}

}  // namespace rhea
