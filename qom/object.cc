// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/qom/object.h"

#include "qom/guarded.h"
#include "rhea/qom/registry.h"
#include "rhea/util/known_names.h"
#include "rhea/util/lock.h"

#include <algorithm>

namespace rhea {

Object::~Object() {
  destroy_children();
  disown_members();
}

// Youngest first: later children may refer to earlier ones.
void Object::destroy_children() {
  while (!children_.empty()) children_.pop_back();
}

std::string Object::path() const {
  if (parent_ == nullptr) return name_.empty() ? std::string() : "/" + name_;
  return parent_->path() + "/" + name_;
}

Object& Object::add_child(std::string name, std::unique_ptr<Object> child) {
  RHEA_ASSERT(child != nullptr && child->parent_ == nullptr && this->child(name) == nullptr);
  child->parent_ = this;
  child->name_ = std::move(name);
  child->adopt_machine(machine_);
  children_.push_back(std::move(child));
  return *children_.back();
}

std::unique_ptr<Object> Object::remove_child(Object& child) {
  const auto it = std::ranges::find_if(children_, [&](const auto& c) { return c.get() == &child; });
  if (it == children_.end()) return nullptr;
  std::unique_ptr<Object> owned = std::move(*it);
  children_.erase(it);
  owned->parent_ = nullptr;
  owned->name_.clear();
  return owned;
}

Object* Object::child(std::string_view name) const {
  const auto it = std::ranges::find_if(children_, [&](const auto& c) { return c->name_ == name; });
  return it == children_.end() ? nullptr : it->get();
}

void Object::visit(const std::function<void(Object&)>& visitor) {
  visitor(*this);
  for (std::size_t i = 0; i < children_.size(); ++i) children_[i]->visit(visitor);
}

Object* Object::resolve(std::string_view path) {
  Object* at = this;
  while (at->parent_ != nullptr) at = at->parent_;
  bool first = true;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty()) continue;
    // The root's own name may lead the path: "/machine/x" inside the machine named "machine".
    if (first && part == at->name_) {
      first = false;
      continue;
    }
    first = false;
    at = at->child(part);
    if (at == nullptr) return nullptr;
  }
  return at;
}

Object* Object::resolve_link(std::string_view link_root, std::string_view text) {
  if (text.starts_with('/')) return resolve(text);
  return resolve(std::string(link_root) + "/" + std::string(text));
}

namespace {

std::unexpected<Error> no_such_property(const TypeInfo& type, std::string_view name) {
  std::vector<std::string_view> own;
  for (const TypeInfo* t : type.lineage())
    for (const Property& p : t->properties) own.push_back(p.name);
  const bool board = type.name.ends_with("-machine");
  return fail("{}", with_remark(fmt::format("Property '{}.{}' not found", type.name, name),
                                board ? about_unknown(NameKind::MachineProperty,
                                                      name.substr(0, name.find('.')), own)
                                      : about_unknown_property(type.name, name, own)));
}

const StateField* find_state(const TypeInfo& type, std::string_view name) {
  for (const TypeInfo* t = &type; t != nullptr; t = t->parent)
    for (const StateField& field : t->state.fields)
      if (field.name == name && field.show) return &field;
  return nullptr;
}

}  // namespace

Result<Value> Object::get(std::string_view property) const {
  const DomainGuard domain_guard(lock_domain());
  if (const Property* p = type().find_property(property)) return p->get(*this);
  if (const auto found = find_register(type(), property)) {
    if (const auto value = peek_register(*this, *found)) return Value(*value);
    return fail("Register '{}.{}' can only be read by the guest", type().name, property);
  }
  if (const StateField* field = find_state(type(), property)) return field->show(this);
  return no_such_property(type(), property);
}

Result<> Object::set(std::string_view property, const Value& value) {
  const Property* p = type().find_property(property);
  if (p == nullptr) return no_such_property(type(), property);
  if (!p->set) return fail("Property '{}.{}' is read-only", type().name, property);
  if (is_realized() && !p->settable_when_realized)
    return fail("Property '{}.{}' cannot be changed once the device is realized", type().name,
                property);
  const DomainGuard domain_guard(lock_domain());
  auto result = guarded([&] { return p->set(*this, value, *p); });
  if (!result)
    return std::unexpected(
        std::move(result).error().within(fmt::format("Property '{}.{}'", type().name, property)));
  return {};
}

Result<> Object::post_load(unsigned) { return {}; }
void Object::pre_save() {}

void Object::become_root(Machine& machine, std::string name) {
  RHEA_ASSERT(parent_ == nullptr);
  // The root was not made by create_object; whoever looks at the tree finds a container in it.
  type_ = find_type("container");
  name_ = std::move(name);
  adopt_machine(&machine);
}

void Object::adopt_machine(Machine* machine) {
  machine_ = machine;
  for (const auto& c : children_) c->adopt_machine(machine);
}

Result<std::unique_ptr<Object>> create_object(std::string_view type_name) {
  const TypeInfo* info = find_type(type_name);
  if (info == nullptr)
    return fail(ErrorClass::DeviceNotFound, "'{}' is not a known type", type_name);
  if (info->is_abstract || !info->create) return fail("type '{}' is abstract", type_name);
  if (!info->problem.empty()) return fail("{}", info->problem);
  using Made = Result<std::unique_ptr<Object>>;
  auto made = guarded([info]() -> Made { return info->create(); });
  if (!made)
    return std::unexpected(std::move(made).error().within(fmt::format("'{}'", info->name)));
  std::unique_ptr<Object> object = std::move(*made);
  object->type_ = info;
  for (const TypeInfo* type : info->lineage())
    for (const Property& p : type->properties)
      if (p.set && p.default_value.index() != 0)
        RHEA_ASSERT(p.set(*object, p.default_value, p).has_value());
  return object;
}

namespace {

/// A place in the tree that only holds children ("/machine/peripheral").
class Container final : public Object {
 public:
  static constexpr std::string_view kName = "container";
};

const RegisterAbstractType<Object, Object> object_registration;
const RegisterType<Container> container_registration;

}  // namespace

}  // namespace rhea
