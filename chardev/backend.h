// SPDX-License-Identifier: GPL-2.0-or-later
// The table of back ends that -chardev can name.
#pragma once

#include "rhea/chardev/chardev.h"
#include "rhea/util/keyval.h"

#include <memory>
#include <string_view>
#include <vector>

namespace rhea::chardev {

/// When a chardev is made. Once the guest may run, nothing waits for a peer.
enum class Opening : u8 { AtStart, Later };

/// A row of the table. `create` takes what it knows out of the options; what it leaves is an error.
struct Backend {
  std::string_view name;
  std::string_view alias;
  Result<std::unique_ptr<Chardev>> (*create)(Machine& machine, KeyValues& options, Opening when);
};

class RegisterBackend {
 public:
  explicit RegisterBackend(const Backend& backend);
  RegisterBackend(const RegisterBackend&) = delete;
  RegisterBackend& operator=(const RegisterBackend&) = delete;
  const Backend& backend() const { return backend_; }

 private:
  Backend backend_;
};

/// Sorted by name.
std::vector<const Backend*> all_backends();
const Backend* find_backend(std::string_view name_or_alias);

/// Creates a chardev from options with "backend" and "id" among them; "mux=on" puts a mux under
/// that id and the back end under id-base.
Result<Chardev*> open_chardev(Machine& machine, KeyValues options, Opening when = Opening::AtStart);
/// chardev-change: puts a back end of these options (without "id") in the place of `id`'s; the
/// front end moves over. On an error all is as before.
Result<Chardev*> change_chardev(Machine& machine, const std::string& id, KeyValues options);
/// The options that a legacy text ("unix:PATH,server") stands for, without "id".
Result<KeyValues> parse_legacy(std::string_view text);
/// "'x' is not a valid char driver name", with what QEMU's users should know of it.
std::unexpected<Error> no_such_backend(std::string_view name);
/// Before anything is opened, emptied or waited for: an error if something is left.
Result<> expect_no_more(const KeyValues& options);
/// A required option.
Result<std::string> take_required(KeyValues& options, std::string_view backend,
                                  std::string_view key);

/// Chardevs that asked for a human monitor on them ("mon:stdio"); whoever makes monitors takes the
/// list.
class MonitorRequests final : public MachineService {
 public:
  explicit MonitorRequests(Machine&) {}
  std::vector<std::string> ids;
};

/// Tells the user where a new pseudo-terminal is.
void announce(const Chardev& chardev);

/// Every chardev of the machine, oldest first.
std::vector<Chardev*> all_chardevs(Machine& machine);

}  // namespace rhea::chardev
