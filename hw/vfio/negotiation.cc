// SPDX-License-Identifier: GPL-2.0-or-later
// What client and server say of themselves before all else.
#include "hw/misc/process_messages.h"
#include "hw/vfio/link.h"

#include <sys/socket.h>

namespace rhea::hw::vfio {
namespace {

constexpr u16 kMajor = 0, kMinor = 1;
constexpr std::size_t kLongestText = 4096;

Json own_capabilities() {
  return {{"capabilities",
           {{"max_msg_fds", kMostDescriptors},
            {"max_data_xfer_size", kMostTransfer},
            {"pgsizes", 4096},
            {"twin_socket", {{"supported", true}}}}}};
}

bool is_stream_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

Result<u64> number(const Json& capabilities, std::string_view key, u64 otherwise) {
  if (!capabilities.contains(key)) return otherwise;
  const auto value = number_in(capabilities, key);
  if (!value || *value == 0) return fail("'{}' is no number above 0", key);
  return *value;
}

}  // namespace

Result<> Link::negotiate(Time limit) {
  const std::string text = own_capabilities().dump();
  Body body(Version{.major = kMajor, .minor = kMinor});
  body.bytes(text.c_str(), text.size() + 1);
  Message reply = TRY(inquire(Command::Version, body, sizeof(Version), limit));
  const Version theirs = *reply.read<Version>();
  if (theirs.major != kMajor)
    return fail("its server speaks version {}.{} of the protocol, Rhea {}.{}", theirs.major,
                theirs.minor, kMajor, kMinor);
  const auto rest = std::span<const u8>(reply.body).subspan(sizeof(Version));
  if (rest.empty()) return {};
  if (rest.size() > kLongestText || rest.back() != 0)
    return fail("its server sends nonsense: {} bytes of capabilities", rest.size());
  const std::string_view words(reinterpret_cast<const char*>(rest.data()), rest.size() - 1);
  const Json answer = is_deep(words) ? Json() : Json::parse(words, nullptr, false);
  if (!answer.is_object()) return fail("its server sends nonsense: capabilities that are no JSON");
  if (!answer.contains("capabilities")) return {};
  const Json& capabilities = answer["capabilities"];
  if (!capabilities.is_object())
    return fail("its server sends nonsense: 'capabilities' is no object");
  most_descriptors_ = std::min<u64>(TRY(number(capabilities, "max_msg_fds", 1)), kMostDescriptors);
  most_transfer_ = static_cast<u32>(
      std::min<u64>(TRY(number(capabilities, "max_data_xfer_size", MiB)), kMostTransfer));
  return take_twin(capabilities, reply);
}

Result<> Link::take_twin(const Json& capabilities, Message& reply) {
  const auto twin = capabilities.find("twin_socket");
  if (twin == capabilities.end() || !twin->is_object() || twin->value("supported", Json()) != true)
    return {};
  const auto index = number_in(*twin, "fd_index");
  if (!index || *index >= reply.descriptors.size() ||
      !is_stream_socket(reply.descriptors[*index].get()))
    return fail("its server sends nonsense: its 'twin_socket' is no socket");
  {
    const std::lock_guard guard(mutex_);
    channels_[1].socket = std::move(reply.descriptors[*index]);
    twin_ = true;
  }
  wake();
  return {};
}

}  // namespace rhea::hw::vfio
