// SPDX-License-Identifier: GPL-2.0-or-later
// The client's end of a vfio-user socket.
//
// A thread reads what the server sends, and writes what the socket had no room for. Nothing that is
// sent waits: a server that does not read until some MiB are waiting is given up.
#pragma once

#include "hw/misc/peer_link.h"
#include "hw/vfio/messages.h"
#include "util/json.h"

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace rhea::hw::vfio {

class Link final : public PeerLink<Message> {
 public:
  /// How long the server may take for what nobody waits for.
  static constexpr Duration kPatienceLater{10'000};

  /// `name` is what messages call the device. On the main thread, as is the link's end.
  static Result<std::shared_ptr<Link>> connect(Machine& machine, std::string name,
                                               const std::string& path, Callbacks callbacks);
  ~Link() override;

  /// The first thing to do: agrees on a version.
  Result<> negotiate(Time limit);
  /// How many descriptors the server takes with one message, and how many bytes of a region.
  std::size_t most_descriptors() const { return most_descriptors_; }
  u32 most_transfer() const { return most_transfer_; }

  /// Sends a command and waits for the reply; nullopt when there is none and never will be. From
  /// any thread, with the machine's lock or without any.
  std::optional<Message> ask(Command command, std::span<const u8> body,
                             std::optional<Duration> patience = {});
  /// The same while the device starts: what is wrong is an error, and a reply has no less than
  /// `least` bytes.
  Result<Message> inquire(Command command, std::span<const u8> body, std::size_t least, Time limit);
  /// Sends a command whose reply goes to `replied`, under the machine's lock.
  void post(Command command, std::span<const u8> body, std::span<const int> descriptors,
            Handler replied);
  void reply(const Message& request, std::span<const u8> body, u32 error = 0);
  using PeerLink::in_line;
  /// The server has sent what cannot be.
  void nonsense(const std::string& what) { give_up(who() + " sends nonsense: " + what); }
  void refused(const std::string& what) { give_up(who() + " " + what); }

 private:
  /// One of the two sockets.
  struct Channel {
    struct Outgoing {
      std::vector<u8> bytes;
      std::size_t sent{};
      std::vector<FileDescriptor> descriptors;
    };
    FileDescriptor socket;
    std::deque<Outgoing> unsent{};
    // The reader's: the message that is coming in.
    Header header{};
    std::size_t got{};
    Message message{};
  };
  enum class Progress : u8 { Some, None, End };

  Link(Machine& machine, std::string name, Callbacks callbacks);
  void hang_up() override;
  std::string words_of(const Message& request) const override;

  void send(Channel& channel, Header header, std::span<const u8> body,
            std::span<const int> descriptors);
  bool send_some(Channel& channel, Channel::Outgoing& message);
  void send_waiting(Channel& channel);
  void wake();

  void run();
  bool receive(Channel& channel);
  Progress receive_piece(Channel& channel, std::span<u8> into);
  void keep_descriptors(Channel& channel, void* header);
  bool begin_message(Channel& channel);
  bool finish_message(Channel& channel);
  Result<> take_twin(const Json& capabilities, Message& reply);

  std::array<Channel, 2> channels_;  ///< [1]: the server's commands, where it wants that
  std::atomic<bool> twin_{false};
  std::size_t unsent_bytes_{0};
  FileDescriptor wake_;
  std::size_t most_descriptors_{1};
  u32 most_transfer_{kMostTransfer};
  std::jthread reader_;  ///< the last: it uses the others
};

}  // namespace rhea::hw::vfio
