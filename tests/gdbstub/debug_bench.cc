// SPDX-License-Identifier: GPL-2.0-or-later
// Puppets for a debugger.
#include "tests/gdbstub/debug_bench.h"

#include "target/x86/registers.h"

#include <algorithm>

namespace rhea::test {
namespace {

class PuppetVm final : public accel::VmBackend {
 public:
  Result<std::unique_ptr<accel::VcpuBackend>> create_vcpu(unsigned) override {
    return std::make_unique<PuppetCpu>();
  }
};

class PuppetAccelerator final : public accel::Accelerator {
 public:
  static constexpr std::string_view kName = "puppet-accel";
  std::string_view short_name() const override { return "puppet"; }
  Result<std::unique_ptr<accel::VmBackend>> create_vm(Machine&) override {
    return std::make_unique<PuppetVm>();
  }
};

const RegisterType<PuppetAccelerator> accel_registration;
const RegisterType<PeerChardev> chardev_registration;

}  // namespace

PuppetCpu::PuppetCpu() {
  state.xsave.resize(832);
  state.segment[x86::Cs].base = 0xf0000;
  state.segment[x86::Cs].selector = 0xf000;
  state.rip = 0xfff0;
  state.cr0 = x86::cr0::kEt;
}

void PuppetCpu::run() {
  std::unique_lock lock(mutex_);
  runs = true;
  changed_.wait(lock, [this] { return kicked_; });
  kicked_ = false;
  runs = false;
}

void PuppetCpu::kick() {
  {
    const std::lock_guard lock(mutex_);
    kicked_ = true;
  }
  changed_.notify_all();
}

Result<> PuppetCpu::get_state(x86::CpuState& to) {
  to = state;
  return {};
}

Result<> PuppetCpu::set_state(const x86::CpuState& from) {
  state = from;
  return {};
}

std::optional<GuestPhys> PuppetCpu::translate(GuestVirt address) {
  if (address.value < MiB) return GuestPhys(address.value);
  if (address.value - kHigh < MiB) return GuestPhys(address.value - kHigh);
  return std::nullopt;
}

Result<> PuppetCpu::set_single_step(accel::SingleStep how) {
  step = how;
  return {};
}

Result<> PuppetCpu::set_debug_stops(const x86::DebugStops& wanted) {
  if (wanted.code.size() + wanted.watches.size() > most_stops) return fail("too many");
  stops = wanted;
  return {};
}

std::size_t PeerChardev::write(std::span<const u8> data) {
  const std::size_t taken = std::min(data.size(), room - std::min(room, unread_.size()));
  unread_.append(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(taken));
  return taken;
}

std::size_t PeerChardev::say(std::string_view text) {
  const std::size_t count = std::min(front_end().can_receive(), text.size());
  if (count != 0) front_end().receive({reinterpret_cast<const u8*>(text.data()), count});
  return count;
}

std::string PeerChardev::read() {
  std::string all = std::exchange(unread_, {});
  if (front_end().can_send) front_end().can_send();
  return all;
}

std::string packet(std::string_view text) {
  u8 sum = 0;
  for (const char c : text) sum = static_cast<u8>(sum + static_cast<u8>(c));
  return fmt::format("${}#{:02x}", text, sum);
}

DebugBench::DebugBench(unsigned cpus) {
  auto& service = machine().service<accel::AccelService>();
  service.add_candidates("puppet");
  machine().config.cpus = cpus;
  RHEA_ASSERT(service.select().has_value());
  RHEA_ASSERT(service.create_vcpus().has_value());
  peer_ = &machine().container("/chardevs").add_child("gdb", create<PeerChardev>());
  session_ = std::make_unique<gdbstub::Session>(machine(), *peer_, [this] { return layout_; });
  RHEA_ASSERT(session_->start().has_value());
  machine().on_run_state([this](RunState state) {
    if (session_) session_->run_state_changed(state);
  });
  peer_->come();
}

DebugBench::~DebugBench() {
  session_.reset();
  machine().pause();
}

PuppetCpu& DebugBench::cpu(unsigned index) {
  return static_cast<PuppetCpu&>(machine().service<accel::AccelService>().vcpu(index));
}

void DebugBench::turn(int times) {
  for (int i = 0; i < times; ++i) machine().loop().iterate(false);
}

std::string DebugBench::talk(std::string_view bytes) {
  std::string heard;
  for (int idle = 0; idle < 100 && !bytes.empty();) {
    const std::size_t taken = peer_->say(bytes);
    bytes.remove_prefix(taken);
    idle = taken == 0 ? idle + 1 : 0;
    turn(3);
    heard += peer_->read();
  }
  turn();
  return heard + peer_->read();
}

std::string DebugBench::ask(std::string_view text) {
  const std::string answer = talk(packet(text));
  EXPECT_TRUE(answer.starts_with("+$")) << answer;
  const auto end = answer.rfind('#');
  const std::string inner = end == std::string::npos ? "" : answer.substr(2, end - 2);
  EXPECT_EQ(answer, "+" + packet(inner));
  peer_->say("+");
  return inner;
}

std::vector<std::string> DebugBench::heard() {
  turn();
  const std::string all = peer_->read();
  std::vector<std::string> texts;
  for (std::size_t at = all.find('$'); at != std::string::npos; at = all.find('$', at + 1))
    texts.push_back(all.substr(at + 1, all.find('#', at) - at - 1));
  return texts;
}

void DebugBench::stop(unsigned index, const x86::DebugStop& why) {
  cpu(index).stop = why;
  machine().request_pause(RunState::Debug);
  turn();
}

void DebugBench::reconnect() {
  peer_->go();
  static_cast<void>(peer_->read());
  peer_->come();
}

}  // namespace rhea::test
