// SPDX-License-Identifier: GPL-2.0-or-later
// The registered types. Each class registers itself with one object at the end of its .cc:
//
//   const RegisterType<DebugExit> registration;
//   const RegisterAbstractType<IsaDevice, Device> registration;
//
// Filled by static constructors: the program's own before main runs, a plug-in's (-device-plugin)
// when it is loaded. Look-ups are thread-safe and what they give lives as long as the program.
#pragma once

#include "rhea/qom/declaration.h"
#include "rhea/qom/object.h"
#include "rhea/qom/schema.h"

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace rhea {

/// A type as the static constructors leave it: its TypeInfo is built when first asked for.
class TypeEntry {
 public:
  using Builder = void (*)(TypeInfo&);
  TypeEntry(std::string_view name, std::string_view parent, bool is_abstract, Builder builder);
  TypeEntry(const TypeEntry&) = delete;
  TypeEntry& operator=(const TypeEntry&) = delete;

  std::string_view name() const { return name_; }
  std::string_view parent() const { return parent_; }
  /// The plug-in's file; empty for what is built in.
  const std::string& origin() const { return origin_; }
  const TypeInfo& info() const;

 private:
  friend class PluginTypes;
  std::string_view name_;
  std::string_view parent_;
  std::string origin_;
  bool is_abstract_;
  Builder builder_;
  mutable std::once_flag once_;
  mutable TypeInfo info_;
};

/// nullptr when there is no such type.
const TypeInfo* find_type(std::string_view name);
/// All types (abstract ones too), sorted by name.
std::vector<const TypeInfo*> all_types();
/// Names registered twice: must be empty, main checks.
std::vector<std::string_view> duplicate_types();

namespace detail {
template <class T, bool IsAbstract>
void build_type(TypeInfo& info) {
  if constexpr (requires { T::kBus; }) info.bus = T::kBus;
  if constexpr (requires { T::kPci; }) info.identity = &T::kPci;
  // A class that only inherits describe() must not declare the base's members twice.
  if constexpr (DescribesItself<T>) {
    Schema<T> schema(info);
    T::describe(schema);
  }
  if constexpr (!IsAbstract)
    info.create = [type = &info] {
      const Construction construction(*type);
      return std::unique_ptr<Object>(std::make_unique<T>());
    };
}
}  // namespace detail

/// Registers a concrete class. Its parent is the nearest base that declares `using Extendable =
/// Base;`.
template <class T, class Parent = typename T::Extendable>
class RegisterType {
 public:
  RegisterType() : entry_(T::kName, Parent::kName, false, &detail::build_type<T, false>) {
    [[maybe_unused]] constexpr detail::DeclarationIs<detail::declaration_problem<T, Parent>(false)>
        sound;
  }

 private:
  TypeEntry entry_;
};

/// Registers a base class that cannot be created by itself.
template <class T, class Parent>
class RegisterAbstractType {
 public:
  RegisterAbstractType() : entry_(T::kName, Parent::kName, true, &detail::build_type<T, true>) {
    [[maybe_unused]] constexpr detail::DeclarationIs<detail::declaration_problem<T, Parent>(true)>
        sound;
  }

 private:
  TypeEntry entry_;
};

/// An object of a class known at compile time.
template <class T>
std::unique_ptr<T> create() {
  auto object = create_object(T::kName);
  if (!object) programming_error(object.error().message());
  return std::unique_ptr<T>(static_cast<T*>(object->release()));
}

}  // namespace rhea
