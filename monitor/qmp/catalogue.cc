// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: which commands and events there are, and of what types.
#include "monitor/qmp/command.h"
#include "monitor/qmp/event.h"

#include <map>
#include <set>

namespace rhea::qmp {
namespace {

Result<Json> query_commands(Context&, const Json&) {
  Json list = Json::array();
  for (const Command* command : all_qmp_commands()) list.push_back({{"name", command->name}});
  return list;
}

/// Builds the introspection from the tables. Types get numbers for names, as in QEMU, where clients
/// must not know them.
class Introspection {
 public:
  Json build() {
    for (const Command* command : all_qmp_commands()) add_command(*command);
    for (const Event* event : all_qmp_events())
      entries_.push_back(
          {{"name", event->name}, {"meta-type", "event"}, {"arg-type", object(event->data)}});
    return std::move(entries_);
  }

 private:
  void add_command(const Command& command) {
    Json entry = {{"name", command.name},
                  {"meta-type", "command"},
                  {"arg-type", object(command.arguments)},
                  {"ret-type", command.returns.empty() ? object({}) : type(command.returns)}};
    if (!command.features.empty()) entry["features"] = command.features;
    entries_.push_back(entry);
  }

  Json member_entries(const std::vector<Member>& members) {
    Json list = Json::array();
    for (const Member& member : members) {
      Json entry = {{"name", member.name}, {"type", type(member.type)}};
      if (member.optional) entry["default"] = nullptr;
      list.push_back(entry);
    }
    return list;
  }

  std::string fresh() { return std::to_string(count_++); }

  std::string object(const std::vector<Member>& members) {
    if (members.empty() && !empty_.empty()) return empty_;
    const std::string name = fresh();
    if (members.empty()) empty_ = name;
    Json list = member_entries(members);
    entries_.push_back({{"name", name}, {"meta-type", "object"}, {"members", std::move(list)}});
    return name;
  }

  std::string type(std::string_view wanted) {
    if (const auto it = names_.find(wanted); it != names_.end()) return it->second;
    if (wanted.starts_with('[')) return list_of(wanted);
    const std::string_view json_type = builtin_json_type(wanted);
    if (!json_type.empty()) return builtin(wanted, json_type);
    const Type& registered = *find_qmp_type(wanted);
    const std::string name = names_[wanted] = fresh();
    Json entry = {{"name", name}};
    if (registered.is_enum()) {
      entry["meta-type"] = "enum";
      entry["values"] = registered.values;
      entry["members"] = Json::array();
      for (const std::string_view value : registered.values)
        entry["members"].push_back({{"name", value}});
    } else {
      fill_object(entry, registered);
    }
    entries_.push_back(entry);
    return name;
  }

  void fill_object(Json& entry, const Type& registered) {
    entry["meta-type"] = "object";
    entry["members"] = member_entries(registered.members);
    if (registered.tag.empty()) return;
    entry["tag"] = registered.tag;
    entry["variants"] = Json::array();
    for (const auto& [value, object_type] : registered.variants)
      entry["variants"].push_back({{"case", value}, {"type", type(object_type)}});
  }

  std::string list_of(std::string_view wanted) {
    const std::string element = type(wanted.substr(1, wanted.size() - 2));
    const std::string name = "[" + element + "]";
    names_[wanted] = name;
    // A type with lists of its own kind has made this one meanwhile, or another width of integer.
    if (!lists_.insert(name).second) return name;
    entries_.push_back({{"name", name}, {"meta-type", "array"}, {"element-type", element}});
    return name;
  }

  // The wire knows one integer type.
  std::string builtin(std::string_view wanted, std::string_view json_type) {
    const std::string name(json_type == "int" ? "int" : wanted);
    names_[wanted] = name;
    if (wanted != name) return type(name);
    entries_.push_back({{"name", name}, {"meta-type", "builtin"}, {"json-type", json_type}});
    return name;
  }

  Json entries_ = Json::array();
  std::map<std::string_view, std::string> names_;
  std::set<std::string> lists_;
  std::string empty_;
  unsigned count_{0};
};

Result<Json> query_qmp_schema(Context&, const Json&) { return Introspection().build(); }

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "ShutdownCause",
                     .values = {EnumTraits<ShutdownCause>::kNames.begin(),
                                EnumTraits<ShutdownCause>::kNames.end()}}),
    RegisterQmpType({.name = "CommandInfo", .members = {{"name", "str"}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand(
        {.name = "query-commands", .returns = "[CommandInfo]", .run = &query_commands}),
    RegisterQmpCommand({.name = "query-qmp-schema", .returns = "[any]", .run = &query_qmp_schema}),
};

}  // namespace
}  // namespace rhea::qmp
