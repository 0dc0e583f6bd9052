// SPDX-License-Identifier: GPL-2.0-or-later
// The least that a KVM program can do for an exit: KVM_RUN in a loop on the boot sector of
// bench/exits.asm, whose COM1 is standard input and output. The VM has the kernel's interrupt
// controllers and timer, as the emulators' have: they make every entry dearer. What is left of an
// emulator's time when this loop's is taken away is the emulator's own.
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace {

constexpr std::size_t kRam = 0xa0000;
constexpr std::size_t kBootSector = 0x7c00;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int checked(int value, const char* what) {
  if (value < 0) fail(what);
  return value;
}

// The BIOS's INT 10h, which the sector calls, and the NMI that wakes it: a lone IRET.
void add_bios(unsigned char* ram) {
  ram[0x500] = 0xcf;
  const unsigned char vector[4] = {0x00, 0x05, 0x00, 0x00};
  for (const int number : {0x02, 0x10}) std::memcpy(ram + 4 * number, vector, sizeof vector);
}

void add_interrupt_controllers(int vm) {
  checked(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
  checked(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
  kvm_pit_config pit{};
  checked(ioctl(vm, KVM_CREATE_PIT2, &pit), "KVM_CREATE_PIT2");
}

int boot(int vm, const char* image, unsigned char* ram) {
  const int fd = checked(open(image, O_RDONLY), image);
  if (read(fd, ram + kBootSector, 512) != 512) fail(image);
  close(fd);
  add_bios(ram);
  kvm_userspace_memory_region slot{};
  slot.memory_size = kRam;
  slot.userspace_addr = reinterpret_cast<unsigned long>(ram);
  checked(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
  const int vcpu = checked(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  kvm_sregs sregs{};
  checked(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  checked(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
  kvm_regs regs{};
  regs.rip = kBootSector;
  regs.rflags = 2;
  checked(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
  return vcpu;
}

constexpr unsigned kCom1 = 0x3f8;
constexpr unsigned char kDataReady = 1;

std::atomic<unsigned char> received{0};

// The guest halts, which keeps the vCPU's thread in KVM_RUN: a signal fetches it out.
void receive(pthread_t vcpu_thread) {
  for (unsigned char byte = 0; read(STDIN_FILENO, &byte, 1) == 1;) {
    received = byte;
    pthread_kill(vcpu_thread, SIGUSR1);
  }
  std::exit(0);
}

void on_signal(int) {}

// The guest asks the line status before it takes the byte.
void serve_com1(kvm_run* run) {
  auto* data = reinterpret_cast<unsigned char*>(run) + run->io.data_offset;
  const unsigned reg = run->io.port - kCom1;
  if (run->io.direction == KVM_EXIT_IO_IN)
    *data = reg == 0 ? received.load() : kDataReady;
  else if (reg == 0 && write(STDOUT_FILENO, data, 1) != 1)
    std::exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  const int kvm = checked(open("/dev/kvm", O_RDWR), "/dev/kvm");
  const int vm = checked(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  auto* ram = static_cast<unsigned char*>(
      mmap(nullptr, kRam, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  add_interrupt_controllers(vm);
  const int vcpu = boot(vm, argv[1], ram);
  const int size = checked(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  auto* run = static_cast<kvm_run*>(
      mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0));
  struct sigaction action{};
  action.sa_handler = &on_signal;
  sigaction(SIGUSR1, &action, nullptr);
  std::thread(receive, pthread_self()).detach();
  for (;;) {
    if (ioctl(vcpu, KVM_RUN, 0) < 0) {
      if (errno != EINTR) fail("KVM_RUN");
      checked(ioctl(vcpu, KVM_NMI), "KVM_NMI");
      continue;
    }
    if (run->exit_reason == KVM_EXIT_MMIO) continue;
    if (run->exit_reason != KVM_EXIT_IO) {
      std::fprintf(stderr, "exit %u\n", run->exit_reason);
      return 1;
    } else if (run->io.port - kCom1 < 8) {
      serve_com1(run);
    }
  }
}
