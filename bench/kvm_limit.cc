// SPDX-License-Identifier: GPL-2.0-or-later
// The least that a KVM program can do for an exit: KVM_RUN in a loop on the boot sector of
// bench/exits.asm. Prints the seconds between the guest's 'B' and 'E': what no emulator can be
// faster than.
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

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

// The BIOS's INT 10h, which the sector calls: a lone IRET.
void add_bios(unsigned char* ram) {
  ram[0x500] = 0xcf;
  const unsigned char vector[4] = {0x00, 0x05, 0x00, 0x00};
  std::memcpy(ram + 4 * 0x10, vector, sizeof vector);
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

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  const int kvm = checked(open("/dev/kvm", O_RDWR), "/dev/kvm");
  const int vm = checked(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  auto* ram = static_cast<unsigned char*>(
      mmap(nullptr, kRam, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  const int vcpu = boot(vm, argv[1], ram);
  const int size = checked(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  auto* run = static_cast<kvm_run*>(
      mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0));
  std::chrono::steady_clock::time_point begin;
  for (;;) {
    checked(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
    if (run->exit_reason == KVM_EXIT_MMIO) continue;
    if (run->exit_reason != KVM_EXIT_IO) return 1;
    if (run->io.port != 0x3f8) continue;
    const char letter = reinterpret_cast<char*>(run)[run->io.data_offset];
    if (letter == 'B') begin = std::chrono::steady_clock::now();
    if (letter != 'E') continue;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%f\n", seconds.count());
    return 0;
  }
}
