// SPDX-License-Identifier: GPL-2.0-or-later
// Members of objects that hold on to something outside of them: timers, deferred calls, lines,
// regions, chardev ports, block requests. They end with their object.
#pragma once

#include <string>
#include <string_view>

namespace rhea {

class LockDomain;
class Object;
struct TypeInfo;

/// Base of such members. One that is made while an object is (a member of it, or of what it is
/// made of) knows by that whose it is: when a device is unrealized, or its realize() fails, all its
/// members end, the last first. Elsewhere they belong to nobody and end by their destructor.
/// Main thread, machine's lock.
class ObjectMember {
 public:
  ObjectMember(const ObjectMember&) = delete;
  ObjectMember& operator=(const ObjectMember&) = delete;

 protected:
  ObjectMember();
  virtual ~ObjectMember();
  /// Lets go of everything outside; may come more than once. The destructor of the derived class
  /// does the same.
  virtual void end() = 0;
  /// The state of all objects was loaded; no post_load() has run.
  virtual void loaded() {}
  /// The state of all objects is about to be saved: what is on its way arrives.
  virtual void settle() {}
  /// The domain that its calls into the owner come under, besides the machine's lock; usually none.
  LockDomain* owner_domain() const;
  /// A programming error: "edu: a Timer is used before its init(), which belongs into realize()".
  [[noreturn]] void used_before_init(std::string_view what) const;
  /// The object's path or type; empty outside of objects.
  std::string owner_name() const;

 private:
  friend class Object;
  Object* owner_{};
  ObjectMember* previous_{};
  ObjectMember* next_{};
};

/// An assertion that has a sentence to say. Ends the program.
[[noreturn]] void programming_error(std::string_view sentence);

namespace detail {

/// While it stands, the first Object made on this thread is of this type, and the members made from
/// then on are its own.
class Construction {
 public:
  explicit Construction(const TypeInfo& type);
  ~Construction();
  Construction(const Construction&) = delete;
  Construction& operator=(const Construction&) = delete;

 private:
  friend class rhea::Object;
  friend class rhea::ObjectMember;
  const TypeInfo* type_;
  Object* object_{};
  Construction* outer_;
};

}  // namespace detail
}  // namespace rhea
