#include "text/sentencepiece_model.h"

#include <array>
#include <cmath>

#include "base/error.h"
#include "base/protobuf_reader.h"
#include "base/utf8.h"

namespace zp {
namespace {

constexpr std::int64_t kUnigram = 1;
constexpr std::int64_t kBpe = 2;

// SentencePiece's numbers of piece types are 1 to 6.
constexpr std::array kPieceTypes = {TokenType::normal,       TokenType::unknown, TokenType::control,
                                    TokenType::user_defined, TokenType::unused,  TokenType::byte};

Token parse_piece(std::string_view message, const std::string& where) {
  Token piece;
  ProtobufReader reader(message, where);
  while (reader.next()) {
    if (reader.field() == 1) piece.text = reader.bytes();
    if (reader.field() == 2) piece.score = reader.real();
    if (reader.field() != 3) continue;
    const std::int64_t type = reader.integer();
    if (type < 1 || type > static_cast<std::int64_t>(kPieceTypes.size())) {
      throw Error(where, "piece type unknown", "1 to 6", std::to_string(type));
    }
    piece.type = kPieceTypes[static_cast<std::size_t>(type - 1)];
  }
  if (piece.text.empty() || !is_utf8(piece.text) || !std::isfinite(piece.score)) {
    throw Error(where, "piece is damaged", "UTF-8 text and a finite score", piece.text);
  }
  return piece;
}

void parse_trainer(std::string_view message, const std::string& where, SentencePieceModel& model) {
  ProtobufReader reader(message, where);
  while (reader.next()) {
    switch (reader.field()) {
      case 3:
        model.model_type = reader.integer();
        break;
      case 24:
        if (reader.integer() != 0)
          throw Error(where, "spaces at the ends of words (treat_whitespace_as_suffix)",
                      "spaces in front of them");
        break;
      case 35:
        model.byte_fallback = reader.integer() != 0;
        break;
      case 40:
        model.unknown = reader.integer();
        break;
      case 41:
        model.bos = reader.integer();
        break;
      case 42:
        model.eos = reader.integer();
        break;
      case 43:
        model.pad = reader.integer();
        break;
      default:
        break;
    }
  }
}

void parse_normalizer(std::string_view message, const std::string& where,
                      SentencePieceModel& model) {
  ProtobufReader reader(message, where);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        model.normalizer = reader.bytes();
        break;
      case 2:
        model.character_map = reader.bytes();
        break;
      case 3:
        model.add_dummy_prefix = reader.integer() != 0;
        break;
      case 4:
        model.remove_extra_whitespaces = reader.integer() != 0;
        break;
      case 5:
        if (reader.integer() == 0)
          throw Error(where, "spaces that stay spaces (escape_whitespaces)", "U+2581 for them");
        break;
      default:
        break;
    }
  }
}

void check(const SentencePieceModel& model, const std::string& where) {
  if (model.model_type != kUnigram && model.model_type != kBpe) {
    throw Error(where, "SentencePiece model type not supported", "1 (unigram) or 2 (BPE)",
                std::to_string(model.model_type));
  }
  for (const std::int64_t id : {model.unknown, model.bos, model.eos, model.pad}) {
    if (id >= static_cast<std::int64_t>(model.pieces.size())) {
      throw Error(where, "special id out of range", "below " + std::to_string(model.pieces.size()),
                  std::to_string(id));
    }
  }
}

std::optional<std::int64_t> optional_id(std::int64_t id) {
  return id < 0 ? std::nullopt : std::optional(id);
}

}  // namespace

bool is_sentencepiece_model(std::string_view file) {
  return !file.empty() && file[0] == '\n';  // field 1 as bytes: the first piece
}

SentencePieceModel parse_sentencepiece_model(std::string_view file, const std::string& where) {
  SentencePieceModel model;
  ProtobufReader reader(file, where);
  while (reader.next()) {
    if (reader.field() == 1) {
      model.pieces.push_back(
          parse_piece(reader.bytes(), where + ": piece " + std::to_string(model.pieces.size())));
    } else if (reader.field() == 2) {
      parse_trainer(reader.bytes(), where + ": trainer_spec", model);
    } else if (reader.field() == 3) {
      parse_normalizer(reader.bytes(), where + ": normalizer_spec", model);
    }
  }
  check(model, where);
  return model;
}

void use_sentencepiece_model(const SentencePieceModel& model, const std::string& where,
                             TokenizerDraft& draft) {
  Tokenizer& tokenizer = draft.tokenizer;
  tokenizer.kind =
      model.model_type == kBpe ? TokenizerKind::sentencepiece_bpe : TokenizerKind::unigram;
  tokenizer.byte_fallback = model.byte_fallback;
  tokenizer.fuse_unknown = true;
  tokenizer.character_map = model.character_map;
  if (!model.character_map.empty()) tokenizer.normalizers.push_back(Normalizer::character_map);
  tokenizer.space_marks = SpaceMarks::sentencepiece;
  tokenizer.drops_first_space = model.add_dummy_prefix;
  tokenizer.space_prefix = model.add_dummy_prefix ? SpacePrefix::always : SpacePrefix::never;
  tokenizer.remove_extra_whitespaces = model.remove_extra_whitespaces;
  for (const Token& piece : model.pieces) {
    const std::int64_t id = draft.vocabulary.size();
    draft.vocabulary.add(id, piece, where);
    if (piece.type == TokenType::control || piece.type == TokenType::user_defined) {
      AddedToken added{id, piece.text, piece.type == TokenType::control};
      added.normalized = piece.type == TokenType::user_defined;
      draft.add(std::move(added), where);
    }
  }
  tokenizer.unknown = optional_id(model.unknown);
  tokenizer.bos = optional_id(model.bos);
  tokenizer.eos = optional_id(model.eos);
  tokenizer.pad = optional_id(model.pad);
  tokenizer.add_bos = tokenizer.bos.has_value();
}

void take_scores(const SentencePieceModel& model, TokenizerDraft& draft) {
  Vocabulary& vocabulary = draft.vocabulary;
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    const auto id = static_cast<std::int64_t>(i);
    if (!vocabulary.has(id) || vocabulary.at(id).text != model.pieces[i].text) {
      draft.tokenizer.notes.push_back(
          "tokenizer.model has \"" + printable(model.pieces[i].text, 40) + "\" at id " +
          std::to_string(i) +
          " where tokenizer.json has another token: only tokenizer.json was used");
      return;
    }
  }
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    Token& token = vocabulary.at(static_cast<std::int64_t>(i));
    token.score = model.pieces[i].score;
    if (token.type == TokenType::normal) token.type = model.pieces[i].type;
  }
}

}  // namespace zp
