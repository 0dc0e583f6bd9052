// SPDX-License-Identifier: GPL-2.0-or-later
// What a registered class must have, checked while it is compiled.
#pragma once

#include "rhea/qom/schema.h"
#include "rhea/qom/sentence.h"

#include <string_view>
#include <type_traits>

namespace rhea::detail {

template <class T>
concept DescribesItself = requires(Schema<T>& s) { T::describe(s); };

/// The class whose schema a static describe() takes; void when it is no such function.
template <class F>
struct DescribedClass {
  using Type = void;
};
template <class T>
struct DescribedClass<void (*)(Schema<T>&)> {
  using Type = T;
};

template <class T>
constexpr Sentence describe_problem(bool is_abstract) {
  const auto its = [] { return Sentence().add(T::kName).add(": its describe() "); };
  if constexpr (DescribesItself<T>) {
    return {};
  } else if constexpr (requires { &T::describe; }) {
    using Function = decltype(&T::describe);
    using Described = typename DescribedClass<Function>::Type;
    if constexpr (std::is_member_function_pointer_v<Function>)
      return its().add("must be static");
    else if constexpr (std::is_void_v<Described>)
      return its().add("is not a `static void describe(Schema<T>&)`");
    else if constexpr (!std::is_base_of_v<Described, T>)
      return its().add("takes the schema of another class");
  }
  if (!is_abstract && requires { T::kMustDescribe; })
    return Sentence().add(T::kName).add(
        ": it has no describe() of its own that is public and static (an empty one will do)");
  return {};
}

template <class T, class Parent>
constexpr Sentence declaration_problem(bool is_abstract) {
  if (!std::is_same_v<T, Parent> && std::string_view(T::kName) == Parent::kName)
    return Sentence()
        .add("a class that extends ")
        .add(Parent::kName)
        .add(" has no kName of its own: `static constexpr std::string_view kName`");
  if (!is_abstract && std::is_abstract_v<T>)
    return Sentence().add(T::kName).add(": a pure virtual function of its bases is left over");
  if (!is_abstract && !std::is_abstract_v<T> && !std::is_default_constructible_v<T>)
    return Sentence().add(T::kName).add(": it has no public constructor without arguments");
  return describe_problem<T>(is_abstract);
}

template <Sentence Problem>
struct DeclarationIs {
  static_assert(Problem.empty(), "the class cannot be registered: the text above says why");
};

}  // namespace rhea::detail
