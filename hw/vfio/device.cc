// SPDX-License-Identifier: GPL-2.0-or-later
// PCI devices of vfio-user servers: -device vfio-user-pci.
#include "hw/vfio/capabilities.h"
#include "hw/vfio/dma_table.h"
#include "hw/vfio/identity.h"
#include "rhea/util/log.h"
#include "rhea/util/message_limit.h"

#include <algorithm>
#include <bit>

namespace rhea::hw {
namespace {

using namespace vfio;

constexpr std::chrono::milliseconds kStartPatience{10'000}, kHotPlugPatience{1000};

/// A device that another program models, over the vfio-user protocol (version 0.1). A server that
/// dies, hangs or sends nonsense is given up with one warning: the device's registers are all ones
/// from then on. Configuration space, base addresses, MSI and MSI-X are Rhea's own.
/// State: PCI's. Missing: the server's state in snapshots, ioregionfds, configuration space beyond
/// 256 bytes, option ROMs.
class VfioUserDevice final : public PciDevice {
 public:
  static constexpr std::string_view kName = "vfio-user-pci";
  static void describe(Schema<VfioUserDevice>& s) {
    s.help("PCI device modelled by a vfio-user server");
    s.property("socket", &VfioUserDevice::socket_, std::string())
        .help("the path of the server's socket");
  }

  Result<> realize() override;
  void reset(ResetKind kind) override;
  void pre_save() override;
  Result<> post_load(unsigned version) override;
  void config_write(unsigned reg, u32 value, unsigned size) override;

 private:
  /// A base address register's handlers, and the parts of it that are memory.
  struct Window {
    VfioUserDevice* device{};
    u32 index{};
    u64 size{};
    bool readable{}, writable{};
    std::vector<FileDescriptor> events;  ///< that writes signal; the region ends before them
    rhea::Region region, memory;
    std::vector<std::unique_ptr<rhea::Region>> areas;
    MemResult read(Access& access) { return device->access(*this, access, false); }
    MemResult write(Access& access) { return device->access(*this, access, true); }
  };

  Result<> connect();
  Result<> add_parts(Identity& identity);
  Result<> add_window(u32 n, ServerBar& bar);
  Result<> add_memory(Window& window, ServerBar& bar);
  void follow();
  void follow_interrupts();
  void leave_interrupts();
  MemResult access(Window& window, Access& access, bool write);
  std::optional<Message> transfer(const Window& window, const Access& access, bool write);
  bool request(Message& message);
  void signalled(unsigned number);
  void end_intx();
  void tell_command();
  Interrupts::Kind interrupt_kind() const;
  void lost();

  std::string socket_;
  std::shared_ptr<Link> link_;
  std::array<Window, 6> windows_;
  DmaTable dma_table_;
  Interrupts interrupts_;
  Mirror command_;
  u16 told_command_{0};
  unsigned messages_{0};
  bool has_intx_{false};
  bool can_reset_{false};
  bool resetting_{false};
  bool routed_{false};
  std::atomic<bool> intx_pending_{false};
  MessageLimit save_warnings_;
};

Result<> VfioUserDevice::realize() {
  if (socket_.empty())
    return fail("Parameter 'socket' is missing: the path of the vfio-user server's socket");
  if (auto result = connect(); !result)
    return std::unexpected(std::move(result).error().within(fmt::format("socket '{}'", socket_)));
  return {};
}

Result<> VfioUserDevice::connect() {
  TRY(DmaTable::check(pci_bus().dma_space()));
  const std::string name = id().empty() ? std::string(type().name) : id();
  link_ = TRY(Link::connect(machine(), name, socket_,
                            {.request = [this](Message& message) { return request(message); },
                             .lost = [this] { lost(); }}));
  // A vCPU may still be in an access: it has the link until the regions have gone.
  on_unrealize([this] {
    dma_table_.leave();
    leave_interrupts();
    link_->close();
    for (Window& window : windows_) window.areas.clear();
  });
  // While the machine runs nobody waits for long.
  const auto limit =
      std::chrono::steady_clock::now() +
      (machine().run_state() == RunState::Prelaunch ? kStartPatience : kHotPlugPatience);
  TRY(link_->negotiate(limit));
  Identity identity = TRY(inquire_identity(*link_, limit));
  link_->connected();
  set_identity(identity.pci);
  TRY(PciDevice::realize());
  TRY(add_parts(identity));
  follow();
  return {};
}

Result<> VfioUserDevice::add_parts(Identity& identity) {
  can_reset_ = identity.can_reset;
  for (u32 n = 0; n < windows_.size(); ++n)
    if (identity.bars[n].size != 0) TRY(add_window(n, identity.bars[n]));
  Capabilities found = read_capabilities(identity);
  has_intx_ = identity.config[pci::kInterruptPin] != 0 && identity.interrupts.of[0] != 0;
  if (has_intx_) set_interrupt_pin(std::min<u8>(identity.config[pci::kInterruptPin], 4));
  if (found.power_management) add_power_management();
  if (found.express) add_express(*found.express);
  if (found.msi_vectors != 0) add_msi(found.msi_vectors);
  if (found.msix_vectors != 0 && found.msix_in_place)
    add_msix(found.msix_vectors, found.msix_bar, found.msix_offset);
  else if (found.msix_vectors != 0)
    TRY(add_msix_bar(found.msix_vectors, found.msix_bar));
  for (const auto& bytes : found.vendor) add_vendor_capability(bytes);
  messages_ = std::max(found.msi_vectors, found.msix_vectors);
  const Interrupts::Counts counts{
      .of = {has_intx_ ? 1U : 0U, found.msi_vectors, found.msix_vectors},
      .masks_itself = identity.interrupts.masks_itself};
  return interrupts_.join(*link_, machine().loop(), counts,
                          [this](unsigned number) { signalled(number); });
}

// A size that is no power of two is rounded up: behind its end are all ones.
Result<> VfioUserDevice::add_window(u32 n, ServerBar& info) {
  const bool ports = info.kind == BarKind::Io;
  Window& window = windows_[n];
  window.device = this;
  window.index = n;
  window.size = info.size;
  window.readable = info.readable;
  window.writable = info.writable;
  const u64 size = std::bit_ceil(std::max<u64>(info.size, ports ? 4 : 16));
  window.region.init_io(
      this, fmt::format("{}-bar{}", type().name, n), size,
      io<&Window::read, &Window::write>({.min = 1, .max = static_cast<u8>(ports ? 4 : 8)}),
      &window);
  // A vCPU waits for the server, and nobody for that vCPU.
  window.region.set_lock_domain(nullptr);
  window.events = std::move(info.event_files);
  for (const IoEventFd& event : info.events) window.region.add_eventfd(event);
  TRY(bar(n, window.region, info.kind));
  return info.areas.empty() ? Result<>() : add_memory(window, info);
}

Result<> VfioUserDevice::add_memory(Window& window, ServerBar& info) {
  const std::string name = fmt::format("{}-bar{}-memory", type().name, window.index);
  RamOptions options{.backing = RamBacking::File,
                     .path = fmt::format("/proc/self/fd/{}", info.memory.get()),
                     .share = true};
  TRY(window.memory.init_ram(this, name, info.memory_offset + info.size, options));
  for (const ServerBar::Area& area : info.areas) {
    auto& region = *window.areas.emplace_back(std::make_unique<rhea::Region>());
    region.init_alias(this, fmt::format("{}-{:x}", name, area.offset), window.memory,
                      info.memory_offset + area.offset, area.size);
    window.region.add(area.offset, region);
  }
  return {};
}

// From now on the server hears of what the guest does beside its accesses.
void VfioUserDevice::follow() {
  command_.init([this] { tell_command(); });
  told_command_ = 0;
  dma_table_.join(*link_, pci_bus().dma_space());
  follow_interrupts();
}

// MSI-X messages need nobody between the server's signal and the processor.
void VfioUserDevice::follow_interrupts() {
  const Interrupts::Kind kind = interrupt_kind();
  interrupts_.use(kind);
  if (routed_ == (kind == Interrupts::Kind::Msix)) return;
  routed_ = !routed_;
  interrupts_.hear(!routed_);
  for (unsigned n = 0; n < std::min<std::size_t>(interrupts_.count(), msix_vectors()); ++n)
    if (routed_)
      route_msix(n, interrupts_.event(n));
    else
      unroute_msix(n);
}

void VfioUserDevice::leave_interrupts() {
  for (unsigned n = 0; n < msix_vectors(); ++n) unroute_msix(n);
  routed_ = false;
  interrupts_.leave();
}

// Nobody waits for the server's reset: what the guest does next reaches it behind that.
void VfioUserDevice::reset(ResetKind) {
  intx_pending_ = false;
  set_intx(false);
  if (!link_) return;
  resetting_ = can_reset_;
  const auto done = [this](const Message&) {
    resetting_ = false;
    told_command_ = 0;
    interrupts_.forget();
    follow_interrupts();
    command_.changed();
    return true;
  };
  if (can_reset_)
    link_->post(Command::Reset, {}, {}, done);
  else
    follow_interrupts();
}

void VfioUserDevice::pre_save() {
  if (save_warnings_.pass())
    report_warning(fmt::format("{}: the state of its server is not saved", path()));
}

Result<> VfioUserDevice::post_load(unsigned) {
  if (!link_) return {};
  follow_interrupts();
  command_.changed();
  return {};
}

// ---- What the guest does

MemResult VfioUserDevice::access(Window& window, Access& access, bool write) {
  if (!write) access.value = ~u64{0};
  const bool inside = access.offset < window.size && access.size <= window.size - access.offset;
  if (!inside || !(write ? window.writable : window.readable)) return MemResult::Ok;
  const auto reply = transfer(window, access, write);
  if (!write && reply && reply->error == 0) {
    access.value = 0;
    std::memcpy(&access.value, reply->body.data() + sizeof(RegionAccess), access.size);
  }
  if (intx_pending_) link_->in_line([this] { end_intx(); });
  return MemResult::Ok;
}

std::optional<Message> VfioUserDevice::transfer(const Window& window, const Access& access,
                                                bool write) {
  Body body(RegionAccess{.offset = access.offset, .region = window.index, .count = access.size});
  if (write) body.bytes(&access.value, access.size);
  auto reply = link_->ask(write ? Command::RegionWrite : Command::RegionRead, body);
  const std::size_t least = sizeof(RegionAccess) + (write ? 0 : access.size);
  if (!reply || reply->error != 0 || reply->body.size() >= least) return reply;
  link_->nonsense(fmt::format("a reply to command {} with {} bytes",
                              static_cast<unsigned>(reply->command), reply->body.size()));
  return std::nullopt;
}

void VfioUserDevice::config_write(unsigned reg, u32 value, unsigned size) {
  PciDevice::config_write(reg, value, size);
  if (!link_) return;
  follow_interrupts();
  if (config16(pci::kCommand) != told_command_) command_.changed();
}

Interrupts::Kind VfioUserDevice::interrupt_kind() const {
  if (msix_enabled()) return Interrupts::Kind::Msix;
  if (msi_enabled()) return Interrupts::Kind::Msi;
  return has_intx_ ? Interrupts::Kind::Intx : Interrupts::Kind::None;
}

// The server may want to know of bus mastering, and of INTx being off.
void VfioUserDevice::tell_command() {
  told_command_ = config16(pci::kCommand);
  Body body(RegionAccess{.offset = pci::kCommand,
                         .region = VFIO_PCI_CONFIG_REGION_INDEX,
                         .count = sizeof told_command_});
  body.bytes(&told_command_, sizeof told_command_);
  link_->post(Command::RegionWrite, body, {}, command_.answered());
}

// ---- What the server does

bool VfioUserDevice::request(Message& message) {
  const bool write = message.command == Command::DmaWrite;
  const auto head = message.read<DmaAccess>();
  if ((!write && message.command != Command::DmaRead) || !head || head->count > kMostTransfer ||
      message.body.size() != sizeof(DmaAccess) + (write ? head->count : 0))
    return false;
  if (!write) message.body.resize(sizeof(DmaAccess) + head->count);
  const auto data = std::span(message.body).subspan(sizeof(DmaAccess));
  const MemResult result =
      write ? dma().write(head->address, data) : dma().read(head->address, data);
  if (write) message.body.resize(sizeof(DmaAccess));
  link_->reply(message, message.body, result == MemResult::Ok ? 0 : EFAULT);
  return true;
}

void VfioUserDevice::signalled(unsigned number) {
  if (resetting_) return;
  if (msix_enabled() || msi_enabled()) {
    if (number < messages_ && (!msix_enabled() || number < msix_vectors())) notify_msi(number);
    return;
  }
  if (number != 0 || !has_intx_) return;
  intx_pending_ = true;
  set_intx(true);
}

// The guest has looked at the device: if that still wants something, it says so again.
void VfioUserDevice::end_intx() {
  if (!intx_pending_.exchange(false)) return;
  set_intx(false);
  interrupts_.end_intx();
}

void VfioUserDevice::lost() {
  dma_table_.leave();
  leave_interrupts();
  for (Window& window : windows_)
    for (const auto& area : window.areas) area->set_enabled(false);
  intx_pending_ = false;
  set_intx(false);
}

const RegisterType<VfioUserDevice> registration;

}  // namespace
}  // namespace rhea::hw
