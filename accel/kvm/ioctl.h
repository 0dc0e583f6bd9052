// SPDX-License-Identifier: GPL-2.0-or-later
// Calls into KVM: interrupted ones are repeated, errors are negative errno values.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace rhea::kvm {

inline int call(int fd, unsigned long request, unsigned long argument = 0) {
  int result = 0;
  do result = ::ioctl(fd, request, argument);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : result;
}

template <class T>
  requires(!std::is_const_v<T>)
int call(int fd, unsigned long request, T* argument) {
  return call(fd, request, reinterpret_cast<unsigned long>(argument));
}
template <class T>
int call(int fd, unsigned long request, const T* argument) {
  return call(fd, request, reinterpret_cast<unsigned long>(argument));
}

/// The same with an error that names the call: "KVM_SET_PIT2: Invalid argument".
template <class T = unsigned long>
Result<int> try_call(std::string_view name, int fd, unsigned long request, T argument = 0) {
  const int result = call(fd, request, argument);
  if (result < 0) return fail("{}: {}", name, errno_text(-result));
  return result;
}

/// One of KVM's structs that end in an array, with room for `count` entries.
template <class Header, class Entry>
class VariableBlock {
 public:
  explicit VariableBlock(std::size_t count)
      : words_((sizeof(Header) + count * sizeof(Entry) + 7) / 8), count_(count) {}
  Header& header() { return *reinterpret_cast<Header*>(words_.data()); }
  std::span<Entry> entries() {
    return {reinterpret_cast<Entry*>(reinterpret_cast<u8*>(words_.data()) + sizeof(Header)),
            count_};
  }

 private:
  std::vector<u64> words_;
  std::size_t count_;
};

}  // namespace rhea::kvm
