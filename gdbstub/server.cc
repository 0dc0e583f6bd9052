// SPDX-License-Identifier: GPL-2.0-or-later
// The debugger's server of a machine.
#include "gdbstub/server.h"

#include "accel/accelerator.h"
#include "chardev/backend.h"
#include "gdbstub/session.h"
#include "rhea/softmmu/debugger_link.h"

namespace rhea::gdbstub {
namespace {

constexpr std::string_view kChardev = "gdb";

// A debugger comes when it wants to, and each of its packets waits for the answer to the one
// before.
Result<Chardev*> open_chardev(Machine& machine, const std::string& device) {
  KeyValues options = TRY(chardev::parse_legacy(device));
  options.add("id", std::string(kChardev));
  if (device.starts_with("tcp:")) {
    const auto unless_given = [&](const char* key, const char* value) {
      if (options.find(key) == nullptr) options.add(key, value);
    };
    unless_given("server", "on");
    if (*options.find("server") == "on") unless_given("wait", "off");
    unless_given("nodelay", "on");
  }
  return chardev::open_chardev(machine, std::move(options));
}

}  // namespace

Server::Server(Machine& machine) : machine_(&machine) {
  machine.on_run_state([this](RunState state) {
    if (session_) session_->run_state_changed(state);
  });
  auto& link = machine.service<DebuggerLink>();
  link.serve = [this](const std::string& device) { return serve(device); };
  link.choose_layout = [this](const std::string& name) { return choose_layout(name); };
}

Server::~Server() = default;

Result<> Server::start() {
  if (requested_.empty()) return {};
  if (auto result = serve(requested_); !result)
    return std::unexpected(std::move(result).error().within("-gdb " + requested_));
  return {};
}

Result<> Server::serve(const std::string& device) {
  if (session_ && session_->busy())
    return fail("a debugger cannot change the connection that it speaks on");
  close();
  return device == "none" ? Result<>() : open(device);
}

Result<> Server::open(const std::string& device) {
  if (machine_->vcpus().empty()) return fail("there is no processor to debug");
  Chardev* chardev = nullptr;
  if (device.starts_with("chardev:")) {
    chardev = find_chardev(*machine_, device.substr(8));
    if (chardev == nullptr) return fail("chardev \"{}\" not found", device.substr(8));
  } else {
    chardev = TRY(open_chardev(*machine_, device));
    own_chardev_ = kChardev;
    chardev::announce(*chardev);
  }
  session_ = std::make_unique<Session>(*machine_, *chardev, [this] { return layout_; });
  auto result = session_->start();
  if (!result) close();
  return result;
}

void Server::close() {
  session_.reset();
  if (own_chardev_.empty()) return;
  if (Chardev* chardev = find_chardev(*machine_, std::exchange(own_chardev_, {})))
    chardev->parent()->remove_child(*chardev);
}

Result<std::string> Server::choose_layout(const std::string& name) {
  if (name == "auto") {
    layout_.reset();
  } else if (!name.empty()) {
    const auto layout = layout_of(name);
    if (!layout) return fail("'{}' is no layout: there are auto, x86-64, i386, i8086", name);
    layout_ = layout;
  }
  return std::string(layout_ ? layout_name(*layout_) : "auto");
}

void Server::shutdown() {
  if (session_) session_->say_goodbye();
  session_.reset();
}

}  // namespace rhea::gdbstub
