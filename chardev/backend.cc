// SPDX-License-Identifier: GPL-2.0-or-later
// Creating chardevs from options, and finding them.
#include "chardev/backend.h"

#include "chardev/mux.h"
#include "rhea/util/known_names.h"

#include <algorithm>

namespace rhea {
namespace chardev {
namespace {

std::vector<const Backend*>& table() {
  static std::vector<const Backend*> all;
  return all;
}

Result<Chardev*> adopt(Machine& machine, const std::string& id, std::unique_ptr<Chardev> chardev) {
  return &machine.container(Chardev::kLinkRoot).add_child(id, std::move(chardev));
}

}  // namespace

RegisterBackend::RegisterBackend(const Backend& backend) : backend_(backend) {
  table().push_back(&backend_);
}

std::vector<const Backend*> all_backends() {
  std::vector<const Backend*> all = table();
  std::ranges::sort(all, {}, &Backend::name);
  return all;
}

const Backend* find_backend(std::string_view name) {
  const auto it = std::ranges::find_if(table(), [&](const Backend* b) {
    return b->name == name || (!b->alias.empty() && b->alias == name);
  });
  return it == table().end() ? nullptr : *it;
}

std::unexpected<Error> no_such_backend(std::string_view name) {
  std::vector<std::string_view> own;
  for (const Backend* backend : all_backends()) own.push_back(backend->name);
  return fail("{}", with_remark(fmt::format("'{}' is not a valid char driver name", name),
                                about_unknown(NameKind::Chardev, name, own)));
}

Result<std::string> take_required(KeyValues& options, std::string_view backend,
                                  std::string_view key) {
  auto value = options.take(key);
  if (!value || value->empty()) return fail("chardev: {}: no {} given", backend, key);
  return *value;
}

Result<> expect_no_more(const KeyValues& options) {
  if (options.all().empty()) return {};
  return fail("{}", with_remark(fmt::format("Invalid parameter '{}'", options.all().front().first),
                                options.about_first("-chardev")));
}

namespace {

Result<std::unique_ptr<Chardev>> make_backend(Machine& machine, const std::string& id,
                                              KeyValues& options, Opening when) {
  const std::string name = options.take("backend").value_or("");
  if (name.empty()) return fail("chardev: \"{}\" missing backend", id);
  const Backend* backend = find_backend(name);
  if (backend == nullptr) return no_such_backend(name);
  const auto logfile = options.take("logfile");
  const bool append = TRY(options.take_bool("logappend", false));
  if (!machine.vcpus().empty()) when = Opening::Later;
  std::unique_ptr<Chardev> chardev = TRY(backend->create(machine, options, when));
  TRY(expect_no_more(options));
  if (logfile) TRY(chardev->open_log(machine, *logfile, append));
  return chardev;
}

}  // namespace

Result<Chardev*> open_chardev(Machine& machine, KeyValues options, Opening when) {
  const std::string id = options.take("id").value_or("");
  if (id.empty()) return fail("chardev: no id specified");
  if (!is_identifier(id)) return fail("Parameter 'id' expects an identifier");
  const bool mux = TRY(options.take_bool("mux", false));
  const std::string base_id = mux ? id + "-base" : id;
  if (find_chardev(machine, id) != nullptr || find_chardev(machine, base_id) != nullptr)
    return fail("Chardev with id '{}' already exists", id);
  std::unique_ptr<Chardev> made = TRY(make_backend(machine, id, options, when));
  Chardev* base = TRY(adopt(machine, base_id, std::move(made)));
  if (!mux) return base;
  std::unique_ptr<Chardev> shared = TRY(make_mux(machine, *base));
  return adopt(machine, id, std::move(shared));
}

Result<Chardev*> change_chardev(Machine& machine, const std::string& id, KeyValues options) {
  Chardev* old = find_chardev(machine, id);
  if (old == nullptr) return fail("Chardev '{}' does not exist", id);
  if (!old->replaceable()) return fail("Mux device hotswap not supported yet");
  if (options.find("mux") != nullptr) return fail("Mux device hotswap not supported yet");
  if (old->attached() && !old->movable())
    return fail("Chardev user does not support chardev hotswap");
  std::unique_ptr<Chardev> made = TRY(make_backend(machine, id, options, Opening::Later));
  if (old->attached()) {
    Chardev::FrontEnd front = old->take_front_end();
    front.moved(*made);
    TRY(made->attach(std::move(front)));
  }
  Object& place = machine.container(Chardev::kLinkRoot);
  // This may be called from what the old one has received: it goes afterwards.
  machine.loop().defer([gone = std::shared_ptr<Object>(place.remove_child(*old))] {});
  return &place.add_child(id, std::move(made));
}

std::vector<Chardev*> all_chardevs(Machine& machine) {
  std::vector<Chardev*> all;
  for (const auto& child : machine.container(Chardev::kLinkRoot).children())
    if (auto* chardev = dynamic_cast<Chardev*>(child.get())) all.push_back(chardev);
  return all;
}

}  // namespace chardev

Result<Chardev*> create_chardev(Machine& machine, std::string_view option_text) {
  KeyValues options = TRY(KeyValues::parse(option_text, "backend"));
  return chardev::open_chardev(machine, std::move(options));
}

Result<Chardev*> create_chardev_legacy(Machine& machine, std::string_view id,
                                       std::string_view text) {
  if (text.starts_with("chardev:")) {
    Chardev* found = find_chardev(machine, text.substr(8));
    if (found == nullptr) return fail("Chardev '{}' not found", text.substr(8));
    return found;
  }
  KeyValues options = TRY(chardev::parse_legacy(text));
  options.add("id", std::string(id));
  Chardev* made = TRY(chardev::open_chardev(machine, std::move(options)));
  if (text.starts_with("mon:")) machine.service<chardev::MonitorRequests>().ids.emplace_back(id);
  return made;
}

Chardev* find_chardev(Machine& machine, std::string_view id) {
  return dynamic_cast<Chardev*>(machine.container(Chardev::kLinkRoot).child(id));
}

}  // namespace rhea
