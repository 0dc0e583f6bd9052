// SPDX-License-Identifier: GPL-2.0-or-later
// Objects of the composition tree: named children, paths, typed properties.
#pragma once

#include "rhea/qom/member.h"
#include "rhea/qom/value.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rhea {

class LockDomain;
struct TypeInfo;
struct Property;
class Machine;
class Object;

/// Makes an object of a registered type with every property at its default; the object is not in a
/// tree yet. Unknown and abstract types are errors.
Result<std::unique_ptr<Object>> create_object(std::string_view type_name);

/// Root of all registered classes. An object belongs to its parent; a machine is the root of its
/// tree. Not thread-safe: the tree changes only on the main thread, under the machine's lock.
class Object {
 public:
  static constexpr std::string_view kName = "object";
  using Extendable = Object;

  Object();
  virtual ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  /// Never null for objects that create_object or create<T> made.
  const TypeInfo& type() const { return *type_; }

  Object* parent() const { return parent_; }
  /// Name among the parent's children; empty for a root.
  const std::string& name() const { return name_; }
  /// "/machine/peripheral/net0"; "" outside any tree.
  std::string path() const;

  /// Takes ownership. The name must be new among the children.
  Object& add_child(std::string name, std::unique_ptr<Object> child);
  template <class T>
  T& add_child(std::string name, std::unique_ptr<T> child) {
    T& ref = *child;
    add_child(std::move(name), std::unique_ptr<Object>(std::move(child)));
    return ref;
  }
  /// Gives ownership back; nullptr when `child` is not a child.
  std::unique_ptr<Object> remove_child(Object& child);
  Object* child(std::string_view name) const;
  const std::vector<std::unique_ptr<Object>>& children() const { return children_; }
  /// This object and all below it, parents before children, in order of creation.
  void visit(const std::function<void(Object&)>& visitor);

  /// The object at an absolute path, or at a path relative to the tree's root; nullptr when absent.
  Object* resolve(std::string_view path);
  /// For link properties: `text` is an absolute path or an id below `link_root`.
  Object* resolve_link(std::string_view link_root, std::string_view text);

  /// Errors name the property (and the value). get() also knows declared registers and state fields
  /// by their names, where no property has that name.
  Result<Value> get(std::string_view property) const;
  Result<> set(std::string_view property, const Value& value);

  /// The machine this object is in; only valid once the object is in a machine's tree.
  Machine& machine() const { return *machine_; }
  bool in_machine() const { return machine_ != nullptr; }

  /// Called after the declared state of the class was loaded: check it and derive what is derived.
  virtual Result<> post_load(unsigned version);
  /// Called before the declared state is saved: bring it up to date.
  virtual void pre_save();
  /// False while set() must refuse properties that shape a realized device.
  virtual bool is_realized() const { return false; }
  /// The lock of its own that a device's handlers run under; null: the machine's.
  virtual LockDomain* lock_domain() const { return nullptr; }
  /// Before the state of all objects is saved.
  void members_settle();
  /// The state of all objects was loaded, and their post_load() comes next: lines repeat their
  /// levels.
  void members_loaded();

 protected:
  /// Destroys the children, youngest first: for a root whose members they use.
  void destroy_children();
  /// Also in constructors; null for objects that neither create_object nor create<T> made.
  const TypeInfo* type_or_null() const { return type_; }
  /// A Machine calls this once, on itself.
  void become_root(Machine& machine, std::string name);
  /// Ends every ObjectMember, the last first.
  void end_members();

 private:
  friend Result<std::unique_ptr<Object>> create_object(std::string_view type_name);
  template <class T>
  friend std::unique_ptr<T> create();
  friend class ObjectMember;
  void adopt_machine(Machine* machine);
  void disown_members();

  const TypeInfo* type_{};
  Object* parent_{};
  Machine* machine_{};
  std::string name_;
  std::vector<std::unique_ptr<Object>> children_;
  ObjectMember* last_member_{};
};

}  // namespace rhea
