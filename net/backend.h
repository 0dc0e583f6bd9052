// SPDX-License-Identifier: GPL-2.0-or-later
// The table of back ends that -netdev can name.
#pragma once

#include "rhea/net/netdev.h"
#include "rhea/util/keyval.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::net {

/// A row of the table. `create` takes what it knows out of the options; what it leaves is an error.
struct Backend {
  std::string_view name;
  Result<std::unique_ptr<Netdev>> (*create)(Machine& machine, const std::string& id,
                                            KeyValues& options);
};

class RegisterBackend {
 public:
  explicit RegisterBackend(const Backend& backend);
  RegisterBackend(const RegisterBackend&) = delete;
  RegisterBackend& operator=(const RegisterBackend&) = delete;

 private:
  Backend backend_;
};

/// Sorted by name.
std::vector<const Backend*> all_backends();
/// What `help` prints of them.
std::string backends_help();

/// nullptr when there is none of the name.
const Backend* find_backend(std::string_view name);

/// Creates a back end from options with "type" and "id" among them. Main thread, machine's lock.
Result<Netdev*> open_netdev(Machine& machine, KeyValues options);
/// The same of options without these two, under a free id, which may be one that users cannot
/// write.
Result<Netdev*> open_netdev(Machine& machine, std::string_view id, std::string_view type,
                            KeyValues options);
/// The id, when a back end may have it.
Result<std::string> checked_netdev_id(Machine& machine, std::string id);
/// netdev_del: the card that uses it goes on with its link down.
Result<> remove_netdev(Machine& machine, std::string_view id);
/// The oldest first.
std::vector<Netdev*> all_netdevs(Machine& machine);

/// Filters that -object makes before -netdev makes what they look at. Main thread, machine's lock.
class WaitingFilters final : public MachineService {
 public:
  explicit WaitingFilters(Machine& machine);
  /// `found` is called now or when there is a back end of that id. Once the machine runs, an id of
  /// none is an error.
  Result<> add(std::string id, const FrameFilter& filter, std::function<void(Netdev&)> found);
  void forget(const FrameFilter& filter);
  void opened(Netdev& netdev);

 private:
  struct One {
    std::string id;
    const FrameFilter* filter;
    std::function<void(Netdev&)> found;
  };
  Machine& machine_;
  std::vector<One> all_;
};

}  // namespace rhea::net
