// SPDX-License-Identifier: GPL-2.0-or-later
// The socket between a device and the process that models it, which Rhea starts: a line of JSON
// each way.
#pragma once

#include "hw/misc/peer_link.h"
#include "rhea/util/file_descriptor.h"
#include "util/child_process.h"
#include "util/json.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rhea::hw {

class ProcessLink final : public PeerLink<Json> {
 public:
  /// The number of the process's end of the socket; RHEA_DEVICE_SOCKET says it, too.
  static constexpr int kSocket = 3;

  /// `name` is what messages call the device. On the main thread, as is the link's end.
  static Result<std::shared_ptr<ProcessLink>> start(Machine& machine, std::string name,
                                                    const std::vector<std::string>& words,
                                                    std::span<const std::string> variables,
                                                    Callbacks callbacks);
  ~ProcessLink() override { close(); }

  /// Sends a request and waits for the answer; nullopt when there is none and never will be. From
  /// any thread, with the machine's lock or without any.
  std::optional<Json> ask(Json request, std::optional<Duration> patience = {});
  /// Sends what has no answer.
  void tell(const Json& message);

 private:
  using PeerLink::PeerLink;

  void hang_up() override;
  std::string words_of(const Json& request) const override;
  void read_lines();
  bool take_line(std::string_view line);
  std::string last_words();

  FileDescriptor socket_;
  std::optional<ChildProcess> child_;  ///< the reader's, once that runs
  std::jthread reader_;                ///< the last: it uses the others
};

}  // namespace rhea::hw
