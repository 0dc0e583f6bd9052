// SPDX-License-Identifier: GPL-2.0-or-later
// A vfio-user server for the conformance suite: a device that has registers, INTx and no state.
#pragma once

#include <memory>
#include <string>

namespace rhea::test {

/// Serves one client, on a thread of its own, while it lives.
class VfioPeer {
 public:
  VfioPeer();
  ~VfioPeer();
  /// Of its socket.
  const std::string& path() const { return path_; }

 private:
  struct Server;
  std::string path_;
  std::unique_ptr<Server> server_;
};

}  // namespace rhea::test
