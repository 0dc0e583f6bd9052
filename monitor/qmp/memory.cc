// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: saving guest memory to files.
#include "monitor/guest_memory.h"
#include "monitor/long_work.h"
#include "monitor/qmp/command.h"
#include "rhea/util/host_file.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>

namespace rhea::qmp {
namespace {

constexpr std::size_t kPiece = 64 * KiB;

struct Stretch {
  u64 address, size;
};
std::unexpected<Error> invalid(const Stretch& stretch) {
  return fail("Invalid addr {:#018x}/size {} specified", stretch.address, stretch.size);
}

// `read` fills a piece from an address and says how much of it is there.
using Read = std::function<std::size_t(u64, std::span<u8>)>;

Result<Json> save(LockDomain& lock, const std::string& path, const Stretch& what, const Read& read,
                  const std::stop_token& stop) {
  OutputFile file = TRY(OutputFile::create(path));
  std::vector<u8> piece(std::min<u64>(kPiece, what.size));
  for (u64 done = 0; done < what.size;) {
    if (stop.stop_requested()) return monitor::stopped();
    const std::size_t wanted = std::min<u64>(piece.size(), what.size - done);
    std::size_t got = 0;
    {
      const std::lock_guard guard(lock);
      got = read(what.address + done, std::span(piece).first(wanted));
    }
    TRY(file.write(std::span(piece).first(got)));
    if (got < wanted) return invalid(what);
    done += got;
  }
  TRY(file.finish());
  return Json();
}

Result<Json> begin(Context& context, const Json& arguments, Read read) {
  Machine& machine = context.machine;
  const Stretch what{.address = number_argument(arguments, "val"),
                     .size = number_argument(arguments, "size")};
  // Nothing is beyond RAM and the 4 GiB that devices share with it: a larger size is a mistake.
  if (what.size > machine.config.ram_size + 4 * GiB) return invalid(what);
  context.later = TRY(machine.service<monitor::LongWork>().start(
      text_argument(arguments, "filename"),
      [&lock = machine.lock(), what, path = text_argument(arguments, "filename"),
       read = std::move(read)](const std::stop_token& stop) {
        return save(lock, path, what, read, stop);
      }));
  return Json();
}

Result<Json> memsave(Context& context, const Json& arguments) {
  const unsigned cpu = TRY(cpu_argument(context, arguments));
  return begin(context, arguments,
               [&machine = context.machine, cpu](u64 address, std::span<u8> data) {
                 return monitor::read_virtual(machine, cpu, address, data);
               });
}

Result<Json> pmemsave(Context& context, const Json& arguments) {
  return begin(context, arguments, [&machine = context.machine](u64 address, std::span<u8> data) {
    return monitor::read_physical(machine, address, data);
  });
}

const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "memsave",
                        .arguments = {{"val", "int"},
                                      {"size", "int"},
                                      {"filename", "str"},
                                      {"cpu-index", "int", true}},
                        .run = &memsave}),
    RegisterQmpCommand({.name = "pmemsave",
                        .arguments = {{"val", "int"}, {"size", "int"}, {"filename", "str"}},
                        .run = &pmemsave}),
};

}  // namespace
}  // namespace rhea::qmp
