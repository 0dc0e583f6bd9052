// SPDX-License-Identifier: GPL-2.0-or-later
// What a register table becomes: handlers of the region, functions of each row, state fields.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/device_trace.h"
#include "rhea/qom/state.h"
#include "rhea/softmmu/register_row.h"
#include "rhea/util/log.h"

#include <bit>
#include <utility>

namespace rhea::detail {

/// The event that shows every access to a type's registers: "edu: IRQ_ACK <- 0x1 [FACTORIAL]".
class RegisterTrace : public trace::EventBase {
 public:
  explicit RegisterTrace(std::string_view name) : EventBase(name, true) {}
  bool wanted_by(const Object& device) const { return wanted(trace::ObjectSubject(&device)); }
};

template <class Self>
inline constexpr auto kTraceName = [] {
  constexpr std::string_view end = "_registers";
  std::array<char, Self::kName.size() + end.size()> text{};
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = i < Self::kName.size() ? Self::kName[i] : end[i - Self::kName.size()];
  return text;
}();
template <class Self>
inline RegisterTrace register_trace{{kTraceName<Self>.data(), kTraceName<Self>.size()}};

/// A bank with the handlers of its region.
struct RegisterCode : RegisterBankInfo {
  RegionOps ops;
  Object& (*object)(void* device){};
};

/// Accesses that are not one register at its offset and width, and all while they are traced.
MemResult read_registers(const RegisterCode& bank, void* device, Access& access, bool traced);
MemResult write_registers(const RegisterCode& bank, void* device, Access& access, bool traced);

[[gnu::cold]] void log_read_only(std::string_view device, std::string_view name, u64 value);

template <class Self, class Table>
struct BankCode {
  static constexpr auto kTable = as_table(Table{}(RegisterMaker<Self>{}));
  using Rows = std::remove_const_t<decltype(kTable.rows)>;
  static constexpr std::size_t kCount = std::tuple_size_v<Rows>;
  template <std::size_t I>
  using Row = std::tuple_element_t<I, Rows>;
  using Indices = std::make_index_sequence<kCount>;

  template <std::size_t I>
  static constexpr CheckedRow checked() {
    constexpr const Row<I>& row = std::get<I>(kTable.rows);
    if constexpr (is_range_row<Row<I>>) {
      CheckedRow made;
      made.info.name = row.name;
      made.info.offset = row.offset;
      made.info.stride = row.size;
      made.info.reach = Reach::Exact;
      made.info.guest_reads = made.info.guest_writes = true;
      return made;
    } else {
      return check_row<Self>(row, kTable.shape.reach);
    }
  }
  template <std::size_t I>
  static constexpr RegisterInfo kRow = checked<I>().info;

  static constexpr RegisterBankInfo shape() {
    u64 end = 1;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((end = kRow<I>.end() > end ? kRow<I>.end() : end), ...);
    }(Indices());
    RegisterBankInfo made;
    made.name = kTable.shape.name.empty() ? Self::kName : kTable.shape.name;
    made.size = kTable.shape.size != 0 ? kTable.shape.size : std::bit_ceil(end);
    made.min_access = kTable.shape.sizes.min;
    made.max_access = kTable.shape.sizes.max;
    made.unaligned = kTable.shape.sizes.unaligned;
    made.elsewhere = kTable.shape.elsewhere;
    return made;
  }

  static consteval Sentence problem() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return check_registers(shape(), std::array<CheckedRow, kCount>{checked<I>()...});
    }(Indices());
  }

  // The members.

  template <std::size_t I>
  static constexpr bool kArray = CellTraits<typename Row<I>::Cell>::kArray;

  template <std::size_t I>
  static auto& cell(auto& self, [[maybe_unused]] unsigned index) {
    constexpr auto member = std::get<I>(kTable.rows).parts.cell;
    if constexpr (kArray<I>)
      return (self.*member)[index];
    else
      return self.*member;
  }
  template <std::size_t I>
  static void store(Self& self, unsigned index, u64 value) {
    auto& target = cell<I>(self, index);
    target = number_as<std::remove_reference_t<decltype(target)>>(value);
  }
  /// Arguments of an effect: the index, when there are several registers, and the numbers.
  template <std::size_t I, class... Numbers>
  static constexpr auto arguments([[maybe_unused]] unsigned index, Numbers... numbers) {
    if constexpr (kRow<I>.count > 1)
      return std::array<u64, sizeof...(Numbers) + 1>{index, numbers...};
    else
      return std::array<u64, sizeof...(Numbers)>{numbers...};
  }

  // One register.

  template <std::size_t I>
  static std::optional<u64> peek(const void* device, unsigned index) {
    using R = Row<I>;
    [[maybe_unused]] const Self& self = *static_cast<const Self*>(device);
    if constexpr (is_something<typename R::ReadBy>) {
      constexpr auto method = std::get<I>(kTable.rows).parts.read_by;
      if constexpr (MethodTraits<typename R::ReadBy>::kConst)
        return static_cast<u64>(call_method(method, self, arguments<I>(index))) &
               bits_of(kRow<I>.width);
    }
    if constexpr (is_something<typename R::Cell>)
      return static_cast<u64>(cell<I>(self, index)) & bits_of(kRow<I>.width);
    else if constexpr (std::get<I>(kTable.rows).parts.shape.constant)
      return kRow<I>.reset;
    else
      return std::nullopt;
  }

  template <std::size_t I>
  static u64 read_one(Self& self, unsigned index, [[maybe_unused]] u64 lanes) {
    using R = Row<I>;
    u64 value = kRow<I>.reset;
    if constexpr (is_something<typename R::ReadBy>)
      value = static_cast<u64>(
          call_method(std::get<I>(kTable.rows).parts.read_by, self, arguments<I>(index)));
    else if constexpr (is_something<typename R::Cell>)
      value = static_cast<u64>(cell<I>(self, index));
    if constexpr (kRow<I>.read_clears != 0)
      store<I>(self, index,
               static_cast<u64>(cell<I>(self, index)) & ~(kRow<I>.read_clears & lanes));
    if constexpr (is_something<typename R::AfterRead>)
      call_method(std::get<I>(kTable.rows).parts.after_read, self, arguments<I>(index));
    return value;
  }

  template <std::size_t I>
  static void write_one(Self& self, unsigned index, u64 value, u64 lanes) {
    using R = Row<I>;
    constexpr const RegisterInfo& row = kRow<I>;
    constexpr u64 all = bits_of(row.width);
    if constexpr (!row.guest_writes) {
      return log_read_only(Self::kName, row.name, value);
    }
    // Bytes beside those of the access count as written with what they hold.
    u64 before = 0;
    if constexpr (is_something<typename R::Cell>)
      before = static_cast<u64>(cell<I>(self, index)) & all;
    else if (lanes != all)
      before = peek<I>(&self, index).value_or(0);
    if constexpr (is_something<typename R::LockedWhile>)
      if (call_method(std::get<I>(kTable.rows).parts.locked_while, self, arguments<I>(index)))
        return;
    const u64 written = (value & lanes) | (before & ~lanes & ~row.write_1_clears);
    if constexpr (is_something<typename R::WriteBy>) {
      constexpr bool masked = std::get<I>(kTable.rows).parts.shape.writable_given;
      constexpr u64 taken = masked ? row.writable | row.write_1_clears : all;
      call_method(std::get<I>(kTable.rows).parts.write_by, self,
                  arguments<I>(index, written & taken));
    } else if constexpr (row.guest_writes) {
      const u64 kept = before & ~(row.writable & lanes) & ~(value & lanes & row.write_1_clears);
      store<I>(self, index, kept | (value & lanes & row.writable));
      if constexpr (is_something<typename R::AfterWrite>)
        call_method(std::get<I>(kTable.rows).parts.after_write, self,
                    arguments<I>(index, written, before));
    }
  }

  template <std::size_t I>
  static void reset_row(Self& self) {
    if constexpr (!is_range_row<Row<I>>)
      if constexpr (kRow<I>.stored && !kRow<I>.keeps_at_reset)
        for (unsigned index = 0; index < kRow<I>.count; ++index)
          store<I>(self, index, kRow<I>.reset);
  }
  static void reset(void* device) {
    [device]<std::size_t... I>(std::index_sequence<I...>) {
      (reset_row<I>(*static_cast<Self*>(device)), ...);
    }(Indices());
  }

  // The region's handlers: a search by comparisons with constants, and everything unusual
  // elsewhere.

  /// Whether an access of this row's offset is the row's: of two that share it, one is.
  template <std::size_t I, bool Write>
  static constexpr bool answers() {
    if (Write ? kRow<I>.guest_writes : kRow<I>.guest_reads) return true;
    if (!Write) return false;
    bool other = false;
    [&]<std::size_t... J>(std::index_sequence<J...>) {
      ((other |= J != I && kRow<J>.guest_writes && kRow<J>.offset == kRow<I>.offset), ...);
    }(Indices());
    return !other;
  }

  static constexpr bool fits(const RegisterInfo& row, unsigned size) {
    const bool extends = row.reach == Reach::FromStart || row.reach == Reach::Anywhere;
    return size == row.width || (extends && size < row.width);
  }

  template <bool Write>
  [[gnu::noinline, gnu::cold]] static MemResult unusual(Self& self, Access& access, bool traced) {
    traced = traced && register_trace<Self>.wanted_by(self);
    return Write ? write_registers(code(), &self, access, traced)
                 : read_registers(code(), &self, access, traced);
  }

  template <std::size_t I, bool Write>
  [[gnu::always_inline]] static MemResult access_one(Self& self, unsigned index, Access& access) {
    if (!fits(kRow<I>, access.size)) [[unlikely]]
      return unusual<Write>(self, access, false);
    if constexpr (Write)
      write_one<I>(self, index, access.value, bits_of(kRow<I>.width));
    else
      access.value = read_one<I>(self, index, bits_of(kRow<I>.width));
    return MemResult::Ok;
  }

  /// Arrays and ranges, after all that are one register at one place.
  template <std::size_t I, bool Write>
  [[gnu::always_inline]] static MemResult among_many(Self& self, Access& access) {
    if constexpr (I == kCount) {
      return unusual<Write>(self, access, false);
    } else if constexpr (is_range_row<Row<I>>) {
      constexpr const Row<I>& row = std::get<I>(kTable.rows);
      const u64 at = access.offset - row.offset;
      if (at < row.size && access.size <= row.size - at) {
        if constexpr (Write)
          (self.*row.write)(at, access.value, access.size);
        else
          access.value = (self.*row.read)(at, access.size);
        return MemResult::Ok;
      }
      return among_many<I + 1, Write>(self, access);
    } else if constexpr (kRow<I>.count > 1 && answers<I, Write>()) {
      const u64 at = access.offset - kRow<I>.offset;
      if (at < kRow<I>.count * kRow<I>.stride && at % kRow<I>.stride == 0)
        return access_one<I, Write>(self, static_cast<unsigned>(at / kRow<I>.stride), access);
      return among_many<I + 1, Write>(self, access);
    } else {
      return among_many<I + 1, Write>(self, access);
    }
  }

  /// Rows that are one register at one place and answer, by offset.
  template <bool Write>
  static constexpr auto kSingles = [] {
    struct {
      std::array<std::size_t, kCount + 1> rows{};
      std::size_t count{0};
    } made;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      const auto take = [&]<std::size_t Row>() {
        if (kRow<Row>.is_range() || kRow<Row>.count > 1 || !answers<Row, Write>()) return;
        constexpr std::array<u64, kCount> offsets = {kRow<I>.offset...};
        std::size_t at = made.count++;
        for (; at > 0 && offsets[made.rows[at - 1]] > offsets[Row]; --at)
          made.rows[at] = made.rows[at - 1];
        made.rows[at] = Row;
      };
      (take.template operator()<I>(), ...);
    }(Indices());
    return made;
  }();

  /// Between the singles From and To: halves, then one comparison after another, as compilers make
  /// of a switch.
  template <std::size_t From, std::size_t To, bool Write>
  [[gnu::always_inline]] static MemResult among_single(Self& self, Access& access) {
    if constexpr (To - From > 4) {
      constexpr std::size_t middle = (From + To) / 2;
      if (access.offset < kRow<kSingles<Write>.rows[middle]>.offset)
        return among_single<From, middle, Write>(self, access);
      return among_single<middle, To, Write>(self, access);
    } else if constexpr (From == To) {
      return among_many<0, Write>(self, access);
    } else {
      constexpr std::size_t row = kSingles<Write>.rows[From];
      if (access.offset == kRow<row>.offset) return access_one<row, Write>(self, 0, access);
      return among_single<From + 1, To, Write>(self, access);
    }
  }

  template <bool Write>
  static MemResult handle(void* device, Access& access) {
    Self& self = *static_cast<Self*>(device);
    if (register_trace<Self>.enabled()) [[unlikely]]
      return unusual<Write>(self, access, true);
    return among_single<0, kSingles<Write>.count, Write>(self, access);
  }

  // For everybody else.

  template <std::size_t I>
  static constexpr RegisterInfo info_of() {
    RegisterInfo made = kRow<I>;
    if constexpr (is_range_row<Row<I>>) {
      made.read_range = [](void* device, u64 offset, unsigned size) {
        return (static_cast<Self*>(device)->*std::get<I>(kTable.rows).read)(offset, size);
      };
      made.write_range = [](void* device, u64 offset, u64 value, unsigned size) {
        (static_cast<Self*>(device)->*std::get<I>(kTable.rows).write)(offset, value, size);
      };
    } else {
      made.fields = std::get<I>(kTable.rows).parts.fields;
      made.read = [](void* device, unsigned index, u64 lanes) {
        return read_one<I>(*static_cast<Self*>(device), index, lanes);
      };
      made.write = [](void* device, unsigned index, u64 value, u64 lanes) {
        write_one<I>(*static_cast<Self*>(device), index, value, lanes);
      };
      made.peek = &BankCode::peek<I>;
    }
    return made;
  }
  static const RegisterCode& code();
  static const RegisterBankInfo& info() { return code(); }

  template <std::size_t I>
  static void declare_row(FieldList& list) {
    if constexpr (!is_range_row<Row<I>>) {
      if constexpr (kRow<I>.stored) {
        constexpr auto member = std::get<I>(kTable.rows).parts.cell;
        using Member = std::remove_cvref_t<decltype(std::declval<Self&>().*member)>;
        const auto self = [](const void* object) {
          return static_cast<const Self*>(static_cast<const Object*>(object));
        };
        list.fields.push_back(StateField{
            .name = std::string(kRow<I>.name),
            .survives_reset = kRow<I>.keeps_at_reset,
            .save = [self](
                        const void* object,
                        StateWriter& out) { StateCodec<Member>::save(self(object)->*member, out); },
            .load = [](void* object, StateReader& in, const StateField& field) -> Result<> {
              return load_row<I, Member>(*static_cast<Self*>(static_cast<Object*>(object)), in,
                                         field);
            },
            .show = [self](const void* object) { return shown_state(self(object)->*member); }});
      }
    }
  }
  static void declare_state(FieldList& list) {
    [&list]<std::size_t... I>(std::index_sequence<I...>) {
      (declare_row<I>(list), ...);
    }(Indices());
  }

  template <std::size_t I, class Member>
  static Result<> load_row(Self& self, StateReader& in, const StateField& field) {
    constexpr auto member = std::get<I>(kTable.rows).parts.cell;
    Member loaded{};
    TRY(StateCodec<Member>::load(loaded, in, field));
    const auto check = [&field](auto value) -> Result<> {
      if ((static_cast<u64>(value) & bits_of(sizeof value) & ~kRow<I>.exists) != 0)
        return fail("register {} has bits that it cannot have: {:#x}", field.name,
                    static_cast<u64>(value));
      return {};
    };
    if constexpr (kArray<I>)
      for (const auto value : loaded) TRY(check(value));
    else
      TRY(check(loaded));
    self.*member = loaded;
    return {};
  }
};

template <class Self, class Table>
inline constexpr auto kRegisterRows = []<std::size_t... I>(std::index_sequence<I...>) {
  return std::array<RegisterInfo, sizeof...(I)>{BankCode<Self, Table>::template info_of<I>()...};
}(typename BankCode<Self, Table>::Indices());

template <class Self, class Table>
inline constexpr RegisterCode kRegisterCode = [] {
  using Code = BankCode<Self, Table>;
  RegisterCode made{Code::shape(), {}, {}};
  constexpr AccessSizes sizes = Code::kTable.shape.sizes;
  made.rows = kRegisterRows<Self, Table>;
  made.reset = &Code::reset;
  made.self = [](Object& object) -> void* { return static_cast<Self*>(&object); };
  made.object = [](void* device) -> Object& { return *static_cast<Self*>(device); };
  made.ops = {.read = &Code::template handle<false>,
              .write = &Code::template handle<true>,
              .valid = sizes,
              .impl = sizes};
  return made;
}();

template <class Self, class Table>
const RegisterCode& BankCode<Self, Table>::code() {
  return kRegisterCode<Self, Table>;
}

}  // namespace rhea::detail
