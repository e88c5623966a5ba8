#include "text/byte_alphabet.h"

#include <array>

#include "base/utf8.h"

namespace zp {
namespace {

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> make_alphabet() {
  std::array<char32_t, 256> alphabet{};
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    alphabet[byte] = stands_for_itself(byte) ? byte : next++;
  }
  return alphabet;
}

constexpr std::array<char32_t, 256> kAlphabet = make_alphabet();
constexpr char32_t kEnd = 0x144;  // behind the last of the 68

constexpr std::array<int, kEnd> make_bytes() {
  std::array<int, kEnd> bytes{};
  for (int& b : bytes) b = -1;
  for (int byte = 0; byte < 256; ++byte) bytes[kAlphabet[static_cast<std::size_t>(byte)]] = byte;
  return bytes;
}

constexpr std::array<int, kEnd> kBytes = make_bytes();

}  // namespace

std::string spell_bytes(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) append_utf8(text, kAlphabet[static_cast<unsigned char>(c)]);
  return text;
}

std::optional<std::string> unspell_bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    if (c >= kEnd || kBytes[c] < 0) return std::nullopt;
    bytes += static_cast<char>(kBytes[c]);
  }
  return bytes;
}

}  // namespace zp
