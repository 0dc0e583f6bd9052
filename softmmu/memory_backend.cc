// SPDX-License-Identifier: GPL-2.0-or-later
// The three kinds of memory back ends and their properties.
#include "softmmu/memory_backend.h"

#include "rhea/softmmu/machine.h"

namespace rhea {
namespace {

class RamBackend final : public MemoryBackend {
 public:
  static constexpr std::string_view kName = "memory-backend-ram";
  static void describe(Schema<RamBackend>& s) { s.help("the program's own memory"); }
};

class FileBackend final : public MemoryBackend {
 public:
  static constexpr std::string_view kName = "memory-backend-file";
  static void describe(Schema<FileBackend>& s) {
    s.help("a file, which may be one of huge pages, or a folder for a nameless one");
    s.property("mem-path", &FileBackend::path_, "").help("the file or folder");
  }
  RamOptions ram_options() const override {
    RamOptions options = MemoryBackend::ram_options();
    options.backing = RamBacking::File;
    options.path = path_;
    return options;
  }

 private:
  Result<> complete() override {
    if (path_.empty()) return fail("mem-path property not set");
    return MemoryBackend::complete();
  }
  std::string path_;
};

class MemfdBackend final : public MemoryBackend {
 public:
  static constexpr std::string_view kName = "memory-backend-memfd";
  static void describe(Schema<MemfdBackend>& s) {
    s.help("memory that other processes can be given");
    s.property("hugetlb", &MemfdBackend::huge_, false).help("in pages of 2 MiB");
    s.property("hugetlbsize", &MemfdBackend::huge_size_, u64{0})
        .as_size()
        .help("of a huge page: 2M, or 0 for the usual");
  }
  RamOptions ram_options() const override {
    RamOptions options = MemoryBackend::ram_options();
    options.backing = huge_ ? RamBacking::Huge : RamBacking::Memfd;
    return options;
  }

 private:
  Result<> complete() override {
    if (huge_size_ != 0 && huge_size_ != 2 * MiB)
      return fail("hugetlbsize={}: only 2M is there", huge_size_);
    if (huge_size_ != 0 && !huge_) return fail("hugetlbsize needs hugetlb=on");
    return MemoryBackend::complete();
  }
  bool huge_{};
  u64 huge_size_{};
};

const RegisterAbstractType<MemoryBackend, UserObject> base_registration;
const RegisterType<RamBackend> ram_registration;
const RegisterType<FileBackend> file_registration;
const RegisterType<MemfdBackend> memfd_registration;

}  // namespace

void MemoryBackend::describe(Schema<MemoryBackend>& s) {
  s.property("size", &MemoryBackend::size_, u64{0}).as_size().help("of the memory");
  s.property("merge", &MemoryBackend::merge_, true).help("the host may share pages that are alike");
  s.property("dump", &MemoryBackend::dump_, true).help("part of the program's core dumps");
  s.property("prealloc", &MemoryBackend::prealloc_, false)
      .help("take all of it from the host at once");
  s.property("share", &MemoryBackend::share_, false)
      .help("a file keeps what the guest writes; a memfd always does");
}

RamOptions MemoryBackend::ram_options() const {
  RamOptions options;
  options.share = share_;
  options.prealloc = prealloc_;
  return options;
}

Result<> MemoryBackend::complete() {
  if (size_ == 0) return fail("property 'size' of {} doesn't take value '0'", type().name);
  return {};
}

Result<> MemoryBackend::take() {
  if (taken_) return fail("memory backend '{}' is already in use", name());
  taken_ = true;
  return {};
}

}  // namespace rhea
