// SPDX-License-Identifier: GPL-2.0-or-later
// Mutated and garbage input to all monitors: an answer or nothing, never a crash. Seeded.
#include "monitor/qmp/framer.h"
#include "monitor/qtest/protocol.h"
#include "tests/monitor/fixture.h"

#include <random>

namespace rhea::test {
namespace {

/// Changes valid lines here and there.
class Mutator {
 public:
  explicit Mutator(u64 seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }
  std::string garbage() {
    std::string text(below(64), '\0');
    for (char& c : text) c = static_cast<char>(random_());
    return text;
  }
  std::string mutate(std::string text, const std::vector<std::string>& others) {
    for (std::size_t n = below(4); n > 0; --n) mutate_once(text, others);
    return text;
  }

 private:
  void mutate_once(std::string& text, const std::vector<std::string>& others) {
    const std::size_t at = below(text.size() + 1);
    switch (below(8)) {
      case 0: text.insert(at, 1, static_cast<char>(random_())); break;
      case 1: text.erase(at, 1 + below(8)); break;
      case 2: text.insert(at, kPieces[below(kPieces.size())]); break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 4: text.resize(at); break;
      case 5: text.insert(at, garbage()); break;
      case 6: text = text.substr(0, at) + others[below(others.size())].substr(0, below(40)); break;
      default: text.insert(at, text.substr(0, below(20))); break;
    }
  }

  static constexpr std::array<std::string_view, 20> kPieces = {
      "{",     "}",    "[",    "]",       "\"",
      "'",     ",",    ":",    "-1",      "18446744073709551616",
      "1e400", "null", "true", "\\u0000", "\\ud800",
      "\xff",  "\n",   "/",    "0x",      "$rip"};
  std::mt19937_64 random_;
};

// File names lead nowhere, so that a mutated command that writes a file fails.
const std::vector<std::string> kQmp = {
    R"({"execute":"query-status"})",
    R"({"execute":"qom-list","arguments":{"path":"/machine"},"id":1})",
    R"({"execute":"qom-get","arguments":{"path":"/machine/board","property":"type"}})",
    R"({"execute":"qom-set","arguments":{"path":"/machine/board","property":"x","value":{"a":1}}})",
    R"({"execute":"qom-list-types","arguments":{"implements":"device","abstract":true}})",
    R"({"execute":"device-list-properties","arguments":{"typename":"edu"}})",
    R"({"execute":"device_add","arguments":{"driver":"edu","id":"e","addr":"5.0","dma_mask":1}})",
    R"({"execute":"device_del","arguments":{"id":"e"}})",
    R"({"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"a"},{"type":"number","data":30}],"hold-time":5}})",
    R"({"execute":"pmemsave","arguments":{"val":0,"size":16,"filename":"no/such/folder/x"}})",
    R"({"execute":"memsave","arguments":{"val":0,"size":16,"filename":"no/such/folder/x","cpu-index":0}})",
    R"({"execute":"input-send-event","arguments":{"events":[{"type":"rel","data":{"axis":"x","value":7}},{"type":"btn","data":{"button":"left","down":true}}]}})",
    R"({"execute":"screendump","arguments":{"filename":"no/such/folder/x","format":"png"}})",
    R"({"execute":"ringbuf-write","arguments":{"device":"r","data":"aGk=","format":"base64"}})",
    R"({"execute":"ringbuf-read","arguments":{"device":"r","size":10}})",
    R"({"execute":"human-monitor-command","arguments":{"command-line":"info status"}})",
    R"({"execute":"query-command-line-options","arguments":{"option":"m"}})",
    R"({"execute":"dump-guest-memory","arguments":{"paging":true,"protocol":"file:no/such/folder/x","begin":0,"length":1}})",
    R"({"execute":"query-cpu-model-expansion","arguments":{"type":"full","model":{"name":"max","props":{"avx":false,"model-id":"x"}}}})",
    R"({"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"events","state":true}]}})",
    R"({"execute":"query-stats","arguments":{"target":"vcpu","vcpus":["x"],"providers":[{"provider":"kvm","names":["a"]}]}})",
    R"({"execute":"cont"})",
    R"({"execute":"stop"})",
    R"({"execute":"query-block","id":[{"a":null},1.5,"x"]})",
    R"({'execute':'query-pci','id':'it\'s'})",
    R"({"execute":"eject","arguments":{"device":"cd0","force":true}})",
    R"({"execute":"blockdev-change-medium","arguments":{"device":"cd0","filename":"no/such/folder/x"}})",
};
const std::vector<std::string> kHmp = {
    "info status",
    "info qtree",
    "info qom-tree /machine",
    "info pci",
    "info registers -a",
    "info mtree -f",
    "x /4xw 0x1000",
    "xp /8xb 0xf0000",
    "xp /3i 0x7c00",
    "p /x (1+2)*$rax&~3",
    "sum 0 0x100",
    "i /b 0x71",
    "o /b 0x80 1",
    "sendkey ctrl-alt-f1 10",
    "mouse_move 1 2 3",
    "mouse_button 1",
    "pmemsave 0 16 \"no/such/folder/x\"",
    "qom-list /machine",
    "qom-get /machine/board type",
    "qom-set -j /machine/board x 1",
    "device_add edu,id=h,addr=7",
    "device_del h",
    "help info",
    "cpu 0",
    "trace-event nope on",
    "ringbuf_write r data",
    "ringbuf_read r 5",
    "gva2gpa 0x1000",
    "info block",
    "info tlb",
    "info mem",
    "info lapic 1",
    "gpa2hva 0x1000",
    "dump-guest-memory -p -d no/such/folder/x 0 1",
    "eject -f cd0",
    "change cd0 no/such/folder/x raw",
    "info history",
    "c",
    "s",
};
const std::vector<std::string> kQtest = {
    "inb 0x71",
    "outb 0x70 0x0a",
    "inl 0xcf8",
    "outl 0xcf8 0x80000000",
    "readb 0x100",
    "writeq 0x200 0x1122",
    "read 0x1000 16",
    "write 0x1000 4 0xdeadbeef",
    "memset 0x1000 64 0xff",
    "b64read 0x1000 8",
    "b64write 0x1000 4 3q2+7w==",
    "clock_step 1000",
    "clock_set 5000",
    "endianness",
    "irq_intercept_in /machine/board",
    "set_irq_in /machine/board unnamed-gpio-in 1 1",
    "module_load a b",
};

class FuzzTest : public MonitorTest {
 protected:
  FuzzTest() {
    std::filesystem::current_path(scratch_.file(""));
    create_chardev(machine(), "ringbuf,id=r").value();
    add_fake_cpus(machine(), 1);
  }
  ~FuzzTest() override { std::filesystem::current_path("/"); }
};

TEST_F(FuzzTest, qmp_survives_a_hundred_thousand_inputs) {
  Mutator mutator(1);
  qmp::Framer framer;
  qmp::Context context{.machine = machine(), .client = client_};
  std::size_t answers = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string input =
        (i % 10 == 0 ? mutator.garbage() : mutator.mutate(kQmp[mutator.below(kQmp.size())], kQmp)) +
        "\n";
    framer.feed(bytes_of(input), [&](Result<std::string_view> message) {
      std::string answer = qmp::respond(context, std::move(message));
      if (const auto later = std::exchange(context.later, nullptr))
        answer = context.answer_text(wait_for(*later));
      ASSERT_TRUE(answer.starts_with('{') && answer.ends_with('}'));
      ++answers;
    });
    if (i % 100 == 0) framer.reset();
    client_.negotiated = true;
  }
  EXPECT_GT(answers, 50'000u);
  framer.reset();
  EXPECT_EQ(qmp(R"({"execute":"query-name"})"), R"({"return": {}})");
}

TEST_F(FuzzTest, human_monitor_survives_mutated_lines) {
  Mutator mutator(2);
  for (int i = 0; i < 30'000; ++i)
    hmp(i % 10 == 0 ? mutator.garbage() : mutator.mutate(kHmp[mutator.below(kHmp.size())], kHmp));
  EXPECT_EQ(hmp("p /d 1+1"), "2\n");
}

TEST_F(FuzzTest, line_editor_survives_garbage) {
  Mutator mutator(3);
  std::vector<std::string> history;
  std::size_t lines = 0;
  hmp::LineEditor editor(
      "> ", history,
      {.show = [](std::string_view) {},
       .line = [&](const std::string&) { ++lines; },
       .complete = [](std::string_view line) { return hmp::completions(line); }});
  for (int i = 0; i < 30'000; ++i)
    for (const char c : mutator.garbage()) editor.feed(static_cast<u8>(c));
  EXPECT_GT(lines, 1000u);
}

TEST_F(FuzzTest, qtest_survives_mutated_lines) {
  Mutator mutator(4);
  qtest::Protocol protocol(machine(), [](std::string) {});
  for (int i = 0; i < 100'000; ++i) {
    const std::string answer = protocol.execute(
        i % 10 == 0 ? mutator.garbage()
                    : mutator.mutate(kQtest[mutator.below(kQtest.size())], kQtest));
    ASSERT_TRUE(answer.starts_with("OK") || answer.starts_with("FAIL") || answer.starts_with("ERR"))
        << answer;
  }
}

}  // namespace
}  // namespace rhea::test
