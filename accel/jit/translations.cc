// SPDX-License-Identifier: GPL-2.0-or-later
// Translating blocks, and leading jumps from one to another.
#include "accel/jit/translations.h"

#include "accel/jit/block_cache.h"

#include <algorithm>

namespace rhea::jit {
namespace {

namespace translating = x86::translating;
using translating::Assembler;

}  // namespace

Translations::Translations(x86::Cpu& cpu, CodeMemory& memory)
    : cpu_(&cpu), layout_(cpu), buffer_(kCapacity, memory), arena_(memory) {
  if (!buffer_) return;
  Assembler a(buffer_.room());
  const translating::RuntimeCode code = translating::emit_runtime(a, layout_);
  runtime_ = code.runtime;
  enter_ = reinterpret_cast<translating::Enter>(buffer_.executable(code.enter));
  runtime_size_ = (a.offset() + 15) & ~std::size_t{15};
  buffer_.take(runtime_size_);
}

Translation* Translations::translate(const Block& block, unsigned page_offset,
                                     const translating::BlockMode& mode) {
  if (full()) return nullptr;
  translating::Translator translator(buffer_.room(), layout_, runtime_, &block);
  if (!translator.run(block.insns, page_offset, mode, made_)) return nullptr;
  const auto known = std::ranges::find(marks_, block.written, &Mark::word);
  const auto mark = static_cast<std::size_t>(known - marks_.begin());
  if (known == marks_.end()) marks_.push_back({.word = block.written});
  marks_[mark].pages |= block.written_bit;
  u8* const code = buffer_.room().data();
  buffer_.take((made_.size + 15) & ~std::size_t{15});
  auto* const jumps = arena_.array<DirectJump>(made_.sites.size());
  for (std::size_t n = 0; n < made_.sites.size(); ++n)
    new (&jumps[n]) DirectJump{.displacement = code + made_.sites[n].displacement,
                               .stub = code + made_.sites[n].stub,
                               .target = made_.sites[n].target};
  return new (arena_.array<Translation>(1))
      Translation{.entry = buffer_.executable(code + made_.entry),
                  .quick_entry = buffer_.executable(code + made_.quick_entry),
                  .start = page_offset,
                  .jumps = {jumps, made_.sites.size()},
                  .mark = mark,
                  .mark_bit = block.written_bit};
}

// Every loop has a jump that goes back: there the processor looks around.
void Translations::link(DirectJump& jump, Translation& to) {
  if (jump.linked) return;
  jump.linked = true;
  linked_.push_back(&jump);
  const bool back = jump.displacement >= buffer_.writable(to.entry);
  Assembler::bind(jump.displacement, buffer_.writable(back ? to.entry : to.quick_entry));
}

void Translations::unlink_all() {
  for (DirectJump* const jump : linked_) {
    Assembler::bind(jump->displacement, jump->stub);
    jump->linked = false;
  }
  linked_.clear();
  for (Jumps& each : jumps_) each.table.clear();
}

x86::JumpTable& Translations::jumps(u32 mode_key, bool user, const x86::CodeEpochs& epochs) {
  Jumps& all = jumps_[user ? 1 : 0];
  if (all.mode_key != mode_key || all.epoch != epochs.now || all.global_epoch != epochs.global)
    all.table.clear();
  all.mode_key = mode_key;
  all.epoch = epochs.now;
  all.global_epoch = epochs.global;
  return all.table;
}

bool Translations::written() {
  bool any = false;
  for (Mark& mark : marks_) {
    const u64 set = mark.word->load(std::memory_order_acquire) & mark.pages;
    any |= (set & ~mark.seen) != 0;
    mark.seen = set;
  }
  return any;
}

void Translations::clear() {
  linked_.clear();
  marks_.clear();
  for (Jumps& each : jumps_) each.table.clear();
  arena_.clear();
  buffer_.drop(runtime_size_);
}

}  // namespace rhea::jit
