// SPDX-License-Identifier: GPL-2.0-or-later
#include "softmmu/device_faults.h"

#include "rhea/qom/device.h"
#include "rhea/qom/value.h"

#include <algorithm>
#include <utility>

namespace rhea {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"drop-irq", "delay-irq", "fail-dma", "ones",
                                                    "surprise-remove"};
constexpr u64 kLongestDelay = 10'000'000'000;

/// All machines' devices that have faults: services of a machine are for who has its lock.
struct Index {
  std::mutex mutex;  ///< a leaf
  std::map<const Device*, DeviceFaults*> faults;
};
Index& index() {
  static Index all;
  return all;
}

Result<u64> number(std::string_view word, std::string_view text, u64 min, u64 max) {
  auto value = parse_unsigned(std::string(text), {.min = static_cast<i64>(min), .max = max}, false);
  if (!value)
    return fail("'{}': a number from {} to {} is expected, not '{}'", word, min, max, text);
  return *value;
}

}  // namespace

Result<> DeviceFaults::parse_fault(std::string_view word, Plans& plans) {
  const auto end = std::min(word.find_first_of("@%="), word.size());
  const auto it = std::ranges::find(kNames, word.substr(0, end));
  if (it == kNames.end())
    return fail(
        "'{}' is none of drop-irq, delay-irq, fail-dma, ones, surprise-remove, seed and none alone",
        word);
  Plan plan{.active = true};
  bool has_argument = false;
  for (std::string_view rest = word.substr(end); !rest.empty();) {
    const auto next = std::min(rest.find_first_of("@%=", 1), rest.size());
    const std::string_view text = rest.substr(1, next - 1);
    if (rest[0] == '@')
      plan.nth = TRY(number(word, text, 1, ~u64{0} >> 1));
    else if (rest[0] == '%')
      plan.percent = static_cast<unsigned>(TRY(number(word, text, 1, 100)));
    else
      plan.argument = TRY(number(word, text, 1, kLongestDelay));
    has_argument |= rest[0] == '=';
    rest.remove_prefix(next);
  }
  const auto fault = static_cast<std::size_t>(it - kNames.begin());
  if (has_argument != (fault == static_cast<std::size_t>(Fault::DelayIrq)))
    return fail("'{}': {}", word,
                has_argument ? "it takes no \"=\"" : "delay-irq=NANOSECONDS is expected");
  if (plan.nth != 0 && plan.percent != 0) return fail("'{}': either @ or %", word);
  if (plans[fault].active) return fail("'{}' is there twice", kNames[fault]);
  plans[fault] = plan;
  return {};
}

Result<> DeviceFaults::configure(std::string_view text) {
  if (text == "none") text = {};
  Plans plans{};
  u64 seed = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto plus = std::min(rest.find('+'), rest.size());
    const std::string_view word = rest.substr(0, plus);
    if (word.starts_with("seed="))
      seed = TRY(number(word, word.substr(5), 0, ~u64{0}));
    else
      TRY(parse_fault(word, plans));
    rest.remove_prefix(std::min(plus + 1, rest.size()));
  }
  const std::lock_guard lock(mutex_);
  text_ = text;
  plans_ = plans;
  random_.seed(seed);
  const Plan& remove = plans_[static_cast<std::size_t>(Fault::SurpriseRemove)];
  removed_ = remove.active && remove.nth == 0 && remove.percent == 0;
  return {};
}

std::string DeviceFaults::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

bool DeviceFaults::happens(Fault fault) {
  const std::lock_guard lock(mutex_);
  Plan& plan = plans_[static_cast<std::size_t>(fault)];
  if (!plan.active) return false;
  ++plan.events;
  if (plan.nth != 0) return plan.events == plan.nth;
  return plan.percent == 0 || random_() % 100 < plan.percent;
}

i64 DeviceFaults::interrupt_delay() {
  const bool dropped = happens(Fault::DropIrq), delayed = happens(Fault::DelayIrq);
  if (dropped || removed()) return -1;
  const std::lock_guard lock(mutex_);
  return delayed ? static_cast<i64>(plans_[static_cast<std::size_t>(Fault::DelayIrq)].argument) : 0;
}

void DeviceFaults::deliver(InterruptHub& interrupts, const std::function<void()>& line) {
  delivering_ = true;
  line();
  delivering_ = false;
  for (const MsiMessage& message : std::exchange(late_messages, {}))
    if (interrupts.send_msi) interrupts.send_msi(message);
}

bool DeviceFaults::keeps_back() {
  if (delivering_) return false;
  const i64 delay = interrupt_delay();
  if (delay > 0 && !late.armed()) late.arm_in(delay);
  return delay != 0;
}

bool DeviceFaults::transfer_fails() { return happens(Fault::FailDma) || removed(); }

bool DeviceFaults::access_fails() {
  const bool ones = happens(Fault::Ones);
  if (!removed() && happens(Fault::SurpriseRemove) && !removed_.exchange(true) && on_removal)
    on_removal();
  return ones || removed();
}

FaultTable::~FaultTable() {
  while (!faults_.empty()) forget(*faults_.begin()->first);
}

DeviceFaults& FaultTable::make(const Device& device) {
  auto& faults = faults_[&device];
  if (!faults) {
    faults = std::make_unique<DeviceFaults>();
    const std::lock_guard lock(index().mutex);
    index().faults.emplace(&device, faults.get());
    ++used_;
  }
  return *faults;
}

void FaultTable::forget(const Device& device) {
  {
    const std::lock_guard lock(index().mutex);
    used_ -= static_cast<unsigned>(index().faults.erase(&device));
  }
  faults_.erase(&device);
}

DeviceFaults* FaultTable::look_up(const Device* device) {
  const std::lock_guard lock(index().mutex);
  const auto it = index().faults.find(device);
  return it != index().faults.end() ? it->second : nullptr;
}

}  // namespace rhea
