// SPDX-License-Identifier: GPL-2.0-or-later
// The table of code page 437.
#include "ui/cp437.h"

#include <string_view>

namespace rhea::ui {
namespace {

constexpr std::u32string_view kBelowSpace = U" ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
constexpr std::u32string_view kAboveAscii =
    U"⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»"
    U"░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
    U"αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";
constexpr u8 kFirstAboveAscii = 0x7f;

static_assert(kBelowSpace.size() == 0x20 && kAboveAscii.size() == 0x100 - kFirstAboveAscii);

}  // namespace

char32_t cp437_to_unicode(u8 c) {
  if (c < kBelowSpace.size()) return kBelowSpace[c];
  return c < kFirstAboveAscii ? c : kAboveAscii[c - kFirstAboveAscii];
}

void append_utf8(std::string& text, char32_t character) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (character < 0x80) return put(character);
  if (character < 0x800) {
    put(0xc0 | character >> 6);
  } else {
    put(0xe0 | (character >> 12 & 15));
    put(0x80 | (character >> 6 & 0x3f));
  }
  put(0x80 | (character & 0x3f));
}

}  // namespace rhea::ui
