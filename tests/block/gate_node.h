// SPDX-License-Identifier: GPL-2.0-or-later
// An image in memory whose requests wait at a gate and fail where the test says.
#pragma once

#include "rhea/block/block_backend.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rhea::test {

/// What a test holds on to after the node is in a drive.
class Gate {
 public:
  explicit Gate(u64 bytes) : data(bytes) {}
  ~Gate() {
    if (opener_.joinable()) opener_.join();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  void open() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = false;
    }
    changed_.notify_all();
  }
  void open_after(int milliseconds) {
    opener_ = std::thread([this, milliseconds] {
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      open();
    });
  }
  /// Requests that touch this byte fail.
  void break_at(u64 offset, std::string why = "broken") {
    const std::lock_guard lock(mutex_);
    broken_ = offset;
    why_ = std::move(why);
  }
  void mend() {
    const std::lock_guard lock(mutex_);
    broken_.reset();
  }
  Result<> pass(u64 offset, u64 length) {
    std::unique_lock lock(mutex_);
    ++arrivals;
    changed_.wait(lock, [this] { return !closed_; });
    if (broken_ && *broken_ >= offset && *broken_ < offset + length) return fail("{}", why_);
    return {};
  }

  std::vector<u8> data;
  std::atomic<unsigned> flushes{0};
  std::atomic<unsigned> arrivals{0};
  std::atomic<bool> writeback{true};  ///< what the node says of its cache

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_{false};
  std::optional<u64> broken_;
  std::string why_;
  std::thread opener_;
};

class GateNode final : public BlockNode {
 public:
  explicit GateNode(u64 bytes, bool read_only = false, std::string name = "gate")
      : gate_(std::make_shared<Gate>(bytes)), read_only_(read_only), name_(std::move(name)) {}
  std::shared_ptr<Gate> gate() const { return gate_; }

  std::string_view format() const override { return "raw"; }
  const std::string& filename() const override { return name_; }
  u64 size() const override { return gate_->data.size(); }
  bool read_only() const override { return read_only_; }
  Result<> read(u64 offset, std::span<u8> data) override {
    TRY(gate_->pass(offset, data.size()));
    std::copy_n(gate_->data.begin() + static_cast<std::ptrdiff_t>(offset), data.size(),
                data.begin());
    return {};
  }
  Result<> write(u64 offset, std::span<const u8> data) override {
    TRY(gate_->pass(offset, data.size()));
    std::ranges::copy(data, gate_->data.begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
  }
  Result<> flush() override {
    ++gate_->flushes;
    return gate_->pass(0, 0);
  }
  Result<> discard(u64 offset, u64 length) override {
    TRY(gate_->pass(offset, length));
    std::fill_n(gate_->data.begin() + static_cast<std::ptrdiff_t>(offset), length, u8{0});
    return {};
  }
  Result<> resize(u64 bytes) override {
    gate_->data.resize(bytes);
    return {};
  }
  NodeDetails details() const override {
    NodeDetails details;
    details.cache.writeback = gate_->writeback;
    return details;
  }

 private:
  std::shared_ptr<Gate> gate_;
  bool read_only_;
  std::string name_;
};

}  // namespace rhea::test
