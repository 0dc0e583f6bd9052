// SPDX-License-Identifier: GPL-2.0-or-later
// The terminal display: keys, minimal painting, pictures, and giving the terminal back.
#include "ui/terminal.h"

#include "ui/cp437.h"
#include "ui/terminal_grid.h"
#include "ui/terminal_keys.h"
#include "ui/terminal_picture.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>

#include <csignal>
#include <random>

namespace rhea::ui {
namespace {

using Keys = std::vector<KeyNumber>;

std::vector<Typed> type(TerminalKeys& keys, std::string_view text) {
  std::vector<Typed> typed;
  keys.feed(std::span(reinterpret_cast<const u8*>(text.data()), text.size()),
            [&](const Typed& t) { typed.push_back(t); });
  return typed;
}

/// The keys of what is exactly one key stroke.
Keys one(std::string_view text) {
  TerminalKeys keys;
  const auto typed = type(keys, text);
  return typed.size() == 1 ? typed[0].keys : Keys{};
}

TEST(TerminalKeys, LettersAndShift) {
  EXPECT_EQ(one("a"), Keys{0x1e});
  EXPECT_EQ(one("A"), (Keys{0x2a, 0x1e}));
  EXPECT_EQ(one("/"), Keys{0x35});
  EXPECT_EQ(one("~"), (Keys{0x2a, 0x29}));
  EXPECT_EQ(one("1"), Keys{0x02});
  EXPECT_EQ(one("!"), (Keys{0x2a, 0x02}));
  EXPECT_EQ(one(" "), Keys{0x39});
  EXPECT_EQ(one("|"), (Keys{0x2a, 0x2b}));
}

TEST(TerminalKeys, EveryPrintableCharacterHasAKey) {
  unsigned without = 0;
  for (char c = ' '; c < 0x7f; ++c) without += one(std::string(1, c)).empty() ? 1 : 0;
  EXPECT_EQ(without, 0U);
}

TEST(TerminalKeys, ControlCharacters) {
  EXPECT_EQ(one("\r"), Keys{0x1c});
  EXPECT_EQ(one("\t"), Keys{0x0f});
  EXPECT_EQ(one("\x7f"), Keys{0x0e});
  EXPECT_EQ(one("\x03"), (Keys{0x1d, 0x2e}));
  EXPECT_EQ(one("\x1c"), (Keys{0x1d, 0x2b}));
  EXPECT_EQ(one(std::string_view("\0", 1)), (Keys{0x1d, 0x39}));
}

TEST(TerminalKeys, ArrowsAndEditingKeys) {
  EXPECT_EQ(one("\x1b[A"), Keys{0xc8});
  EXPECT_EQ(one("\x1bOB"), Keys{0xd0});
  EXPECT_EQ(one("\x1b[3~"), Keys{0xd3});
  EXPECT_EQ(one("\x1b[6~"), Keys{0xd1});
  EXPECT_EQ(one("\x1b[H"), Keys{0xc7});
  EXPECT_EQ(one("\x1b[Z"), (Keys{0x2a, 0x0f}));
}

TEST(TerminalKeys, FunctionKeysOfAllKinds) {
  EXPECT_EQ(one("\x1bOP"), Keys{0x3b});
  EXPECT_EQ(one("\x1b[[C"), Keys{0x3d});
  EXPECT_EQ(one("\x1b[15~"), Keys{0x3f});
  EXPECT_EQ(one("\x1b[24~"), Keys{0x58});
}

TEST(TerminalKeys, Modifiers) {
  EXPECT_EQ(one("\x1b[1;5C"), (Keys{0x1d, 0xcd}));
  EXPECT_EQ(one("\x1b[5;3~"), (Keys{0x38, 0xc9}));
  EXPECT_EQ(one("\x1b[1;2P"), (Keys{0x2a, 0x3b}));
  EXPECT_EQ(one("\x1bx"), (Keys{0x38, 0x2d}));
}

TEST(TerminalKeys, ALoneEscapeIsTheKeyAfterAWhile) {
  TerminalKeys keys;
  EXPECT_TRUE(type(keys, "\x1b").empty());
  EXPECT_TRUE(keys.waiting());
  std::vector<Typed> typed;
  keys.flush([&](const Typed& t) { typed.push_back(t); });
  EXPECT_EQ(typed, (std::vector<Typed>{{.keys = {0x01}}}));
  EXPECT_FALSE(keys.waiting());
}

TEST(TerminalKeys, SequencesMayComeInPieces) {
  TerminalKeys keys;
  EXPECT_TRUE(type(keys, "\x1b[").empty());
  EXPECT_TRUE(type(keys, "1").empty());
  EXPECT_EQ(type(keys, "5~").size(), 1U);
}

TEST(TerminalKeys, UnknownSequencesAndForeignCharactersAreDropped) {
  TerminalKeys keys;
  EXPECT_EQ(type(keys,
                 "\x1b[99~\x1b[?1;2c\xc3\xa4"
                 "a"),
            (std::vector<Typed>{{.keys = {0x1e}}}));
}

TEST(TerminalKeys, CommandPrefix) {
  TerminalKeys keys;
  EXPECT_EQ(type(keys, "\x1dx"), (std::vector<Typed>{{.keys = {}, .command = 'x'}}));
  EXPECT_EQ(type(keys, "\x1d\x1d"), (std::vector<Typed>{{.keys = {0x1d, 0x1b}}}));
}

TEST(TerminalKeys, GarbageLeavesNothingBehind) {
  std::mt19937 random(7);
  TerminalKeys keys;
  std::size_t longest = 0;
  for (unsigned i = 0; i < 100'000; ++i) {
    const u8 byte = random() % 3 == 0 ? std::array<u8, 4>{0x1b, '[', ';', '5'}[random() % 4]
                                      : static_cast<u8>(random());
    keys.feed({&byte, 1}, [&](const Typed& t) { longest = std::max(longest, t.keys.size()); });
  }
  EXPECT_LE(longest, 4U);
  type(keys, "                         ");
  EXPECT_EQ(type(keys, "a").size(), 1U);
}

TEST(Cp437, TableHasTheKnownCharacters) {
  EXPECT_EQ(cp437_to_unicode(0x00), U' ');
  EXPECT_EQ(cp437_to_unicode(0x01), U'☺');
  EXPECT_EQ(cp437_to_unicode('A'), U'A');
  EXPECT_EQ(cp437_to_unicode(0x7f), U'⌂');
  EXPECT_EQ(cp437_to_unicode(0x84), U'ä');
  EXPECT_EQ(cp437_to_unicode(0xb0), U'░');
  EXPECT_EQ(cp437_to_unicode(0xc9), U'╔');
  EXPECT_EQ(cp437_to_unicode(0xdb), U'█');
  EXPECT_EQ(cp437_to_unicode(0xe3), U'π');
  EXPECT_EQ(cp437_to_unicode(0xff), U'\u00a0');
}

TEST(TerminalPainter, FirstPictureClearsAndPaintsWhatIsThere) {
  TerminalPainter painter;
  TerminalGrid grid(10, 3);
  grid.put(2, 1, "hi");
  const std::string out = painter.paint(grid);
  EXPECT_NE(out.find("\x1b[2J"), std::string::npos);
  EXPECT_NE(out.find("\x1b[2;3Hhi"), std::string::npos);
  EXPECT_EQ(out.find("\x1b[?25h"), std::string::npos);
}

TEST(TerminalPainter, NothingNewIsNothingToSend) {
  TerminalPainter painter;
  const TerminalGrid grid(10, 3);
  painter.paint(grid);
  EXPECT_EQ(painter.paint(grid), "");
}

TEST(TerminalPainter, OnlyTheChangedCellIsSent) {
  TerminalPainter painter;
  TerminalGrid grid(80, 25);
  painter.paint(grid);
  grid.put(40, 12, "x");
  EXPECT_EQ(painter.paint(grid), "\x1b[?2026h\x1b[?25l\x1b[13;41Hx\x1b[?2026l");
}

TEST(TerminalPainter, ColorsAreSentOnceForARun) {
  TerminalPainter painter;
  TerminalGrid grid(80, 25);
  painter.paint(grid);
  grid.put(0, 0, "ab");
  grid.at(0, 0).foreground = grid.at(1, 0).foreground = TerminalColor::ansi(12);
  grid.at(0, 0).background = grid.at(1, 0).background = TerminalColor::rgb(0x010203);
  EXPECT_EQ(painter.paint(grid), "\x1b[?2026h\x1b[?25l\x1b[1;1H\x1b[0;94;48;2;1;2;3mab\x1b[?2026l");
}

TEST(TerminalPainter, CursorIsPlacedAndShown) {
  TerminalPainter painter;
  TerminalGrid grid(80, 25);
  painter.paint(grid);
  grid.cursor_x = 4;
  grid.cursor_y = 2;
  EXPECT_EQ(painter.paint(grid), "\x1b[?2026h\x1b[?25l\x1b[3;5H\x1b[?25h\x1b[?2026l");
}

TEST(TerminalPainter, AnotherSizeOrForgettingStartsAnew) {
  TerminalPainter painter;
  painter.paint(TerminalGrid(10, 3));
  EXPECT_NE(painter.paint(TerminalGrid(11, 3)).find("\x1b[2J"), std::string::npos);
  painter.forget();
  EXPECT_NE(painter.paint(TerminalGrid(11, 3)).find("\x1b[2J"), std::string::npos);
}

TextScreen text_of(int columns, int rows) {
  TextScreen screen;
  screen.columns = columns;
  screen.rows = rows;
  screen.cells.resize(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows),
                      {.character = ' ', .attribute = 0x07});
  return screen;
}

TEST(TerminalPicture, TextHasItsCharactersAndColors) {
  TextScreen screen = text_of(80, 25);
  screen.cells[81] = {.character = 0xdb, .attribute = 0x1c};
  const TerminalGrid grid = text_picture(screen, 100, 30);
  EXPECT_EQ(grid.at(1, 1).character, U'█');
  EXPECT_EQ(grid.at(1, 1).foreground, TerminalColor::ansi(9));
  EXPECT_EQ(grid.at(1, 1).background, TerminalColor::ansi(4));
  EXPECT_EQ(grid.at(99, 29).character, U' ');
}

TEST(TerminalPicture, BlinkIsABitOfTheAttributeOnlyWhereItBlinks) {
  TextScreen screen = text_of(80, 25);
  screen.cells[0].attribute = 0x97;
  EXPECT_FALSE(text_picture(screen, 80, 25).at(0, 0).blink);
  EXPECT_EQ(text_picture(screen, 80, 25).at(0, 0).background, TerminalColor::ansi(12));
  screen.blink = true;
  EXPECT_TRUE(text_picture(screen, 80, 25).at(0, 0).blink);
  EXPECT_EQ(text_picture(screen, 80, 25).at(0, 0).background, TerminalColor::ansi(4));
}

TEST(TerminalPicture, SmallTerminalFollowsTheCursor) {
  TextScreen screen = text_of(80, 25);
  screen.cells[24U * 80].character = '>';
  EXPECT_EQ(text_picture(screen, 80, 10).at(0, 9).character, U' ');
  screen.cursor_x = 1;
  screen.cursor_y = 24;
  const TerminalGrid grid = text_picture(screen, 80, 10);
  EXPECT_EQ(grid.at(0, 9).character, U'>');
  EXPECT_EQ(grid.cursor_y, 9);
}

class Surface {
 public:
  Surface(int width, int height)
      : image(pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, nullptr, 0)) {}
  ~Surface() { pixman_image_unref(image); }
  Surface(const Surface&) = delete;
  Surface& operator=(const Surface&) = delete;
  void fill(int x, int y, int width, int height, u32 color) {
    pixman_fill(pixman_image_get_data(image), pixman_image_get_stride(image) / 4, 32, x, y, width,
                height, color);
  }
  pixman_image_t* image;
};

TEST(TerminalPicture, SmallPictureHasAHalfBlockForEveryTwoPixels) {
  Surface surface(4, 4);
  surface.fill(1, 2, 1, 1, 0xff0000);
  surface.fill(1, 3, 1, 1, 0x0000ff);
  const TerminalGrid grid = graphics_picture(surface.image, 80, 24);
  EXPECT_EQ(grid.at(1, 1).character, U'▀');
  EXPECT_EQ(grid.at(1, 1).foreground, TerminalColor::rgb(0xff0000));
  EXPECT_EQ(grid.at(1, 1).background, TerminalColor::rgb(0x0000ff));
  EXPECT_EQ(grid.at(4, 0).character, U' ');
}

TEST(TerminalPicture, LargePictureIsAveraged) {
  Surface surface(160, 96);
  surface.fill(0, 0, 1, 2, 0xffffff);
  const TerminalGrid grid = graphics_picture(surface.image, 80, 24);
  EXPECT_EQ(grid.at(0, 0).foreground, TerminalColor::rgb(0x7f7f7f));
  EXPECT_EQ(grid.at(79, 23).character, U'▀');
}

TEST(TerminalPicture, ExtremeShapesFit) {
  Surface wide(16384, 1);
  EXPECT_EQ(graphics_picture(wide.image, 80, 24).at(79, 0).character, U'▀');
  Surface high(1, 16384);
  EXPECT_EQ(graphics_picture(high.image, 80, 24).at(0, 23).character, U'▀');
}

/// Runs `work` on a terminal of its own; what it wrote, how it ended, and whether line mode is
/// back.
struct Outcome {
  std::string output;
  int status{};
  bool canonical{};
};
Outcome on_a_terminal(void (*work)(), const char* kind = "xterm") {
  int terminal = -1;
  Outcome outcome;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the child has one thread
    ::setenv("TERM", kind, 1);
    work();
    _exit(0);
  }
  std::array<char, 4096> bytes{};
  for (;;) {
    const ssize_t count = ::read(terminal, bytes.data(), bytes.size());
    if (count <= 0) break;
    outcome.output.append(bytes.data(), static_cast<std::size_t>(count));
  }
  ::waitpid(child, &outcome.status, 0);
  ::close(terminal);
  return outcome;
}

bool canonical() {
  termios modes{};
  tcgetattr(0, &modes);
  return (modes.c_lflag & ICANON) != 0;
}
void say_mode(const char* where) {
  const std::string text = std::string(where) + (canonical() ? ":line;" : ":raw;");
  [[maybe_unused]] const auto written = ::write(1, text.data(), text.size());
}

TEST(Terminal, IsTakenAndGivenBack) {
  const Outcome outcome = on_a_terminal([] {
    {
      Terminal terminal;
      say_mode(terminal.open() ? "open" : "failed");
    }
    say_mode("closed");
  });
  EXPECT_NE(outcome.output.find("\x1b[?1049h"), std::string::npos);
  EXPECT_NE(outcome.output.find("open:raw;"), std::string::npos);
  EXPECT_NE(outcome.output.find("\x1b[?1049l"), std::string::npos);
  EXPECT_NE(outcome.output.find("closed:line;"), std::string::npos);
}

TEST(Terminal, IsGivenBackAtExit) {
  const Outcome outcome = on_a_terminal([] {
    // Never destroyed, but still referred to.
    static auto* const terminal = new Terminal;
    say_mode(terminal->open() ? "open" : "failed");
    std::exit(3);  // NOLINT(concurrency-mt-unsafe): the child has one thread
  });
  EXPECT_EQ(WEXITSTATUS(outcome.status), 3);
  EXPECT_NE(outcome.output.find("\x1b[?1049l"), std::string::npos);
}

TEST(Terminal, IsGivenBackByFatalSignalsWhichStillKill) {
  const Outcome outcome = on_a_terminal([] {
    Terminal terminal;
    say_mode(terminal.open() ? "open" : "failed");
    std::raise(SIGSEGV);
  });
  EXPECT_TRUE(WIFSIGNALED(outcome.status));
  EXPECT_NE(outcome.output.find("\x1b[?1049l"), std::string::npos);
}

void say_why_it_does_not_open() {
  Terminal terminal;
  const auto opened = terminal.open();
  const std::string text = opened ? "open" : opened.error().message();
  [[maybe_unused]] const auto written = ::write(1, text.data(), text.size());
}

TEST(Terminal, APlainOneShowsNoScreen) {
  EXPECT_EQ(on_a_terminal(&say_why_it_does_not_open, "dumb").output,
            "the terminal is a plain one (TERM=dumb)");
  EXPECT_EQ(on_a_terminal(&say_why_it_does_not_open, "").output,
            "TERM does not say what kind of terminal this is");
}

TEST(Terminal, OnlyOneAtATime) {
  const Outcome outcome = on_a_terminal([] {
    Terminal terminal, second;
    const bool first = terminal.open().has_value();
    const std::string text = first ? second.open().error().message() : "none";
    [[maybe_unused]] const auto written = ::write(1, text.data(), text.size());
  });
  EXPECT_NE(outcome.output.find("the terminal is in use"), std::string::npos);
}

}  // namespace
}  // namespace rhea::ui
