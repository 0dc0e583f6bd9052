// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/bench_mode.h"

#include "rhea/block/block_backend.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/snapshot.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace rhea::test {

BenchMode bench_mode() {
  const char* text = std::getenv("RHEA_BENCH");  // NOLINT(concurrency-mt-unsafe): nobody sets any
  const std::string_view mode = text != nullptr ? text : "";
  if (mode.empty()) return BenchMode::Plain;
  if (mode == "reload") return BenchMode::Reload;
  if (mode == "reset-check") return BenchMode::ResetCheck;
  throw std::runtime_error(fmt::format("RHEA_BENCH is 'reload' or 'reset-check', not '{}'", mode));
}

ResetState::ResetState(Machine& machine) {
  machine.visit([this](Object& object) {
    object.pre_save();
    for (const TypeInfo* type : object.type().lineage()) {
      add(object, type->state);
      for (const Subsection& part : type->subsections) add(object, part.fields);
    }
  });
}

void ResetState::add(const Object& object, const FieldList& list) {
  for (const StateField& field : list.fields) {
    if (field.survives_reset) continue;
    StateWriter out(StateWriter::Fields::SetByReset);
    field.save(&object, out);
    fields_.push_back({.object = object.path(),
                       .type = object.type().name,
                       .name = field.name,
                       .value = out.take()});
  }
}

// Both lists have the order of the machine's tree: what both have comes in the same order.
std::string ResetState::difference_to(const ResetState& after) const {
  auto at = after.fields_.begin();
  for (const Field& field : fields_) {
    const auto same = std::find_if(at, after.fields_.end(), [&field](const Field& other) {
      return other.object == field.object && other.type == field.type && other.name == field.name;
    });
    if (same == after.fields_.end()) continue;
    at = same + 1;
    if (same->value == field.value) continue;
    const auto from = std::ranges::mismatch(same->value, field.value);
    return fmt::format(
        "state field '{}' of {} ({}) is {} after a reset, and {} when it is new, from byte {} on",
        field.name, field.object, field.type, bytes_text({from.in1, same->value.end()}),
        bytes_text({from.in2, field.value.end()}), from.in1 - same->value.begin());
  }
  return {};
}

bool Reloader::may_reload() const {
  return std::ranges::all_of(drives(*machine_),
                             [](const BlockBackend* drive) { return drive->in_flight() == 0; });
}

void Reloader::reload(const std::function<void()>& when_reset) {
  const RunState before = machine_->run_state();
  if (before == RunState::Running) machine_->pause();
  const auto saved = save_devices(*machine_);
  if (!saved) throw std::runtime_error("RHEA_BENCH: not saved: " + saved.error().message());
  hooks_.saved();
  if (mode_ == BenchMode::ResetCheck) machine_->virtual_clock().set_ns(fresh_at_);
  machine_->reset_now(ShutdownCause::SubsystemReset, ResetKind::Cold);
  hooks_.reset();
  when_reset();
  const auto loaded = [&]() -> Result<> {
    return TRY(SavedDevices::read(*machine_, *saved)).apply();
  }();
  if (!loaded)
    throw std::runtime_error("RHEA_BENCH: its own state is refused: " + loaded.error().message());
  hooks_.loaded();
  if (before == RunState::Running) machine_->resume();
}

void Reloader::device_added() {
  if (mode_ != BenchMode::ResetCheck || !may_reload()) return;
  fresh_at_ = machine_->virtual_clock().now_ns();
  reload([this] { fresh_ = ResetState(*machine_); });
}

void Reloader::reload() {
  if (!may_reload()) return;
  std::string difference;
  reload([&] {
    if (mode_ == BenchMode::ResetCheck) difference = fresh_.difference_to(ResetState(*machine_));
  });
  if (!difference.empty()) throw std::runtime_error("RHEA_BENCH: " + difference);
}

}  // namespace rhea::test
