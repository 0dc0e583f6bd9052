// SPDX-License-Identifier: GPL-2.0-or-later
// The server's side of a WebSocket (RFC 6455): frames by libwslay, the handshake beside it.
#include "chardev/stream_protocol.h"
#include "chardev/websocket_handshake.h"

#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace rhea::chardev {
namespace {

constexpr std::size_t kMaxRequest = 4096;

/// Payload goes on as it comes, whatever a frame's announced length; pings are answered.
class WebSocket final : public StreamProtocol {
 public:
  WebSocket() {
    wslay_event_callbacks callbacks{};
    callbacks.recv_callback = &WebSocket::read;
    callbacks.send_callback = &WebSocket::write;
    callbacks.on_frame_recv_start_callback = &WebSocket::begin_frame;
    callbacks.on_frame_recv_chunk_callback = &WebSocket::take_chunk;
    wslay_event_context_server_init(&context_, &callbacks, this);
    wslay_event_config_set_no_buffering(context_, 1);
    wslay_event_config_set_max_recv_msg_length(context_, std::numeric_limits<i64>::max());
  }
  ~WebSocket() override { wslay_event_context_free(context_); }
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  bool open() const override { return open_; }

  Result<> receive(std::span<const u8> raw, std::vector<u8>& payload, std::string& reply) override {
    if (!open_) return shake_hands(raw, reply);
    input_ = raw;
    payload_ = &payload;
    output_ = &reply;
    const int error = wslay_event_recv(context_);
    wslay_event_send(context_);
    output_ = nullptr;
    payload_ = nullptr;
    if (error != 0) return fail("WebSocket: not the protocol");
    if (wslay_event_get_close_received(context_) != 0 ||
        wslay_event_get_read_enabled(context_) == 0)
      return fail("WebSocket: closed");
    return {};
  }

  void send(std::span<const u8> payload, std::string& raw) override {
    const wslay_event_msg message{
        .opcode = WSLAY_BINARY_FRAME, .msg = payload.data(), .msg_length = payload.size()};
    if (wslay_event_queue_msg(context_, &message) != 0) return;
    output_ = &raw;
    wslay_event_send(context_);
    output_ = nullptr;
  }

 private:
  static WebSocket& self(void* opaque) { return *static_cast<WebSocket*>(opaque); }

  static ssize_t read(wslay_event_context_ptr context, u8* buffer, std::size_t length, int,
                      void* opaque) {
    auto& input = self(opaque).input_;
    const std::size_t count = std::min(length, input.size());
    if (count == 0) {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    std::memcpy(buffer, input.data(), count);
    input = input.subspan(count);
    return static_cast<ssize_t>(count);
  }
  static ssize_t write(wslay_event_context_ptr, const u8* data, std::size_t length, int,
                       void* opaque) {
    self(opaque).output_->append(reinterpret_cast<const char*>(data), length);
    return static_cast<ssize_t>(length);
  }
  static void begin_frame(wslay_event_context_ptr, const wslay_event_on_frame_recv_start_arg* frame,
                          void* opaque) {
    self(opaque).control_ = wslay_is_ctrl_frame(frame->opcode) != 0;
  }
  static void take_chunk(wslay_event_context_ptr, const wslay_event_on_frame_recv_chunk_arg* chunk,
                         void* opaque) {
    WebSocket& socket = self(opaque);
    if (socket.control_) return;
    socket.payload_->insert(socket.payload_->end(), chunk->data, chunk->data + chunk->data_length);
  }

  Result<> shake_hands(std::span<const u8> raw, std::string& reply) {
    request_.append(reinterpret_cast<const char*>(raw.data()), raw.size());
    const auto end = request_.find("\r\n\r\n");
    if (end == std::string::npos)
      return request_.size() > kMaxRequest ? Result<>(fail("WebSocket: the request is too long"))
                                           : Result<>();
    // A client waits for the answer before it sends frames.
    if (end + 4 != request_.size()) return fail("WebSocket: data before the handshake's end");
    const HandshakeAnswer answer = answer_handshake(request_);
    reply += answer.text;
    request_ = {};
    if (!answer.accepted) return fail("WebSocket: the handshake was refused");
    open_ = true;
    return {};
  }

  wslay_event_context_ptr context_{};
  bool open_{false};
  std::string request_;
  std::span<const u8> input_;
  std::vector<u8>* payload_{};
  std::string* output_{};
  bool control_{false};
};

}  // namespace

std::unique_ptr<StreamProtocol> make_websocket() { return std::make_unique<WebSocket>(); }

}  // namespace rhea::chardev
