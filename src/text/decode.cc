#include "text/decode.h"

#include <array>
#include <utility>

#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/normalize.h"
#include "text/token_model.h"

namespace zp {
namespace {

std::string replace_all(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t next = std::min(text.find(what, i), text.size());
    out += text.substr(i, next - i);
    if (next < text.size()) out += by;
    i = next + what.size();
  }
  return out;
}

// As transformers' clean_up_tokenization().
std::string clean_up(std::string text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kChanges = {{
      {" .", "."},
      {" ?", "?"},
      {" !", "!"},
      {" ,", ","},
      {" ' ", "'"},
      {" n't", "n't"},
      {" 'm", "'m"},
      {" 's", "'s"},
      {" 've", "'ve"},
      {" 're", "'re"},
  }};
  for (const auto& [what, by] : kChanges) text = replace_all(text, what, by);
  return text;
}

}  // namespace

TokenDecoder::TokenDecoder(const Tokenizer& tokenizer)
    : over_bytes_(tokenizer.kind == TokenizerKind::byte_bpe),
      drops_first_space_(tokenizer.drops_first_space),
      clean_up_spaces_(tokenizer.clean_up_spaces) {
  const bool marks = !over_bytes_ && tokenizer.kind != TokenizerKind::plain_bpe;
  for (const Token& token : tokenizer.tokens) {
    Piece piece;
    piece.special = token.type == TokenType::control;
    if (over_bytes_) {
      piece.bytes = unspell_bytes(token.text).value_or(token.text);
    } else {
      piece.bytes = marks ? replace_all(token.text, kSpaceMark, " ") : token.text;
    }
    pieces_.push_back(std::move(piece));
  }
  for (const AddedToken& token : tokenizer.added)
    pieces_[static_cast<std::size_t>(token.id)].special = token.special;
  if (!tokenizer.byte_fallback) return;
  const std::vector<TokenId> bytes = byte_tokens(tokenizer);
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    if (bytes[byte] < 0) continue;
    Piece& piece = pieces_[static_cast<std::size_t>(bytes[byte])];
    piece.bytes.assign(1, static_cast<char>(byte));
    piece.byte = true;
  }
}

std::string_view TokenDecoder::bytes(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= pieces_.size()) return {};
  return pieces_[static_cast<std::size_t>(id)].bytes;
}

bool TokenDecoder::is_special(TokenId id) const {
  return id >= 0 && static_cast<std::size_t>(id) < pieces_.size() &&
         pieces_[static_cast<std::size_t>(id)].special;
}

// Takes from what waits all that is complete, at the end everything.
std::string TokenDecoder::Stream::complete(bool at_end) {
  std::string out;
  std::size_t i = 0;
  while (i < waiting_.size()) {
    const Utf8Unit unit = utf8_unit(waiting_, i);
    if (unit.kind == Utf8Unit::Kind::cut && !at_end) break;
    if (unit.kind == Utf8Unit::Kind::character) {
      out += waiting_.substr(i, unit.bytes);
    } else {
      const std::size_t marks = decoder_->over_bytes_ ? 1 : unit.bytes;
      for (std::size_t k = 0; k < marks; ++k) append_utf8(out, U'\uFFFD');
    }
    i += unit.bytes;
  }
  waiting_.erase(0, i);
  if (at_start_ && !out.empty()) {
    at_start_ = false;
    if (decoder_->drops_first_space_ && out.front() == ' ') out.erase(0, 1);
  }
  return out;
}

std::string TokenDecoder::Stream::push(TokenId id) {
  const std::string_view bytes = decoder_->bytes(id);
  if (bytes.empty() || (skip_special_ && decoder_->is_special(id))) return {};
  // A byte token's character can't go on in an ordinary token.
  const bool ends_bytes =
      !decoder_->over_bytes_ && !decoder_->pieces_[static_cast<std::size_t>(id)].byte;
  std::string out = ends_bytes ? complete(true) : std::string();
  waiting_ += bytes;
  return out + complete(false);
}

std::string TokenDecoder::Stream::finish() { return complete(true); }

std::string TokenDecoder::decode(std::span<const TokenId> ids, bool skip_special) const {
  Stream stream(*this, skip_special);
  std::string text;
  for (const TokenId id : ids) text += stream.push(id);
  text += stream.finish();
  return clean_up_spaces_ ? clean_up(std::move(text)) : text;
}

}  // namespace zp
