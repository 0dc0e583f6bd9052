// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: saving guest memory to files.
#include "monitor/guest_memory.h"
#include "monitor/qmp/command.h"
#include "rhea/util/host_file.h"

#include <algorithm>
#include <functional>

namespace rhea::qmp {
namespace {

constexpr std::size_t kPiece = 64 * KiB;

// `read` fills a piece from an address and says how much of it is there.
Result<> save(const Machine& machine, const std::string& path, u64 address, u64 size,
              const std::function<std::size_t(u64, std::span<u8>)>& read) {
  // Nothing is beyond RAM and the 4 GiB that devices share with it: a larger size is a mistake.
  if (size > machine.config.ram_size + 4 * GiB)
    return fail("Invalid addr {:#018x}/size {} specified", address, size);
  OutputFile file = TRY(OutputFile::create(path));
  std::vector<u8> piece(std::min<u64>(kPiece, size));
  for (u64 done = 0; done < size;) {
    const std::size_t wanted = std::min<u64>(piece.size(), size - done);
    const std::size_t got = read(address + done, std::span(piece).first(wanted));
    TRY(file.write(std::span(piece).first(got)));
    if (got < wanted) return fail("Invalid addr {:#018x}/size {} specified", address, size);
    done += got;
  }
  return file.finish();
}

Result<Json> memsave(Context& context, const Json& arguments) {
  const unsigned cpu = TRY(cpu_argument(context, arguments));
  TRY(save(context.machine, text_argument(arguments, "filename"), number_argument(arguments, "val"),
           number_argument(arguments, "size"), [&](u64 address, std::span<u8> data) {
             return monitor::read_virtual(context.machine, cpu, address, data);
           }));
  return Json();
}

Result<Json> pmemsave(Context& context, const Json& arguments) {
  TRY(save(context.machine, text_argument(arguments, "filename"), number_argument(arguments, "val"),
           number_argument(arguments, "size"), [&](u64 address, std::span<u8> data) {
             return monitor::read_physical(context.machine, address, data);
           }));
  return Json();
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
