// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that take long: each works on a thread of its own while the machine and the other
// monitors go on. machine.service<LongWork>().
#pragma once

#include "monitor/qmp/later.h"
#include "rhea/softmmu/ending.h"
#include "rhea/softmmu/machine.h"

#include <functional>
#include <future>
#include <list>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace rhea::monitor {

class LongWork final : public MachineService {
 public:
  /// Called on its thread with no lock held, and destroyed there. It takes the machine's for slices
  /// of a millisecond or so, and gives up when it is asked to stop (the program ends): from then on
  /// it touches nothing of the machine, which does not wait for a file system that does not answer.
  using Work = std::function<Result<qmp::Json>(const std::stop_token& stop)>;

  explicit LongWork(Machine& machine) : machine_(&machine), ending_(&machine.service<Ending>()) {}
  ~LongWork() override;
  void shutdown() override;

  /// On the main thread. `file` is what the work may have to wait for, "" for nothing of the
  /// host's. The answer is what `work` returns. An error when too much is under way.
  Result<std::shared_ptr<qmp::Later>> start(const std::string& file, Work work);

 private:
  // Each client waits for its command, but may go away and come back. A file system that does not
  // answer leaves the others to the others.
  static constexpr std::size_t kMostOfOne = 8;
  static constexpr std::size_t kMost = 32;

  struct Piece {
    std::string file;
    std::string file_system;  ///< where that is mounted
    std::jthread thread;
    std::future<void> ended;
  };

  Result<> check_room(const std::string& file_system) const;

  Machine* machine_;
  Ending* ending_;
  std::list<Piece> pieces_;
};

/// What a piece of work answers when it was asked to stop.
inline std::unexpected<Error> stopped() { return fail("the program ends"); }

}  // namespace rhea::monitor
