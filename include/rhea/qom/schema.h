// SPDX-License-Identifier: GPL-2.0-or-later
// What a class says of itself, once: `static void describe(Schema<Self>& s)` gives help, properties
// and migratable state. From it come -device X,help, checked options, QMP introspection and
// snapshots.
//
//   static void describe(Schema<DebugExit>& s) {
//     s.help("port that ends the emulator");
//     s.property("iobase", &DebugExit::iobase_, u16{0x501}).help("I/O port");
//     s.state("last-code", &DebugExit::last_code_);
//   }
#pragma once

#include "rhea/qom/object.h"
#include "rhea/qom/property.h"
#include "rhea/qom/register_info.h"
#include "rhea/qom/state.h"
#include "rhea/qom/value.h"

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace rhea {

/// A group of fields saved only when `needed` says so, so that older streams stay loadable.
struct Subsection {
  std::string name;
  unsigned version{1};
  std::function<bool(const Object&)> needed;
  FieldList fields;
};

/// A registered class. Built from describe() on first use; immutable afterwards.
struct TypeInfo {
  std::string name;
  const TypeInfo* parent{};
  bool is_abstract{};
  std::string help;
  std::string origin;         ///< the plug-in's file it comes from; empty for what is built in
  std::string bus;            ///< the kind of bus a device of this type plugs into, or empty
  bool user_creatable{true};  ///< may be named by -device
  std::vector<std::string> interfaces;
  std::vector<Property> properties;
  unsigned version{1};
  unsigned minimum_version{1};
  FieldList state;
  std::vector<Subsection> subsections;
  std::vector<DeclaredBank> banks;  ///< of declared registers
  std::function<Result<>(Object&)>
      loaded;              ///< this class's own part of what follows a load; may be empty
  const void* identity{};  ///< the class's kPci (PciIdentity), or null
  std::string problem;     ///< what is wrong with its declaration; no object is made then
  std::function<std::unique_ptr<Object>()> create;

  /// Own and inherited; nullptr when there is none.
  const Property* find_property(std::string_view name) const;
  bool is_a(std::string_view type_name) const;
  /// Root class first, this one last.
  std::vector<const TypeInfo*> lineage() const;
};

/// Chained after registers(): where the bank is mapped, so that realize() need not.
template <class Self>
class RegistersBuilder {
 public:
  explicit RegistersBuilder(DeclaredBank& bank) : bank_(&bank) {}
  /// ISA: at this port, or the one that a property names, as many bytes as another says.
  RegistersBuilder& at_port(u16 port) {
    bank_->port = [port](const Object&) { return u64{port}; };
    return *this;
  }
  template <std::unsigned_integral P, class Owner>
  RegistersBuilder& at_port(P Owner::* port) {
    bank_->port = [port](const Object& object) {
      return u64{static_cast<const Self&>(object).*port};
    };
    return *this;
  }
  template <std::unsigned_integral P, std::unsigned_integral N, class Owner>
  RegistersBuilder& at_port(P Owner::* port, N Owner::* bytes) {
    bank_->shown_bytes = [bytes](const Object& object) {
      return u64{static_cast<const Self&>(object).*bytes};
    };
    return at_port(port);
  }
  /// PCI: as this BAR, of 32-bit memory or of ports.
  RegistersBuilder& bar(unsigned number) {
    bank_->bar = number;
    return *this;
  }
  RegistersBuilder& port_bar(unsigned number) {
    bank_->bar_of_ports = true;
    return bar(number);
  }

 private:
  DeclaredBank* bank_;
};

template <class Self>
class Schema {
 public:
  explicit Schema(TypeInfo& info) : info_(&info) {}

  void help(std::string_view text) { info_->help = text; }
  void interface(std::string_view name) { info_->interfaces.emplace_back(name); }
  /// Part of a board, not for -device.
  void board_only() { info_->user_creatable = false; }

  /// A property kept in a member. The default is assigned when an object is created.
  template <class V, class Owner>
    requires std::derived_from<Self, Owner>
  PropertyBuilder<V> property(std::string_view name, V Owner::* member,
                              const std::type_identity_t<detail::DefaultOf<V>>& default_value) {
    Property& p = add_property(name, PropertyCodec<V>::type());
    p.default_value = PropertyCodec<V>::to_value(default_value.value);
    if constexpr (requires { EnumTraits<V>::kNames; })
      p.enum_values.assign(EnumTraits<V>::kNames.begin(), EnumTraits<V>::kNames.end());
    p.get = [member](const Object& object) {
      return PropertyCodec<V>::to_value(static_cast<const Self&>(object).*member);
    };
    p.set = [member](Object& object, const Value& value, const Property& property) -> Result<> {
      static_cast<Self&>(object).*member = TRY(PropertyCodec<V>::parse(value, property));
      return {};
    };
    return PropertyBuilder<V>(p);
  }

  /// A link to another object, set by its id (looked up under its class's kLinkRoot) or its path;
  /// may be null. Kept in a pointer, or in a member made for it (ChardevPort).
  template <class M, class Owner>
    requires std::derived_from<Self, Owner>
  PropertyBuilder<M> link(std::string_view name, M Owner::* member) {
    using Member = detail::LinkMember<M>;
    using T = typename Member::Target;
    Property& p = add_property(name, "link<" + std::string(T::kName) + ">");
    p.default_value = std::string();
    p.get = [member](const Object& object) {
      const T* target = Member::get(static_cast<const Self&>(object).*member);
      return Value(target != nullptr ? static_cast<const Object*>(target)->path() : std::string());
    };
    p.set = [member](Object& object, const Value& value, const Property&) -> Result<> {
      const std::string text = TRY(parse_string(value));
      T* target = nullptr;
      if (!text.empty()) {
        Object* found = object.resolve_link(T::kLinkRoot, text);
        if (found == nullptr) return fail("'{}' not found", text);
        target = dynamic_cast<T*>(found);
        if (target == nullptr) return fail("'{}' is not a {}", text, T::kName);
      }
      Member::set(static_cast<Self&>(object).*member, target);
      return {};
    };
    return PropertyBuilder<M>(p);
  }

  /// A property computed by functions of the class; `set` may be omitted.
  PropertyBuilder<void> computed(std::string_view name, std::string_view type,
                                 std::function<Value(const Self&)> get,
                                 std::function<Result<>(Self&, const Value&)> set = nullptr) {
    Property& p = add_property(name, std::string(type));
    p.get = [get = std::move(get)](const Object& o) { return get(static_cast<const Self&>(o)); };
    if (set)
      p.set = [set = std::move(set)](Object& o, const Value& v, const Property&) {
        return set(static_cast<Self&>(o), v);
      };
    return PropertyBuilder<void>(p);
  }

  /// Migratable state kept in a member.
  template <class V, class Owner>
    requires std::derived_from<Self, Owner>
  StateBuilder<V> state(std::string_view name, V Owner::* member) {
    return add_state(info_->state, name, member);
  }
  /// The registers of a region: dispatch, reset, state, names in traces and monitors, all from one
  /// table (rhea/softmmu/registers.h, where the bank's class comes from).
  template <class Bank, class Owner, class Table>
    requires std::derived_from<Self, Owner>
  RegistersBuilder<Self> registers(Bank Owner::* bank, Table) {
    Bank::template declare<Self, Table>(*info_, bank);
    return RegistersBuilder<Self>(info_->banks.back());
  }
  /// The section's version and the oldest one that can still be loaded.
  void state_version(unsigned version, unsigned minimum) {
    info_->version = version;
    info_->minimum_version = minimum;
  }
  /// For base classes: called when all state of an object is loaded, before its post_load(),
  /// whether or not a derived class overrides that.
  void after_load(Result<> (Self::*method)()) {
    info_->loaded = [method](Object& object) { return (static_cast<Self&>(object).*method)(); };
  }
  /// `fill` adds fields through the FieldsOf it gets; `needed` decides at save time.
  class FieldsOf;
  void subsection(std::string_view name, std::function<bool(const Self&)> needed,
                  const std::function<void(FieldsOf&)>& fill);

  class FieldsOf {
   public:
    explicit FieldsOf(FieldList& list) : list_(&list) {}
    template <class V, class Owner>
    StateBuilder<V> state(std::string_view name, V Owner::* member) {
      return add_state(*list_, name, member);
    }

   private:
    FieldList* list_;
  };

 private:
  Property& add_property(std::string_view name, std::string type) {
    info_->properties.push_back(Property{.name = std::string(name),
                                         .type = std::move(type),
                                         .help = {},
                                         .default_value = {},
                                         .enum_values = {},
                                         .range = {},
                                         .get = {},
                                         .set = {}});
    return info_->properties.back();
  }

  // Fields are reached from an Object pointer, because a class may derive from more than one base.
  template <class V, class Owner>
  static StateBuilder<V> add_state(FieldList& list, std::string_view name, V Owner::* member) {
    list.fields.push_back(StateField{
        .name = std::string(name),
        .save =
            [member](const void* object, StateWriter& out) {
              StateCodec<V>::save(
                  static_cast<const Self*>(static_cast<const Object*>(object))->*member, out);
            },
        .load =
            [member](void* object, StateReader& in, const StateField& field) {
              return StateCodec<V>::load(static_cast<Self*>(static_cast<Object*>(object))->*member,
                                         in, field);
            },
        .show =
            [member](const void* object) {
              return shown_state(
                  static_cast<const Self*>(static_cast<const Object*>(object))->*member);
            }});
    return StateBuilder<V>(list.fields.back());
  }

  TypeInfo* info_;
};

template <class Self>
void Schema<Self>::subsection(std::string_view name, std::function<bool(const Self&)> needed,
                              const std::function<void(FieldsOf&)>& fill) {
  Subsection& s = info_->subsections.emplace_back();
  s.name = name;
  s.needed = [needed = std::move(needed)](const Object& o) {
    return needed(static_cast<const Self&>(o));
  };
  FieldsOf fields(s.fields);
  fill(fields);
}

}  // namespace rhea
