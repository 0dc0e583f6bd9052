// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/qom/member.h"

#include "rhea/qom/registry.h"

#include <cstdio>
#include <cstdlib>

namespace rhea {
namespace {

thread_local detail::Construction* under_construction = nullptr;

}  // namespace

namespace detail {

Construction::Construction(const TypeInfo& type)
    : type_(&type), outer_(std::exchange(under_construction, this)) {}
Construction::~Construction() { under_construction = outer_; }

}  // namespace detail

ObjectMember::ObjectMember() {
  if (under_construction == nullptr || under_construction->object_ == nullptr) return;
  owner_ = under_construction->object_;
  previous_ = std::exchange(owner_->last_member_, this);
  if (previous_ != nullptr) previous_->next_ = this;
}

ObjectMember::~ObjectMember() {
  if (owner_ == nullptr) return;
  (next_ != nullptr ? next_->previous_ : owner_->last_member_) = previous_;
  if (previous_ != nullptr) previous_->next_ = next_;
}

void programming_error(std::string_view sentence) {
  std::fprintf(stderr, "rhea: internal error: %.*s\n", static_cast<int>(sentence.size()),
               sentence.data());
  std::abort();
}

std::string ObjectMember::owner_name() const {
  if (owner_ == nullptr) return {};
  return owner_->in_machine() ? owner_->path() : owner_->type().name;
}

void ObjectMember::used_before_init(std::string_view what) const {
  const std::string owner = owner_name();
  programming_error(fmt::format("{}: a {} is used before its init(), which belongs into realize()",
                                owner.empty() ? "outside of any device" : owner, what));
}

Object::Object() {
  if (under_construction == nullptr || under_construction->object_ != nullptr) return;
  under_construction->object_ = this;
  type_ = under_construction->type_;
}

void Object::end_members() {
  for (ObjectMember* member = last_member_; member != nullptr;) {
    ObjectMember* const before = member->previous_;
    member->end();
    member = before;
  }
}

LockDomain* ObjectMember::owner_domain() const {
  return owner_ != nullptr ? owner_->lock_domain() : nullptr;
}

void Object::members_settle() {
  for (ObjectMember* member = last_member_; member != nullptr; member = member->previous_)
    member->settle();
}

void Object::members_loaded() {
  for (ObjectMember* member = last_member_; member != nullptr; member = member->previous_)
    member->loaded();
}

// Members that outlive their object are nobody's.
void Object::disown_members() {
  for (ObjectMember* member = last_member_; member != nullptr;) {
    ObjectMember* const before = member->previous_;
    member->owner_ = nullptr;
    member->previous_ = member->next_ = nullptr;
    member = before;
  }
  last_member_ = nullptr;
}

}  // namespace rhea
