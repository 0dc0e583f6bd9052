// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU's qtest protocol.
#include "monitor/qtest/protocol.h"

#include "monitor/object_path.h"
#include "monitor/trace_events.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace rhea::qtest {
namespace {

constexpr u64 kMaxTransfer = 64 * MiB;

// As strtoull with base 0 takes them.
std::optional<u64> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.starts_with('0')) {
    base = 8;
  }
  u64 value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return negative ? ~value + 1 : value;
}

constexpr std::string_view kBadNumber = "ERR not a number";

unsigned size_of(char letter) {
  return letter == 'b' ? 1 : letter == 'w' ? 2 : letter == 'l' ? 4 : 8;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "0x1234…", a byte for each pair; what is missing is zero.
bool parse_hex(std::string_view text, std::span<u8> data) {
  if (!text.starts_with("0x")) return false;
  text.remove_prefix(2);
  for (std::size_t i = 0; i < data.size() && 2 * i + 1 < text.size(); ++i) {
    const int high = digit_of(text[2 * i]);
    const int low = digit_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    data[i] = static_cast<u8>(high << 4 | low);
  }
  return true;
}

std::string to_hex(std::span<const u8> data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "OK 0x";
  text.reserve(text.size() + data.size() * 2);
  for (const u8 byte : data) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string to_base64(std::span<const u8> data) {
  gchar* encoded = g_base64_encode(data.data(), data.size());
  std::string text = fmt::format("OK {}", encoded);
  g_free(encoded);
  return text;
}

Words split(std::string_view line) {
  Words words;
  while (true) {
    const auto start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    const auto end = line.find_first_of(" \t\r");
    words.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end);
  }
}

}  // namespace

std::span<const Protocol::Command> Protocol::commands() {
  static constexpr std::array kCommands = {
      Command{"inb", 2, &Protocol::port_in},
      Command{"inw", 2, &Protocol::port_in},
      Command{"inl", 2, &Protocol::port_in},
      Command{"outb", 3, &Protocol::port_out},
      Command{"outw", 3, &Protocol::port_out},
      Command{"outl", 3, &Protocol::port_out},
      Command{"readb", 2, &Protocol::load},
      Command{"readw", 2, &Protocol::load},
      Command{"readl", 2, &Protocol::load},
      Command{"readq", 2, &Protocol::load},
      Command{"writeb", 3, &Protocol::store},
      Command{"writew", 3, &Protocol::store},
      Command{"writel", 3, &Protocol::store},
      Command{"writeq", 3, &Protocol::store},
      Command{"read", 3, &Protocol::read},
      Command{"b64read", 3, &Protocol::read},
      Command{"write", 4, &Protocol::write},
      Command{"b64write", 4, &Protocol::write},
      Command{"memset", 4, &Protocol::fill},
      Command{"clock_step", 1, &Protocol::clock_step},
      Command{"clock_set", 2, &Protocol::clock_set},
      Command{"irq_intercept_in", 2, &Protocol::intercept_in},
      Command{"irq_intercept_out", 2, &Protocol::intercept_out},
      Command{"set_irq_in", 5, &Protocol::set_irq_in},
      Command{"endianness", 1, &Protocol::endianness},
      Command{"module_load", 3, &Protocol::refuse},
  };
  return kCommands;
}

std::string Protocol::execute(std::string_view line) {
  qtest_command(line.substr(0, 256));
  const Words words = split(line);
  if (words.empty()) return "FAIL no command";
  const auto table = commands();
  const auto it = std::ranges::find(table, words[0], &Command::name);
  if (it == table.end()) return fmt::format("FAIL Unknown command '{}'", words[0].substr(0, 64));
  if (words.size() < it->words) return fmt::format("FAIL {}: arguments missing", it->name);
  return (this->*it->run)(words);
}

std::string Protocol::port_in(const Words& words) {
  const auto port = parse_number(words[1]);
  if (!port || *port > 0xffff) return std::string(kBadNumber);
  return fmt::format("OK {:#06x}", machine_->io().load(*port, size_of(words[0].back())));
}

std::string Protocol::port_out(const Words& words) {
  const auto port = parse_number(words[1]);
  const auto value = parse_number(words[2]);
  if (!port || *port > 0xffff || !value) return std::string(kBadNumber);
  machine_->io().store(*port, *value, size_of(words[0].back()));
  return "OK";
}

std::string Protocol::load(const Words& words) {
  const auto address = parse_number(words[1]);
  if (!address) return std::string(kBadNumber);
  return fmt::format("OK {:#018x}", machine_->memory().load(*address, size_of(words[0].back())));
}

std::string Protocol::store(const Words& words) {
  const auto address = parse_number(words[1]);
  const auto value = parse_number(words[2]);
  if (!address || !value) return std::string(kBadNumber);
  machine_->memory().store(*address, *value, size_of(words[0].back()));
  return "OK";
}

std::string Protocol::read(const Words& words) {
  const auto address = parse_number(words[1]);
  const auto length = parse_number(words[2]);
  if (!address || !length) return std::string(kBadNumber);
  if (*length == 0 || *length > kMaxTransfer)
    return fmt::format("ERR length {} is out of range", *length);
  std::vector<u8> data(*length);
  static_cast<void>(machine_->memory().read(*address, data));
  return words[0] == "read" ? to_hex(data) : to_base64(data);
}

std::string Protocol::write(const Words& words) {
  const auto address = parse_number(words[1]);
  const auto length = parse_number(words[2]);
  if (!address || !length) return std::string(kBadNumber);
  if (*length > kMaxTransfer) return fmt::format("ERR length {} is out of range", *length);
  std::vector<u8> data(*length);
  if (words[0] == "write") {
    if (!parse_hex(words[3], data)) return "ERR data is not hexadecimal";
  } else {
    gsize size = 0;
    guchar* decoded = g_base64_decode(std::string(words[3]).c_str(), &size);
    std::copy_n(decoded, std::min<std::size_t>(size, data.size()), data.begin());
    g_free(decoded);
  }
  static_cast<void>(machine_->memory().write(*address, data));
  return "OK";
}

std::string Protocol::fill(const Words& words) {
  const auto address = parse_number(words[1]);
  const auto length = parse_number(words[2]);
  const auto pattern = parse_number(words[3]);
  if (!address || !length || !pattern) return std::string(kBadNumber);
  // A fill needs no memory of its own: any part of RAM may be filled at once.
  if (*length > std::max(kMaxTransfer, machine_->config.ram_size))
    return fmt::format("ERR length {} is out of range", *length);
  static_cast<void>(machine_->memory().fill(*address, static_cast<u8>(*pattern), *length));
  return "OK";
}

std::string Protocol::clock_step(const Words& words) {
  Clock& clock = machine_->virtual_clock();
  if (!clock.manual())
    return "FAIL the virtual clock is not under the test's control (-accel qtest)";
  i64 target = clock.next_expiry_ns();
  if (words.size() > 1) {
    const auto step = parse_number(words[1]);
    if (!step || *step > INT64_MAX - static_cast<u64>(clock.now_ns()))
      return std::string(kBadNumber);
    target = clock.now_ns() + static_cast<i64>(*step);
  }
  clock.advance_to(std::max(target, clock.now_ns()));
  return fmt::format("OK {}", clock.now_ns());
}

std::string Protocol::clock_set(const Words& words) {
  Clock& clock = machine_->virtual_clock();
  if (!clock.manual())
    return "FAIL the virtual clock is not under the test's control (-accel qtest)";
  const auto target = parse_number(words[1]);
  if (!target || *target > INT64_MAX) return std::string(kBadNumber);
  clock.advance_to(std::max(static_cast<i64>(*target), clock.now_ns()));
  return fmt::format("OK {}", clock.now_ns());
}

std::string Protocol::intercept_in(const Words& words) { return intercept(words, false); }
std::string Protocol::intercept_out(const Words& words) { return intercept(words, true); }

std::string Protocol::intercept(const Words& words, bool outputs) {
  const auto found = monitor::find_object(*machine_, words[1]);
  auto* device = found ? dynamic_cast<Device*>(*found) : nullptr;
  if (device == nullptr) return "FAIL Unknown device";
  if (intercepted_ != nullptr)
    return intercepted_ == device ? "OK" : "FAIL IRQ intercept already enabled";
  const auto observer = [this](unsigned pin, bool level) {
    if (pin >= levels_.size()) levels_.resize(pin + 1);
    if (levels_[pin] == level) return;
    levels_[pin] = level;
    notify_(fmt::format("IRQ {} {}", level ? "raise" : "lower", pin));
  };
  const unsigned pins =
      outputs ? device->intercept_outputs(observer) : device->intercept_inputs(observer);
  if (pins == 0) return "FAIL No intercepts installed";
  intercepted_ = device;
  return "OK";
}

std::string Protocol::set_irq_in(const Words& words) {
  const auto found = monitor::find_object(*machine_, words[1]);
  auto* device = found ? dynamic_cast<Device*>(*found) : nullptr;
  if (device == nullptr) return "FAIL Unknown device";
  const std::string_view group = words[2] == "unnamed-gpio-in" ? "" : words[2];
  const auto number = parse_number(words[3]);
  const auto level = parse_number(words[4]);
  if (!number || *number > 0xffff || !level) return std::string(kBadNumber);
  const Irq irq = device->gpio_in(group, static_cast<unsigned>(*number));
  if (!irq.connected()) return "FAIL no such pin";
  irq.set(*level != 0);
  return "OK";
}

std::string Protocol::endianness(const Words&) { return "OK little"; }

std::string Protocol::refuse(const Words& words) {
  return fmt::format("FAIL {} is not available", words[0]);
}

}  // namespace rhea::qtest
