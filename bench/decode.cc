// SPDX-License-Identifier: GPL-2.0-or-later
// How fast the decoder is: it decodes this program's own code over and over, from front to back,
// and prints millions of instructions a second of processor time.
#include "target/x86/decode/decode.h"

#include <cstdio>
#include <ctime>
#include <span>

extern "C" const char etext;  // the linker's: where the program's code ends

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

/// What lies behind the first function here: the rest of this program, the decoder included.
std::span<const u8> own_code() {
  return {reinterpret_cast<const u8*>(&processor_seconds), reinterpret_cast<const u8*>(&etext)};
}

}  // namespace

int main() {
  const auto code = own_code();
  unsigned long bytes = 0;
  decode_all(code, bytes);  // builds the tables, fills the caches
  const double begin = processor_seconds();
  unsigned long count = 0;
  while (count < 30'000'000) count += decode_all(code, bytes);
  const double seconds = processor_seconds() - begin;
  std::printf("decode: %.1f million instructions/s, %zu bytes of code\n",
              static_cast<double>(count) / seconds / 1e6, code.size());
}
