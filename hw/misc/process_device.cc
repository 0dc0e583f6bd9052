// SPDX-License-Identifier: GPL-2.0-or-later
// PCI devices that are modelled by a process of their own: -device python and external-device.
#include "hw/misc/process_link.h"
#include "hw/misc/process_messages.h"
#include "hw/misc/python_folder.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace rhea::hw {
namespace {

constexpr std::chrono::milliseconds kStartPatience{10'000}, kHotPlugPatience{1000};
constexpr u64 kMostBytes = 64 * KiB, kMostState = 64 * KiB;
constexpr u64 kLongestTimer = u64{1} << 62;

/// The protocol stands in docs/process-devices.md. A process that dies, hangs or sends nonsense is
/// given up with one warning: the device's registers are all ones from then on.
/// State: what the process gives, its timers, and all of PCI's. Missing: RAM BARs, MSI-X, 64-bit
/// BARs.
class ProcessDevice : public PciDevice {
 public:
  static constexpr std::string_view kName = "process-device";
  using Extendable = ProcessDevice;
  static void describe(Schema<ProcessDevice>& s) {
    s.help("a device modelled by a process");
    s.state("model", &ProcessDevice::model_).range(0, kMostState);
    s.state("timers", &ProcessDevice::timers_);
  }

  Result<> realize() override;
  void reset(ResetKind kind) override;
  void pre_save() override;
  Result<> post_load(unsigned version) override;

 protected:
  struct Program {
    std::vector<std::string> words;
    std::vector<std::string> variables{};
  };
  /// What to start; an error names the property that is missing.
  virtual Result<Program> program() const = 0;

 private:
  /// A base address register's handlers.
  struct Window {
    ProcessDevice* device{};
    unsigned bar{};
    Region region;
    MemResult read(Access& access) { return device->access(bar, access, false); }
    MemResult write(Access& access) { return device->access(bar, access, true); }
  };

  Result<> connect();
  Result<> add_parts(const ProcessIdentity& identity);
  MemResult access(unsigned bar, Access& access, bool write);
  bool request(const Json& message);
  bool interrupt(const Json& message);
  bool transfer(const Json& message, bool write);
  bool arm(const Json& message);
  void answer(const Json& message, Json more);
  void lost();

  std::shared_ptr<ProcessLink> link_;
  std::array<Window, 6> windows_;
  std::array<Timer, 8> timers_;
  std::vector<u8> model_;
  bool has_interrupt_{false};
  unsigned messages_{0};
};

Result<> ProcessDevice::realize() {
  for (unsigned i = 0; i < timers_.size(); ++i)
    timers_[i].init(machine().virtual_clock(), [this, i] {
      if (link_) link_->tell({{"do", "timer"}, {"timer", i}});
    });
  return connect();
}

Result<> ProcessDevice::connect() {
  Program wanted = TRY(program());
  wanted.variables.push_back(fmt::format("RHEA_DEVICE_SOCKET={}", ProcessLink::kSocket));
  const std::string name = id().empty() ? std::string(type().name) : id();
  link_ =
      TRY(ProcessLink::start(machine(), name, wanted.words, wanted.variables,
                             {.request = [this](const Json& message) { return request(message); },
                              .lost = [this] { lost(); }}));
  // A vCPU may still be in an access: it has the link until the regions have gone.
  on_unrealize([this] { link_->close(); });
  // While the machine runs nobody waits for long.
  const auto patience =
      machine().run_state() == RunState::Prelaunch ? kStartPatience : kHotPlugPatience;
  const auto answer = link_->ask({{"do", "describe"}, {"protocol", 1}}, patience);
  if (!answer) return fail("'{}': {}", wanted.words.back(), link_->reason());
  auto identity = parse_identity(*answer);
  if (!identity)
    return std::unexpected(std::move(identity).error().within(
        fmt::format("'{}' says what it is", wanted.words.back())));
  link_->connected();
  set_identity(identity->pci);
  TRY(PciDevice::realize());
  return add_parts(*identity);
}

Result<> ProcessDevice::add_parts(const ProcessIdentity& identity) {
  has_interrupt_ = identity.interrupt;
  messages_ = identity.messages;
  if (has_interrupt_) set_interrupt_pin(1);
  if (messages_ != 0) add_msi(messages_);
  for (unsigned n = 0; n < windows_.size(); ++n) {
    const auto& wanted = identity.bars[n];
    if (wanted.size == 0) continue;
    Window& window = windows_[n];
    window.device = this;
    window.bar = n;
    const AccessSizes sizes{.min = 1, .max = static_cast<u8>(wanted.io ? 4 : 8)};
    window.region.init_io(this, fmt::format("{}-bar{}", type().name, n), wanted.size,
                          io<&Window::read, &Window::write>(sizes), &window);
    // A vCPU waits for the process, and nobody for that vCPU.
    window.region.set_lock_domain(nullptr);
    TRY(bar(n, window.region, wanted.io ? BarKind::Io : BarKind::Memory32));
  }
  return {};
}

void ProcessDevice::reset(ResetKind kind) {
  for (Timer& timer : timers_) timer.cancel();
  // What it asked for before its reset is done before, too.
  if (link_) link_->ask({{"do", "reset"}, {"kind", kind == ResetKind::Cold ? "cold" : "warm"}});
  for (Timer& timer : timers_) timer.cancel();
  set_intx(false);
}

void ProcessDevice::pre_save() {
  model_.clear();
  if (!link_) return;
  const auto answer = link_->ask({{"do", "save"}});
  if (!answer || !answer->contains("state")) return;
  const std::string text = (*answer)["state"].dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kMostState) {
    report_warning(
        fmt::format("{}: its process has {} bytes of state, the most is {}: none is saved", path(),
                    text.size(), kMostState));
    return;
  }
  model_.assign(text.begin(), text.end());
}

Result<> ProcessDevice::post_load(unsigned) {
  Json state = model_.empty() ? Json() : Json::parse(model_, nullptr, false);
  if (state.is_discarded()) return fail("the state of its process is no JSON");
  if (!link_) return {};
  const auto answer = link_->ask({{"do", "load"}, {"state", std::move(state)}});
  if (answer && answer->contains("error"))
    return fail("its process does not take the state: {}", text_in(*answer, "error").value_or(""));
  return {};
}

MemResult ProcessDevice::access(unsigned bar, Access& access, bool write) {
  Json message = {{"do", write ? "write" : "read"},
                  {"bar", bar},
                  {"offset", access.offset},
                  {"size", access.size}};
  if (write) message["value"] = access.value;
  const auto answer = link_->ask(std::move(message));
  if (write) return MemResult::Ok;
  const auto value = answer ? number_in(*answer, "value") : std::nullopt;
  access.value = value.value_or(~u64{0});
  return MemResult::Ok;
}

// ---- What the process asks for

bool ProcessDevice::request(const Json& message) {
  const std::string what = text_in(message, "do").value_or("");
  if (what == "interrupt") return interrupt(message);
  if (what == "dma-read" || what == "dma-write") return transfer(message, what == "dma-write");
  if (what == "arm" || what == "cancel") return arm(message);
  if (what == "clock") {
    answer(message, {{"now", machine().virtual_clock().now_ns()}});
    return true;
  }
  if (what == "log") {
    log_guest(id().empty() ? type().name : id(), "{}", text_in(message, "text").value_or(""));
    return true;
  }
  return false;
}

bool ProcessDevice::interrupt(const Json& message) {
  const auto level = message.find("level");
  const auto vector = message.contains("vector") ? number_in(message, "vector", 31) : u64{0};
  if (level == message.end() || !level->is_boolean() || !vector) return false;
  if (!has_interrupt_ && messages_ == 0) return false;
  if (!level->get<bool>())
    set_intx(false);
  else if (!notify_msi(static_cast<unsigned>(*vector)) && has_interrupt_)
    set_intx(true);
  return true;
}

bool ProcessDevice::transfer(const Json& message, bool write) {
  const auto address = number_in(message, "address");
  const auto text = text_in(message, "data");
  std::optional<std::vector<u8>> data;
  if (write)
    data = text ? from_hex(*text) : std::nullopt;
  else if (const auto length = number_in(message, "length", kMostBytes))
    data.emplace(*length);
  if (!address || !data || data->size() > kMostBytes) return false;
  const MemResult result = write ? dma().write(*address, *data) : dma().read(*address, *data);
  if (result != MemResult::Ok)
    answer(message,
           {{"error", dma().enabled() ? "nothing answers there" : "bus mastering is off"}});
  else
    answer(message, write ? Json::object() : Json{{"data", to_hex(*data)}});
  return true;
}

bool ProcessDevice::arm(const Json& message) {
  const auto timer = number_in(message, "timer", timers_.size() - 1);
  if (!timer) return false;
  if (message["do"] == "cancel") {
    timers_[*timer].cancel();
    return true;
  }
  const auto delay = number_in(message, "in", kLongestTimer);
  if (!delay) return false;
  timers_[*timer].arm_in(static_cast<i64>(*delay));
  return true;
}

void ProcessDevice::answer(const Json& message, Json more) {
  if (const auto id = number_in(message, "id")) {
    more["answer"] = *id;
    link_->tell(more);
  }
}

void ProcessDevice::lost() {
  for (Timer& timer : timers_) timer.cancel();
  set_intx(false);
}

/// A script, with the module that speaks the protocol on Python's path.
class PythonDevice final : public ProcessDevice {
 public:
  static constexpr std::string_view kName = "python";
  static void describe(Schema<PythonDevice>& s) {
    s.help("PCI device modelled by a Python script");
    s.property("script", &PythonDevice::script_, std::string()).help("the script's file");
    s.property("interpreter", &PythonDevice::interpreter_, std::string("python3"))
        .help("program that runs it");
  }

 protected:
  Result<Program> program() const override {
    if (script_.empty())
      return fail("Parameter 'script' is missing: the file of the device's script");
    TRY(ask_file_system<bool>(script_, [script = script_]() -> Result<bool> {
      if (::access(script.c_str(), R_OK) == 0) return true;
      return fail("script '{}': {}", script, errno_text(errno));
    }));
    std::string path = RHEA_PYTHON_FOLDER;
    if (const char* inherited = std::getenv("PYTHONPATH"))
      path = fmt::format("{}:{}", inherited, path);
    return Program{.words = {interpreter_, "-u", script_}, .variables = {"PYTHONPATH=" + path}};
  }

 private:
  std::string script_;
  std::string interpreter_;
};

/// Any program that speaks the protocol.
class ExternalDevice final : public ProcessDevice {
 public:
  static constexpr std::string_view kName = "external-device";
  static void describe(Schema<ExternalDevice>& s) {
    s.help("PCI device modelled by a program");
    s.property("program", &ExternalDevice::program_, std::string()).help("the program's file");
  }

 protected:
  Result<Program> program() const override {
    if (program_.empty())
      return fail("Parameter 'program' is missing: the program that is the device");
    return Program{.words = {program_}};
  }

 private:
  std::string program_;
};

const RegisterAbstractType<ProcessDevice, PciDevice> base;
const RegisterType<PythonDevice> python;
const RegisterType<ExternalDevice> external;

}  // namespace
}  // namespace rhea::hw
