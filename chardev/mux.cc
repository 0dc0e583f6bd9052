// SPDX-License-Identifier: GPL-2.0-or-later
// One terminal for several front ends, switched by Ctrl-A.
#include "chardev/mux.h"

#include "rhea/qom/value.h"
#include "rhea/util/keyval.h"
#include "rhea/util/option.h"

#include <algorithm>
#include <deque>

namespace rhea::chardev {
namespace {

constexpr std::size_t kMaxFrontEnds = 4;
constexpr std::size_t kMaxWaiting = 256;

class EscapeKey final : public MachineService {
 public:
  explicit EscapeKey(Machine&) {}
  u8 code{0x01};  ///< Ctrl-A
};

/// "C-a" for the key that -echr names otherwise.
std::string key_name(u8 code) {
  if (code < 0x20) return fmt::format("C-{}", static_cast<char>(code | 0x60));
  if (code < 0x7f) return std::string(1, static_cast<char>(code));
  return fmt::format("{:#04x}", code);
}

std::string help_text(u8 escape_key) {
  std::string text = "\r\n";
  const std::string key = key_name(escape_key);
  const auto add = [&](std::string_view second, std::string_view what) {
    text += fmt::format("{:<9}{}\r\n", fmt::format("{} {}", key, second), what);
  };
  add("h", "print this help");
  add("x", "exit emulator");
  add("s", "save disk data back to file (not available)");
  add("t", "toggle console timestamps");
  add("b", "send break");
  add("c", "switch between console and monitor");
  add(key, fmt::format("sends {}", key));
  return text;
}

/// Input goes to the front end with the focus; output of all goes to the base. Front ends that are
/// no monitors get the focus when they come. What is typed waits with the front end that it was
/// typed for.
class MuxChardev final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-mux";

  ~MuxChardev() override {
    if (base_ != nullptr) base_->detach(this);
  }

  Result<> open(Machine& machine, Chardev& base) {
    machine_ = &machine;
    TRY(base.attach({.can_receive = [this] { return room(); },
                     .receive = [this](std::span<const u8> data) { receive(data); },
                     .event = [this](ChardevEvent event) { base_event(event); },
                     .can_send =
                         [this] {
                           for_each([](FrontEnd& f) {
                             if (f.can_send) f.can_send();
                           });
                         },
                     .moved = [this](Chardev& next) { base_ = &next; },
                     .owner = this,
                     .monitor = false}));
    base_ = &base;
    escape_key_ = machine.service<EscapeKey>().code;
    return {};
  }

  Result<> attach(FrontEnd front_end) override {
    if (users_.size() == kMaxFrontEnds)
      return fail("too many uses of multiplexed chardev '{}' (maximum is {})", name(),
                  kMaxFrontEnds);
    TRY(attach_first());
    users_.push_back(std::make_unique<User>(User{.front = std::move(front_end), .waiting = {}}));
    FrontEnd& added = users_.back()->front;
    if (base_->connected() && added.event) added.event(ChardevEvent::Opened);
    const bool focus = users_.size() == 1 || !added.monitor;
    if (focus) set_focus(users_.size() - 1);
    return {};
  }

  void detach(const void* owner) override {
    std::erase_if(users_,
                  [&](const auto& u) { return owner == nullptr || u->front.owner == owner; });
    focus_ = 0;
    if (users_.empty()) return Chardev::detach();
    send(ChardevEvent::MuxIn);
  }

  void accept_input() override {
    flush();
    if (base_ != nullptr) base_->accept_input();
  }
  std::size_t write(std::span<const u8> data) override;
  bool connected() const override { return base_ != nullptr && base_->connected(); }
  void disconnect() override { base_->disconnect(); }
  std::vector<FileDescriptor> take_descriptors() override { return base_->take_descriptors(); }
  bool replaceable() const override { return false; }
  void set_serial_line(const SerialLine& line) override { base_->set_serial_line(line); }
  void set_break(bool on) override { base_->set_break(on); }
  void set_modem_control(bool dtr, bool rts) override { base_->set_modem_control(dtr, rts); }
  std::optional<ModemLines> modem_lines() const override { return base_->modem_lines(); }
  void send_break() override { send(ChardevEvent::Break); }
  std::string filename() const override { return "mux"; }

 private:
  struct User {
    FrontEnd front;
    std::deque<u8> waiting;
  };

  // attached() is true while there is any front end.
  Result<> attach_first() {
    if (!users_.empty()) return {};
    return Chardev::attach({});
  }
  void for_each(const std::function<void(FrontEnd&)>& visit) {
    for (std::size_t i = 0; i < users_.size(); ++i) visit(users_[i]->front);
  }
  User* focused() { return focus_ < users_.size() ? users_[focus_].get() : nullptr; }
  void send(ChardevEvent event) {
    if (User* user = focused(); user != nullptr && user->front.event) user->front.event(event);
  }
  void base_event(ChardevEvent event) {
    if (event == ChardevEvent::Break) return send(event);
    for_each([event](FrontEnd& f) {
      if (f.event) f.event(event);
    });
  }
  void set_focus(std::size_t index) {
    flush();
    if (index != focus_) send(ChardevEvent::MuxOut);
    focus_ = index;
    send(ChardevEvent::MuxIn);
    flush();
  }

  std::size_t room() {
    const User* user = focused();
    return user == nullptr ? kMaxWaiting
                           : kMaxWaiting - std::min(kMaxWaiting, user->waiting.size());
  }

  void receive(std::span<const u8> data) {
    for (const u8 byte : data) {
      if (escaped_)
        escape(byte);
      else if (byte == escape_key_)
        escaped_ = true;
      else
        pass(byte);
    }
    flush();
  }
  void pass(u8 byte) {
    if (User* user = focused(); user != nullptr) user->waiting.push_back(byte);
  }
  void flush() {
    for (;;) {
      User* user = focused();
      if (user == nullptr || user->waiting.empty()) return;
      if (!user->front.can_receive || user->front.can_receive() == 0) return;
      const u8 byte = user->waiting.front();
      user->waiting.pop_front();
      user->front.receive(std::span(&byte, 1));
    }
  }

  void escape(u8 byte) {
    escaped_ = false;
    if (byte == escape_key_) return pass(byte);
    switch (byte) {
      case 'h':
      case '?': return say(help_text(escape_key_));
      case 's': return say("\r\nthere is no way back from -snapshot yet\r\n");
      case 'b': return send(ChardevEvent::Break);
      case 'c':
        if (!users_.empty()) set_focus((focus_ + 1) % users_.size());
        return;
      case 't':
        stamped_ = !stamped_;
        first_stamp_ns_ = -1;
        line_begins_ = false;
        return;
      case 'x': say("\r\nRhea: terminated\r\n"); return machine_->exit(0);
      default: return;
    }
  }
  void say(std::string_view text) {
    // What a peer that reads nothing does not take is lost to it.
    base_->write({reinterpret_cast<const u8*>(text.data()), text.size()});
  }

  std::string stamp();

  Machine* machine_{};
  Chardev* base_{};
  std::vector<std::unique_ptr<User>> users_;
  std::size_t focus_{0};
  u8 escape_key_{};
  bool escaped_{false};
  bool stamped_{false};
  bool line_begins_{false};
  i64 first_stamp_ns_{-1};
};

// With time stamps, one before the first byte of each line.
std::size_t MuxChardev::write(std::span<const u8> data) {
  if (base_ == nullptr) return data.size();
  if (!stamped_) return base_->write(data);
  std::size_t done = 0;
  while (done < data.size()) {
    if (std::exchange(line_begins_, false)) say(stamp());
    const auto rest = data.subspan(done);
    const auto end = std::ranges::find(rest, u8{'\n'});
    const auto length = static_cast<std::size_t>(end - rest.begin()) + (end == rest.end() ? 0 : 1);
    const std::size_t sent = base_->write(rest.first(length));
    done += sent;
    if (sent < length) break;
    line_begins_ = rest[length - 1] == '\n';
  }
  return done;
}

// Since the first one: "[00:01:02.345] ".
std::string MuxChardev::stamp() {
  const i64 now = machine_->realtime_clock().now_ns();
  if (first_stamp_ns_ < 0) first_stamp_ns_ = now;
  const i64 ms = (now - first_stamp_ns_) / 1'000'000;
  return fmt::format("[{:02}:{:02}:{:02}.{:03}] ", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60,
                     ms % 1000);
}

const RegisterType<MuxChardev> registration;

// A number as C writes it, or else a character: that one's own code.
Result<> escape_key(Machine& machine, const std::string& text) {
  constexpr unsigned kLargest = 0xff;
  const auto number = parse_unsigned(text, {.min = 0, .max = kLargest}, false);
  if (!number && text.size() != 1)
    return fail("a character is expected, or its code up to {}", kLargest);
  machine.service<EscapeKey>().code =
      number ? static_cast<u8>(*number) : static_cast<u8>(text.front());
  return {};
}

const RegisterOption option{{.name = "echr",
                             .argument = "character",
                             .help = "what opens commands on a shared terminal (its code, or the\n"
                                     "character itself) instead of Ctrl-A",
                             .phase = StartPhase::Config,
                             .apply = &escape_key}};

}  // namespace

Result<std::unique_ptr<Chardev>> make_mux(Machine& machine, Chardev& base) {
  auto mux = create<MuxChardev>();
  TRY(mux->open(machine, base));
  return mux;
}

Result<Chardev*> open_mux(Machine& machine, const std::string& id, const std::string& base_id) {
  if (!is_identifier(id)) return fail("Parameter 'id' expects an identifier");
  if (find_chardev(machine, id) != nullptr) return fail("Chardev with id '{}' already exists", id);
  Chardev* base = find_chardev(machine, base_id);
  if (base == nullptr) return fail("mux: base chardev {} not found", base_id);
  std::unique_ptr<Chardev> mux = TRY(make_mux(machine, *base));
  return &machine.container(Chardev::kLinkRoot).add_child(id, std::move(mux));
}

}  // namespace rhea::chardev
