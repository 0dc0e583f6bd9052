// SPDX-License-Identifier: GPL-2.0-or-later
// All monitors of a machine.
#include "monitor/monitors.h"

#include "block/block_service.h"
#include "chardev/backend.h"
#include "monitor/hmp/session.h"
#include "monitor/qmp/event.h"
#include "monitor/qmp/session.h"
#include "rhea/block/block_backend.h"
#include "rhea/softmmu/debugger_link.h"
#include "rhea/softmmu/suspension.h"
#include "rhea/softmmu/tool_events.h"
#include "ui/vnc/servers.h"

#include <chrono>

namespace rhea {
namespace {

Json timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  return {{"seconds", us / 1'000'000}, {"microseconds", us % 1'000'000}};
}

std::string_view event_name(MachineEvent event) {
  switch (event) {
    case MachineEvent::Resume: return "RESUME";
    case MachineEvent::Stop: return "STOP";
    case MachineEvent::Reset: return "RESET";
    case MachineEvent::Shutdown: return "SHUTDOWN";
    case MachineEvent::Powerdown: return "POWERDOWN";
  }
  return {};
}

using qmp::RegisterQmpEvent;

const RegisterQmpEvent events[] = {
    RegisterQmpEvent({.name = "RESUME"}),
    RegisterQmpEvent({.name = "STOP"}),
    RegisterQmpEvent({.name = "RESET", .data = {{"guest", "bool"}, {"reason", "ShutdownCause"}}}),
    RegisterQmpEvent(
        {.name = "SHUTDOWN", .data = {{"guest", "bool"}, {"reason", "ShutdownCause"}}}),
    RegisterQmpEvent({.name = "POWERDOWN"}),
    RegisterQmpEvent({.name = "SUSPEND"}),
    RegisterQmpEvent({.name = "WAKEUP"}),
    RegisterQmpEvent({.name = "DEVICE_TRAY_MOVED",
                      .data = {{"device", "str"}, {"id", "str"}, {"tray-open", "bool"}}}),
    RegisterQmpEvent({.name = "BLOCK_IO_ERROR",
                      .data = {{"device", "str"},
                               {"node-name", "str", true},
                               {"operation", "str"},
                               {"action", "str"},
                               {"nospace", "bool", true},
                               {"reason", "str"}}}),
    RegisterQmpEvent({.name = "RTC_CHANGE", .data = {{"offset", "int"}, {"qom-path", "str"}}}),
    RegisterQmpEvent({.name = "VSERPORT_CHANGE", .data = {{"id", "str"}, {"open", "bool"}}}),
};

}  // namespace

Monitors::Monitors(Machine& machine) : machine_(&machine) {
  machine.on_event(
      [this](MachineEvent event, ShutdownCause cause) { machine_event(event, cause); });
  machine.service<block::BlockService>().on_tray_moved([this](const BlockBackend& drive,
                                                              bool open) {
    send_event("DEVICE_TRAY_MOVED",
               {{"device", drive.shown_name()}, {"id", drive.device_name()}, {"tray-open", open}});
  });
  machine.service<ToolEvents>().observe(
      [this](const std::string& name, const ToolEvents::Data& data) {
        Json object = Json::object();
        for (const auto& [key, value] : data) object[key] = qmp::to_json(value);
        send_event(name, object);
      });
  machine.service<ui::vnc::Servers>().observe(
      [this](const std::string& name, const Json& data) { send_event(name, data); });
  machine.service<Suspension>().observe(
      {.suspended = [this] { send_event("SUSPEND", {}); },
       .woken = [this](WakeSource) { send_event("WAKEUP", {}); }});
  machine.service<DebuggerLink>().run_command = hmp::command_runner(machine);
}
Monitors::~Monitors() = default;

Result<> Monitors::add(Chardev& chardev, MonitorMode mode) {
  if (mode == MonitorMode::Human) {
    human_.push_back(std::make_unique<hmp::Session>(*machine_, chardev));
    return human_.back()->start();
  }
  qmp_.push_back(
      std::make_unique<qmp::Session>(*machine_, chardev, mode == MonitorMode::QmpPretty));
  return qmp_.back()->start();
}

void Monitors::request(std::string chardev_id, MonitorMode mode) {
  requests_.emplace_back(std::move(chardev_id), mode);
}

Result<> Monitors::start() {
  for (std::string& id : machine_->service<chardev::MonitorRequests>().ids)
    request(std::move(id), MonitorMode::Human);
  machine_->service<chardev::MonitorRequests>().ids.clear();
  for (const auto& [id, mode] : std::exchange(requests_, {})) {
    Chardev* chardev = find_chardev(*machine_, id);
    if (chardev == nullptr) return fail("-mon: chardev \"{}\" not found", id);
    TRY(add(*chardev, mode));
  }
  return {};
}

void Monitors::send_event(std::string_view name, const Json& data) {
  RHEA_ASSERT(qmp::find_qmp_event(name) != nullptr);
  Json event = {{"timestamp", timestamp()}, {"event", name}};
  if (!data.is_null()) event["data"] = data;
  for (const auto& session : qmp_) session->send_event(event);
}

void Monitors::machine_event(MachineEvent event, ShutdownCause cause) {
  Json data;
  if (event == MachineEvent::Reset || event == MachineEvent::Shutdown)
    data = {{"guest", by_guest(cause)}, {"reason", enum_name(cause)}};
  send_event(event_name(event), data);
}

void Monitors::shutdown() {
  for (const auto& session : qmp_) session->finish();
  for (const auto& session : human_) session->finish();
  qmp_.clear();
  human_.clear();
}

}  // namespace rhea
