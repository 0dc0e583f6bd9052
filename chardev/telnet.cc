// SPDX-License-Identifier: GPL-2.0-or-later
// Telnet (RFC 854) on a stream: a character-at-a-time, eight-bit clean line.
//
// Debian's libtelnet is not used: it takes up compression (MCCP2) that a peer begins unasked, and
// a kilobyte of a hostile one would become megabytes for the guest.
#include "chardev/stream_protocol.h"

namespace rhea::chardev {
namespace {

enum Command : u8 {
  kEndSub = 240,
  kBreak = 243,
  kAreYouThere = 246,
  kSub = 250,
  kWill = 251,
  kWont = 252,
  kDo = 253,
  kDont = 254,
  kIac = 255,
};
enum Option : u8 { kBinary = 0, kEcho = 1, kSuppressGoAhead = 3 };

/// Offers what QEMU offers: echo on our side, no go-ahead, binary both ways; other options of the
/// peer are declined. Subnegotiations are skipped.
class Telnet final : public StreamProtocol {
 public:
  std::string greeting() override {
    std::string text;
    for (const Option option : {kEcho, kSuppressGoAhead, kBinary}) put(text, kWill, option);
    put(text, kDo, kBinary);
    return text;
  }

  Result<> receive(std::span<const u8> raw, std::vector<u8>& payload, std::string& reply) override {
    for (const u8 byte : raw) take(byte, payload, reply);
    return {};
  }

  void send(std::span<const u8> payload, std::string& raw) override {
    for (const u8 byte : payload) {
      raw += static_cast<char>(byte);
      if (byte == kIac) raw += static_cast<char>(byte);
    }
  }

  bool take_break() override { return std::exchange(break_, false); }

 private:
  enum class State : u8 { Data, Return, Iac, Option, Sub, SubIac };

  static void put(std::string& text, Command command, u8 option) {
    text += static_cast<char>(kIac);
    text += static_cast<char>(command);
    text += static_cast<char>(option);
  }

  void take(u8 byte, std::vector<u8>& payload, std::string& reply) {
    switch (state_) {
      case State::Return:
        state_ = State::Data;
        // In a line that is not binary, a bare carriage return is sent with a zero after it.
        if (byte == 0 && !binary_) return;
        [[fallthrough]];
      case State::Data:
        if (byte == kIac)
          state_ = State::Iac;
        else
          pass(byte, payload);
        return;
      case State::Iac: return command(byte, payload, reply);
      case State::Option: state_ = State::Data; return negotiate(byte, reply);
      case State::Sub:
        if (byte == kIac) state_ = State::SubIac;
        return;
      case State::SubIac: state_ = byte == kEndSub ? State::Data : State::Sub; return;
    }
  }

  void pass(u8 byte, std::vector<u8>& payload) {
    payload.push_back(byte);
    if (byte == '\r') state_ = State::Return;
  }

  void command(u8 byte, std::vector<u8>& payload, std::string& reply) {
    state_ = State::Data;
    switch (byte) {
      case kIac: return pass(byte, payload);
      case kSub: state_ = State::Sub; return;
      case kWill:
      case kWont:
      case kDo:
      case kDont:
        verb_ = static_cast<Command>(byte);
        state_ = State::Option;
        return;
      case kBreak: break_ = true; return;
      case kAreYouThere: reply += "\r\n[Yes]\r\n"; return;
      default: return;
    }
  }

  // What we offered ourselves is not answered again, or two ends would do so for ever.
  void negotiate(u8 option, std::string& reply) {
    const bool ours = option == kEcho || option == kSuppressGoAhead || option == kBinary;
    switch (verb_) {
      case kWill:
        if (option == kBinary)
          binary_ = true;
        else if (option == kSuppressGoAhead)
          accept_once(reply);
        else
          put(reply, kDont, option);
        return;
      case kWont:
        if (option == kBinary) binary_ = false;
        return;
      case kDo:
        if (!ours) put(reply, kWont, option);
        return;
      default: return;
    }
  }
  void accept_once(std::string& reply) {
    if (!std::exchange(go_ahead_settled_, true)) put(reply, kDo, kSuppressGoAhead);
  }

  State state_{State::Data};
  Command verb_{};
  bool binary_{false};  ///< what the peer sends
  bool go_ahead_settled_{false};
  bool break_{false};
};

}  // namespace

std::unique_ptr<StreamProtocol> make_telnet() { return std::make_unique<Telnet>(); }

}  // namespace rhea::chardev
