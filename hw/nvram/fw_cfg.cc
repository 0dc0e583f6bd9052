// SPDX-License-Identifier: GPL-2.0-or-later
// fw_cfg: how the board hands tables, files and settings to the firmware.
#include "rhea/hw/fw_cfg.h"

#include "hw/nvram/trace_events.h"
#include "rhea/hw/fw_cfg_files.h"
#include "rhea/softmmu/dma.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

namespace rhea {
namespace {

constexpr u16 kSelectorPort = 0x510;
constexpr u16 kDmaPort = 0x514;
constexpr u64 kDmaSlice = 4 * MiB;
constexpr unsigned kFileSlots = 0x60;
constexpr std::size_t kNameSize = FwCfg::kLongestName + 1;
constexpr u64 kDmaSignature = 0x5145'4d55'2043'4647;  // "QEMU CFG"
constexpr u32 kVersionTraditional = 1, kVersionDma = 2;
constexpr u32 kDmaError = 1, kDmaRead = 2, kDmaSkip = 4, kDmaSelect = 8, kDmaWrite = 16;

u32 big_endian(u32 v) { return std::byteswap(v); }
u64 big_endian(u64 v) { return std::byteswap(v); }

void put_big(std::vector<u8>& out, u64 value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<u8>(value >> (8 * i)));
}

/// QEMU's firmware configuration device, port form with DMA (spec: docs/specs/fw_cfg of QEMU).
/// State: selection, offset, DMA address; the contents are the board's and made anew. Missing:
/// nothing.
class FwCfgIo final : public FwCfg, public FwCfgFiles {
 public:
  static constexpr std::string_view kName = "fw_cfg_io";
  static void describe(Schema<FwCfgIo>& s) {
    s.help("firmware configuration");
    s.board_only();
    s.property("dma_enabled", &FwCfgIo::dma_enabled_, true).help("offer the DMA interface");
    s.state("selected", &FwCfgIo::selected_);
    s.state("offset", &FwCfgIo::offset_);
    s.state("dma-address", &FwCfgIo::dma_address_);
  }

  void add_bytes(u16 key, std::vector<u8> data) override {
    items_[key] = {.data = std::move(data), .selected = {}, .written = {}};
  }
  void add_number(u16 key, u64 value, unsigned bytes) override {
    std::vector<u8> data(bytes);
    std::memcpy(data.data(), &value, bytes);
    add_bytes(key, std::move(data));
  }
  void add_file(std::string name, std::vector<u8> data, std::function<void()> selected) override {
    Item& item = new_file(std::move(name), data.size());
    item.data = std::move(data);
    item.selected = std::move(selected);
  }
  void add_writable_file(std::string name, std::vector<u8> data,
                         std::function<void(std::span<const u8>)> written) override {
    Item& item = new_file(std::move(name), data.size());
    item.data = std::move(data);
    item.written = written ? std::move(written) : [](std::span<const u8>) {};
  }
  bool has_file(std::string_view name) const override {
    return std::ranges::find(files_, name, &File::name) != files_.end();
  }
  // The board adds some of its own when all devices are there.
  std::vector<std::pair<std::string, u64>> files() const override {
    std::vector<std::pair<std::string, u64>> list;
    for (const File& file : files_) list.emplace_back(file.name, file.size);
    return list;
  }
  bool has_room() const override { return files_.size() + 16 < kFileSlots; }
  void replace_file(std::string_view name, std::vector<u8> data) override {
    const auto it = std::ranges::find(files_, name, &File::name);
    if (it == files_.end()) return add_file(std::string(name), std::move(data), nullptr);
    it->size = data.size();
    items_[it->key].data = std::move(data);
    write_directory();
  }

 protected:
  Result<> realize() override {
    add_bytes(fw_cfg_key::kSignature, {'Q', 'E', 'M', 'U'});
    add_number(fw_cfg_key::kId, kVersionTraditional | (dma_enabled_ ? kVersionDma : 0), 4);
    write_directory();
    region_.init_io(*this, "fwcfg", 2, io<&FwCfgIo::read, &FwCfgIo::write>({.min = 1, .max = 2}));
    add_port(kSelectorPort, region_);
    if (!dma_enabled_) return {};
    dma_.init(*this, machine().memory());
    dma_region_.init_io(*this, "fwcfg.dma", 8,
                        io<&FwCfgIo::dma_read, &FwCfgIo::dma_write>({.min = 1, .max = 8}));
    add_port(kDmaPort, dma_region_);
    return {};
  }
  void reset(ResetKind) override {
    select(0);
    dma_address_ = 0;
  }

 private:
  struct Item {
    std::vector<u8> data;
    std::function<void()> selected;
    std::function<void(std::span<const u8>)> written;
  };
  struct File {
    std::string name;
    u16 key;
    u64 size;
  };

  Item& new_file(std::string name, u64 size) {
    RHEA_ASSERT(files_.size() < kFileSlots && name.size() < kNameSize);
    const auto key = static_cast<u16>(fw_cfg_key::kFileFirst + files_.size());
    hw::trace_nvram::fw_cfg_add_file(*this, name, key, size);
    files_.push_back({.name = std::move(name), .key = key, .size = size});
    write_directory();
    return items_[key];
  }

  // Sorted by name: firmware that looks for a prefix finds files in a stable order.
  void write_directory() {
    std::vector<File> sorted = files_;
    std::ranges::sort(sorted, {}, &File::name);
    std::vector<u8> directory;
    put_big(directory, sorted.size(), 4);
    for (const File& file : sorted) {
      put_big(directory, file.size, 4);
      put_big(directory, file.key, 2);
      put_big(directory, 0, 2);
      const std::size_t start = directory.size();
      directory.resize(start + kNameSize);
      std::ranges::copy(file.name, directory.begin() + static_cast<std::ptrdiff_t>(start));
    }
    items_[fw_cfg_key::kFileDir].data = std::move(directory);
  }

  Item* current() {
    const auto it = items_.find(selected_);
    return it == items_.end() ? nullptr : &it->second;
  }

  void select(u16 key) {
    hw::trace_nvram::fw_cfg_select(*this, key);
    selected_ = key;
    offset_ = 0;
    if (const Item* item = current(); item != nullptr && item->selected) item->selected();
  }

  u64 read(u64 offset, unsigned size) {
    if (offset == 0 && size == 2) return 0;  // the selector is write-only
    const Item* item = current();
    u64 value = 0;
    if (item != nullptr && offset_ < item->data.size()) value = item->data[offset_++];
    return value;
  }

  void write(u64 offset, u64 value, unsigned size) {
    if (offset == 0 && size == 2) select(static_cast<u16>(value));
    // Writes to the data port have no effect since QEMU 2.4.
  }

  u64 dma_read(u64 offset, unsigned size) {
    const u64 bytes = big_endian(kDmaSignature) >> (8 * offset);
    return bytes & all_ones(size);
  }

  // The register is big-endian; writing its last byte starts the transfer.
  void dma_write(u64 offset, u64 value, unsigned size) {
    for (unsigned i = 0; i < size && offset + i < 8; ++i) {
      const unsigned shift = 8 * (7 - static_cast<unsigned>(offset) - i);
      dma_address_ =
          (dma_address_ & ~(u64{0xff} << shift)) | (((value >> (8 * i)) & 0xff) << shift);
    }
    if (offset + size < 8) return;
    // Another CPU's transfer lets go of the lock between its slices.
    if (dma_busy_) return log_guest("fw_cfg", "a DMA transfer was started while one is under way");
    dma_busy_ = true;
    run_dma();
    dma_busy_ = false;
  }

  void run_dma() {
    struct Descriptor {
      u32 control;
      u32 length;
      u64 address;
    } descriptor{};
    const u64 at = dma_address_;
    dma_address_ = 0;
    if (dma_.read_value(at, descriptor) != MemResult::Ok) {
      log_guest("fw_cfg", "cannot read the DMA descriptor at {:#x}", at);
      static_cast<void>(dma_.write_value(at, big_endian(kDmaError)));
      return;
    }
    const u32 control = big_endian(descriptor.control);
    const u32 length = big_endian(descriptor.length);
    const u64 address = big_endian(descriptor.address);
    hw::trace_nvram::fw_cfg_dma(*this, control, length, address);
    if ((control & kDmaSelect) != 0) select(static_cast<u16>(control >> 16));
    bool ok = true;
    if ((control & kDmaRead) != 0)
      ok = copy_to_guest(address, length);
    else if ((control & kDmaWrite) != 0)
      ok = copy_from_guest(address, length);
    else if ((control & kDmaSkip) != 0)
      skip(length);
    static_cast<void>(dma_.write_value(at, ok ? u32{0} : big_endian(kDmaError)));
  }

  void skip(u32 length) {
    const Item* item = current();
    if (item != nullptr)
      offset_ = static_cast<u32>(std::min<u64>(u64{offset_} + length, item->data.size()));
  }

  // Data, then zeroes, into plain memory only: a transfer of 4 GiB into registers would never end.
  // In slices, for up to 4 GiB take long.
  bool copy_to_guest(u64 address, u64 length) {
    const Item* item = current();
    while (length > 0) {
      const u64 part = std::min(length, kDmaSlice);
      if (!copy_part_to_guest(item, address, part)) return false;
      address += part;
      length -= part;
      // The item may have been selected away meanwhile.
      if (length > 0 && machine().lock().let_others()) item = current();
    }
    return true;
  }

  bool copy_part_to_guest(const Item* item, u64 address, u64 length) {
    const RcuGuard guard;
    while (length > 0) {
      const auto span = dma_.space().map_direct(address, length, true);
      if (!span || span->length == 0) return false;
      const u64 left =
          item != nullptr && offset_ < item->data.size() ? item->data.size() - offset_ : 0;
      const u64 copied = std::min(span->length, left);
      if (copied != 0) std::memcpy(span->host, item->data.data() + offset_, copied);
      std::memset(span->host + copied, 0, span->length - copied);
      dma_.space().mark_dirty(address, span->length);
      offset_ += static_cast<u32>(copied);
      address += span->length;
      length -= span->length;
    }
    return true;
  }

  bool copy_from_guest(u64 address, u64 length) {
    Item* item = current();
    if (item == nullptr || !item->written || offset_ > item->data.size() ||
        length > item->data.size() - offset_)
      return false;
    if (dma_.read(address, std::span(item->data).subspan(offset_, length)) != MemResult::Ok)
      return false;
    offset_ += static_cast<u32>(length);
    item->written(item->data);
    return true;
  }

  bool dma_enabled_{};
  u16 selected_{};
  u32 offset_{};
  u64 dma_address_{};
  bool dma_busy_{false};
  std::map<u16, Item> items_;
  std::vector<File> files_;
  Region region_;
  Region dma_region_;
  DmaMaster dma_;
};

const RegisterAbstractType<FwCfg, IsaDevice> base_registration;
const RegisterType<FwCfgIo> registration;

}  // namespace

FwCfg* FwCfg::of(Machine& machine) {
  return dynamic_cast<FwCfg*>(machine.resolve("/machine/fw_cfg"));
}

}  // namespace rhea
