// SPDX-License-Identifier: GPL-2.0-or-later
// How fast the decoder is: it decodes the C library's code over and over, from front to back, and
// prints millions of instructions a second of processor time. That is more code than the branch
// predictor could learn by heart.
#include "target/x86/decode/decode.h"

#include <link.h>

#include <cstdio>
#include <ctime>
#include <span>
#include <string_view>

namespace {

using namespace rhea;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Number of instructions; what does not decode (data between functions) is stepped over.
unsigned long decode_all(std::span<const u8> code, unsigned long& bytes) {
  unsigned long count = 0;
  x86::Insn insn;
  while (code.size() >= x86::kLongestInsn) {
    const bool good = x86::decode(code, {}, insn) == x86::DecodeStatus::Ok;
    count += good;
    bytes += insn.length;
    code = code.subspan(good ? insn.length : 1);
  }
  return count;
}

/// The C library's code.
std::span<const u8> library_code() {
  std::span<const u8> code;
  const auto look = [](dl_phdr_info* object, size_t, void* found) {
    if (!std::string_view(object->dlpi_name).contains("libc.so")) return 0;
    for (const ElfW(Phdr) & part : std::span(object->dlpi_phdr, object->dlpi_phnum))
      if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0)
        *static_cast<std::span<const u8>*>(found) = {
            // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader says where it is
            reinterpret_cast<const u8*>(object->dlpi_addr + part.p_vaddr), part.p_memsz};
    return 1;
  };
  dl_iterate_phdr(look, &code);
  return code;
}

}  // namespace

int main() {
  const auto code = library_code();
  if (code.empty()) {
    std::puts("decode: no C library to take code from");
    return 1;
  }
  unsigned long bytes = 0;
  decode_all(code, bytes);  // builds the tables, fills the caches
  const double begin = processor_seconds();
  unsigned long count = 0;
  while (count < 30'000'000) count += decode_all(code, bytes);
  const double seconds = processor_seconds() - begin;
  std::printf("decode: %.1f million instructions/s, %zu bytes of code\n",
              static_cast<double>(count) / seconds / 1e6, code.size());
}
