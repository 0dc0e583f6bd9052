// SPDX-License-Identifier: GPL-2.0-or-later
// A guest to be debugged: two processors that work, and wait for the debugger to change what they
// look at.

using u64 = unsigned long;
using u32 = unsigned int;

struct Job {
  int id;
  u64 rounds;
  const char* name;
};

Job jobs[2] = {{.id = 0, .rounds = 0, .name = "first"}, {.id = 1, .rounds = 0, .name = "second"}};
volatile u64 total = 0;
volatile bool other_runs = false;
volatile u64 seldom = 0;       // written once in a while
volatile int wanted_exit = 0;  // the debugger sets it

extern "C" const char ap_start[], ap_start_end[];

namespace {

void out(unsigned short port, unsigned char value) {
  asm volatile("outb %0, %1" : : "a"(value), "d"(port));
}

volatile u32& apic(u64 offset) { return *reinterpret_cast<volatile u32*>(0xfee00000UL + offset); }

void pause() { asm volatile("pause"); }

}  // namespace

extern "C" {

// Calls itself, so that there is something to trace back.
[[gnu::noinline]] u64 depth(u64 n) {
  if (n == 0) return total;
  return depth(n - 1) + 1;
}

[[gnu::noinline]] void work(Job* job) {
  ++job->rounds;
  total = total + 1;
  if (job->rounds % 1000 == 0) seldom = job->rounds;
  depth(3);
}

void start_second() {
  auto* to = reinterpret_cast<char*>(0x8000);
  for (const char* from = ap_start; from != ap_start_end; ++from, ++to)
    *const_cast<volatile char*>(to) = *from;
  apic(0xf0) = 0x1ff;
  apic(0x300) = 0xc4500;  // INIT to all others
  for (int i = 0; i < 100000; ++i) pause();
  apic(0x300) = 0xc4608;  // start at 0x8000
  while (!other_runs) pause();
}

[[noreturn]] void first_main() {
  start_second();
  while (wanted_exit == 0) work(&jobs[0]);
  for (;;) out(0xf4, static_cast<unsigned char>(wanted_exit));
}

[[noreturn]] void second_main() {
  other_runs = true;
  for (;;) work(&jobs[1]);
}

}  // extern "C"
