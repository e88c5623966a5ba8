#include "container/openvino_tokenizer.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/decode.h"
#include "text/normalize.h"
#include "text/oniguruma.h"
#include "text/token_model.h"
#include "text/tokenizer_files.h"

namespace zp {
namespace {

// The version whose operations these are. The generation library treats graphs of unknown ones as
// those of its first releases.
constexpr std::string_view kVersion = "2026.4.1.0";
// The operation keeps the ids of so many words: as the converter has it, a fifth of the vocabulary.
constexpr std::int64_t kLeastWordsKept = 20'000;
constexpr std::int64_t kTokensToAWordKept = 5;

// As the converter writes it.
constexpr std::int32_t kNoLimit = std::numeric_limits<std::int32_t>::max() - 64;

using Merges = std::vector<std::pair<std::string, std::string>>;

// A mark, and what follows it up to the next one.
constexpr std::string_view kWordAtMark = "\xE2\x96\x81[^\xE2\x96\x81]*";

bool is_over_bytes(const Tokenizer& t) { return t.kind == TokenizerKind::byte_bpe; }
bool has_marks(const Tokenizer& t) {
  return t.kind == TokenizerKind::sentencepiece_bpe && t.space_marks != SpaceMarks::none;
}

std::string_view form_of(Normalizer n) {
  if (n == Normalizer::nfc) return "nfc";
  if (n == Normalizer::nfd) return "nfd";
  if (n == Normalizer::nfkc) return "nfkc";
  return n == Normalizer::nfkd ? "nfkd" : "";
}

// A text that a regular expression shall find as it is.
std::string quoted(std::string_view text) {
  std::string regex;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                         (c >= 'A' && c <= 'Z') || c == '_' || byte >= 0x80;
    if (!is_word) regex += '\\';
    regex += c;
  }
  return regex;
}

// The longest first: of alternatives the first that fits is taken.
std::vector<const AddedToken*> longest_first(const Tokenizer& t) {
  std::vector<const AddedToken*> added;
  for (const AddedToken& token : t.added) added.push_back(&token);
  std::ranges::stable_sort(added, std::ranges::greater(),
                           [](const AddedToken* token) { return token->text.size(); });
  return added;
}

// One group for each way of taking white space along.
std::string added_regex(const Tokenizer& t) {
  std::map<std::pair<bool, bool>, std::string> groups;
  for (const AddedToken* token : longest_first(t)) {
    std::string& group = groups[{token->lstrip, token->rstrip}];
    group += (group.empty() ? "" : "|") + quoted(token->text);
  }
  std::string regex;
  for (const auto& [strips, group] : groups) {
    regex += regex.empty() ? "" : "|";
    regex += (strips.first ? "(?:\\s*)(" : "(") + group + (strips.second ? ")(?:\\s*)" : ")");
  }
  return regex;
}

class TokenizerGraphs : private GraphBuilder {
 public:
  explicit TokenizerGraphs(const Tokenizer& tokenizer) : t_(tokenizer) {}

  TokenizerGraph encoding(const std::string& where);
  TokenizerGraph decoding();

 private:
  std::string integers(const std::vector<std::int32_t>& values);
  std::string integer(std::int32_t value);
  std::string bytes(std::string_view text);
  Names strings(const std::vector<std::string>& texts);
  Names several(std::string_view op, Names inputs, std::size_t outputs, Attributes attributes = {});
  void parameter(std::string_view name, std::string_view type, std::string_view shape);
  void result(std::string value, std::string_view name);
  TokenizerGraph take();

  Names replaced(Names texts, std::string_view regex, std::string_view by, bool all = true);
  Names one_each(const Names& texts);
  Names with_prefix_of_text(Names texts);
  Names normalized(Names pieces);
  Names split(Names words, std::string_view regex);
  Names tokens(Names words);
  Names shortened(Names ids);
  Names with_ends(const Names& ids);
  std::string stored(const std::string& text) const;
  std::vector<std::string> vocabulary(const Merges& merges) const;

  const Tokenizer& t_;
};

std::string TokenizerGraphs::integers(const std::vector<std::int32_t>& values) {
  return constant(DType::i32, {std::ssize(values)},
                  {reinterpret_cast<const char*>(values.data()), values.size() * 4});
}

std::string TokenizerGraphs::integer(std::int32_t value) {
  return constant(DType::i32, {}, {reinterpret_cast<const char*>(&value), 4});
}

std::string TokenizerGraphs::bytes(std::string_view text) {
  return constant(DType::u8, {std::ssize(text)}, std::string(text));
}

TokenizerGraphs::Names TokenizerGraphs::strings(const std::vector<std::string>& texts) {
  std::vector<std::int32_t> begins, ends;
  std::string all;
  for (const std::string& text : texts) {
    begins.push_back(static_cast<std::int32_t>(all.size()));
    all += text;
    ends.push_back(static_cast<std::int32_t>(all.size()));
  }
  return {integers(begins), integers(ends), bytes(all)};
}

TokenizerGraphs::Names TokenizerGraphs::several(std::string_view op, Names inputs,
                                                std::size_t outputs, Attributes attributes) {
  node(op, std::move(inputs), std::move(attributes));
  Names& all = nodes().back().outputs;
  while (all.size() < outputs) all.push_back(new_name(op));
  return all;
}

void TokenizerGraphs::parameter(std::string_view name, std::string_view type,
                                std::string_view shape) {
  node("Parameter", {}, {{"shape", std::string(shape)}, {"element_type", std::string(type)}});
  nodes().back().outputs = {std::string(name)};
}

void TokenizerGraphs::result(std::string value, std::string_view name) {
  for (GraphNode& n : nodes()) std::ranges::replace(n.outputs, value, std::string(name));
  node("Result", {std::string(name)});
  nodes().back().outputs.clear();
}

TokenizerGraph TokenizerGraphs::take() {
  TokenizerGraph graph;
  graph.nodes = take_nodes();
  graph.constants = constants();
  return graph;
}

// texts: three values, or four where the last says which are added tokens and stay as they are.
TokenizerGraphs::Names TokenizerGraphs::replaced(Names texts, std::string_view regex,
                                                 std::string_view by, bool all) {
  const std::size_t outputs = texts.size();
  texts.push_back(bytes(regex));
  texts.push_back(bytes(by));
  return several("RegexNormalization", std::move(texts), outputs,
                 {{"global_replace", std::string(all ? "true" : "false")}});
}

// Every text a list of one.
TokenizerGraphs::Names TokenizerGraphs::one_each(const Names& texts) {
  const std::string count =
      node("Gather",
           {node("ShapeOf", {texts[0]}, {{"output_type", std::string("i64")}}), whole(0), whole(0)},
           {{"batch_dims", std::int64_t{0}}});
  const std::string end =
      node("Add", {count, whole(1)}, {{"auto_broadcast", std::string("numpy")}});
  const Attributes type = {{"output_type", std::string("i32")}};
  Names lists = {node("Range", {whole(0), count, whole(1)}, type),
                 node("Range", {whole(1), end, whole(1)}, type)};
  lists.insert(lists.end(), texts.begin(), texts.end());
  return lists;
}

// A space in front of the text alone, unless an added token or, but for `normalizer`, a space begins
// it.
TokenizerGraphs::Names TokenizerGraphs::with_prefix_of_text(Names texts) {
  if (t_.space_prefix != SpacePrefix::first) return texts;
  std::string regex = "\\A";
  for (const AddedToken* token : longest_first(t_)) {
    regex += (regex.size() == 2 ? "(?!" : "|") + std::string(token->lstrip ? "\\s*" : "") +
             quoted(token->text);
  }
  if (!t_.added.empty()) regex += ")";
  const bool always =
      has_marks(t_) && t_.space_marks != SpaceMarks::metaspace && !t_.remove_extra_whitespaces;
  regex += always ? "([\\s\\S])" : "([^ " + std::string(kSpaceMark) + "])";
  return replaced(std::move(texts), regex, is_over_bytes(t_) ? " $1" : "\xE2\x96\x81$1", false);
}

TokenizerGraphs::Names TokenizerGraphs::normalized(Names pieces) {
  const std::size_t outputs = pieces.size();
  const auto mapped = [&](std::string_view form, bool folds) {
    pieces = several("CharsMapNormalization", std::move(pieces), outputs,
                     {{"add_dummy_prefix", std::string("false")},
                      {"remove_extra_whitespaces", std::string("false")},
                      {"escape_whitespaces", std::string("false")},
                      {"normalization_form", std::string(form)},
                      {"case_fold", std::string(folds ? "true" : "false")},
                      {"nmt", std::string("false")}});
  };
  const auto replace = [&](std::string_view regex, std::string_view by, bool all = true) {
    pieces = replaced(std::move(pieces), regex, by, all);
  };
  for (const Normalizer n : t_.normalizers) {
    if (!form_of(n).empty()) mapped(form_of(n), false);
    if (n == Normalizer::lowercase) mapped("identity", true);
    if (n == Normalizer::strip_left) replace("\\A\\s+", "", false);
    if (n == Normalizer::strip_right) replace("\\s+\\z", "", false);
    if (n == Normalizer::join_spaces) replace(" {2,}", kSpaceMark);
  }
  const bool prefix = t_.space_prefix == SpacePrefix::always;
  if (is_over_bytes(t_) && prefix) replace("\\A([^ ])", " $1", false);
  if (!has_marks(t_)) return pieces;
  if (t_.remove_extra_whitespaces) {
    replace("\\A +| +\\z", "");
    replace(" {2,}", " ");
  }
  replace(" ", kSpaceMark);
  const bool unless_there = t_.space_marks == SpaceMarks::metaspace;
  if (prefix)
    replace(unless_there ? "\\A([^\xE2\x96\x81])" : "\\A([\\s\\S])", "\xE2\x96\x81$1", false);
  return pieces;
}

// What is found is a word, and so is what lies between.
TokenizerGraphs::Names TokenizerGraphs::split(Names words, std::string_view regex) {
  const std::size_t outputs = words.size();
  words.push_back(bytes(regex));
  return several("RegexSplit", std::move(words), outputs,
                 {{"behaviour", std::string("isolate")},
                  {"invert", std::string("false")},
                  {"max_splits", std::int64_t{-1}}});
}

std::string TokenizerGraphs::stored(const std::string& text) const {
  return is_over_bytes(t_) ? unspell_bytes(text).value_or("") : text;
}

// Texts as the operation compares them: bytes, where the tokenizer is over bytes. Merging begins with
// the longest tokens that no merge makes, so of those only single symbols are there, unless words
// that are tokens stay whole. What isn't there is empty.
std::vector<std::string> TokenizerGraphs::vocabulary(const Merges& merges) const {
  std::unordered_set<std::string> made;
  for (const auto& [left, right] : merges) made.insert(left + right);
  const std::vector<bool> of_model = tokens_of_model(t_);
  const auto begins = [&](std::size_t id) {
    const Token& token = t_.tokens[id];
    std::size_t end = 0;
    if (!token.text.empty()) next_code_point(token.text, end);
    return t_.ignore_merges || token.type == TokenType::byte ||
           (t_.unknown && static_cast<std::size_t>(*t_.unknown) == id) ||
           end == token.text.size() || made.contains(token.text);
  };
  std::vector<std::string> texts(t_.tokens.size());
  for (std::size_t id = 0; id < t_.tokens.size(); ++id) {
    if (of_model[id] && begins(id)) texts[id] = stored(t_.tokens[id].text);
  }
  for (const AddedToken& token : t_.added) texts[static_cast<std::size_t>(token.id)] = token.text;
  return texts;
}

TokenizerGraphs::Names TokenizerGraphs::tokens(Names words) {
  const auto append = [&](const Names& more) {
    words.insert(words.end(), more.begin(), more.end());
  };
  const bool by_score = t_.merges.empty() && t_.kind == TokenizerKind::sentencepiece_bpe;
  const Merges merges = by_score ? merges_by_score(t_) : t_.merges;
  append(strings(vocabulary(merges)));
  std::vector<std::string> left, right;
  for (const auto& [a, b] : merges) {
    left.push_back(stored(a));
    right.push_back(stored(b));
  }
  append(strings(left));
  append(strings(right));
  if (!t_.added.empty()) {
    std::vector<std::string> texts;
    std::vector<std::int32_t> ids;
    for (const AddedToken& token : t_.added) {
      texts.push_back(token.text);
      ids.push_back(static_cast<std::int32_t>(token.id));
    }
    append(strings(texts));
    append({integers(ids)});
  }
  const bool has_unknown = t_.unknown && !t_.skip_unknown && *t_.unknown < std::ssize(t_.tokens);
  const std::int64_t kept = std::ssize(t_.tokens) / kTokensToAWordKept;
  return several("BPETokenizer", std::move(words), 3,
                 {{"unk_token", has_unknown ? t_.tokens[static_cast<std::size_t>(*t_.unknown)].text
                                            : std::string()},
                  {"fuse_unk", std::string(t_.fuse_unknown ? "true" : "false")},
                  {"suffix_indicator", std::string()},
                  {"end_suffix", std::string()},
                  {"byte_fallback", std::string(t_.byte_fallback ? "true" : "false")},
                  {"cache_capacity", std::max(kept, kLeastWordsKept)}});
}

// Nothing is cut off, but the generation library wants the operation there: it sets lengths by it,
// and without it a text encoded without the tokens around it comes out empty.
TokenizerGraphs::Names TokenizerGraphs::shortened(Names ids) {
  for (const std::string& name : {integer(kNoLimit), bytes("right"), bytes("longest_first")})
    ids.push_back(name);
  return several("Truncate", std::move(ids), 3, {{"m_num_inputs", std::int64_t{1}}});
}

// The generation library finds the tokens around a text as constants here, and turns them off in
// chats.
TokenizerGraphs::Names TokenizerGraphs::with_ends(const Names& ids) {
  Names inputs;
  std::vector<std::int32_t> segments = {0};
  const auto end = [&](bool there, const std::optional<std::int64_t>& id) {
    if (!there || !id) return;
    for (const std::string& name :
         {integer(0), integer(1), integers({static_cast<std::int32_t>(*id)})})
      inputs.push_back(name);
    segments.push_back(0);
  };
  end(t_.add_bos, t_.bos);
  inputs.insert(inputs.end(), ids.begin(), ids.end());
  end(t_.add_eos, t_.eos);
  inputs.push_back(integers(segments));
  Names all = several("CombineSegments", std::move(inputs), 6);
  all.resize(3);
  return all;
}

TokenizerGraph TokenizerGraphs::encoding(const std::string& where) {
  parameter("string_input", "string", "?");
  Names texts = with_prefix_of_text(several("StringTensorUnpack", {"string_input"}, 3));
  Names words = one_each(texts);
  if (!t_.added.empty()) {
    words.push_back(bytes(added_regex(t_)));
    words = several("SpecialTokensSplit", std::move(words), 6);
  }
  Names pieces = normalized(Names(words.begin() + 2, words.end()));
  std::ranges::move(pieces, words.begin() + 2);
  for (const std::string& regex : t_.split_regexes)
    words = split(std::move(words), pcre2_pattern(regex, where));
  if (has_marks(t_) && t_.split_at_spaces) words = split(std::move(words), kWordAtMark);
  words.resize(5);
  const Names ids = with_ends(shortened(tokens(std::move(words))));
  const std::string lengths =
      node("Subtract", {ids[1], ids[0]}, {{"auto_broadcast", std::string("numpy")}});
  const std::string longest =
      node("ReduceMax", {lengths, whole(0)}, {{"keep_dims", std::string("false")}});
  const auto padding = static_cast<std::int32_t>(t_.pad.value_or(t_.eos.value_or(0)));
  const Names rows =
      several("RaggedToDense", {ids[0], ids[1], ids[2], longest, integer(padding)}, 2,
              {{"pad_right", std::string("false")}, {"m_pad_max_length", std::string("false")}});
  const Attributes type = {{"destination_type", std::string("i64")}};
  result(node("Convert", {rows[0]}, type), "input_ids");
  result(node("Convert", {rows[1]}, type), "attention_mask");
  return take();
}

TokenizerGraph TokenizerGraphs::decoding() {
  const TokenDecoder decoder(t_);
  std::vector<std::string> texts;
  std::vector<std::int32_t> special;
  for (std::size_t i = 0; i < t_.tokens.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    texts.push_back(is_over_bytes(t_) ? std::string(decoder.bytes(id)) : t_.tokens[i].text);
    if (decoder.is_special(id)) special.push_back(id);
  }
  parameter("token_ids", "i64", "?,?");
  Names inputs = {node("Convert", {"token_ids"}, {{"destination_type", std::string("i32")}})};
  for (const std::string& name : strings(texts)) inputs.push_back(name);
  inputs.push_back(integers(special));
  Names words = several("VocabDecoder", std::move(inputs), 5, {{"skip_tokens", std::string()}});
  Names pieces(words.begin() + 2, words.end());
  if (has_marks(t_)) pieces = replaced(std::move(pieces), kSpaceMark, " ");
  if (t_.byte_fallback) pieces = several("ByteFallback", std::move(pieces), 3);
  Names text = several("FuzeRagged", {words[0], words[1], pieces[0], pieces[1]}, 2);
  text.push_back(pieces[2]);
  if (t_.drops_first_space) text = replaced(std::move(text), "\\A ", "");
  text = several("UTF8Validate", std::move(text), 3, {{"replace_mode", std::string("true")}});
  if (t_.clean_up_spaces)
    text = replaced(std::move(text), "(?| ([.?!,])| (') | (n't)| ('[ms])| ('[rv]e))", "$1");
  result(node("StringTensorPack", std::move(text)), "string_output");
  return take();
}

}  // namespace

std::string openvino_tokenizer_lacks(const Tokenizer& t) {
  if (t.kind == TokenizerKind::unigram) return "unigram models";
  if (std::ranges::find(t.normalizers, Normalizer::character_map) != t.normalizers.end() ||
      (t.kind == TokenizerKind::sentencepiece_bpe && !t.character_map.empty()))
    return "SentencePiece's maps of characters";
  return {};
}

std::vector<std::string> openvino_tokenizer_deviations(const Tokenizer& t) {
  std::vector<std::string> lines;
  const auto add_if = [&](bool holds, const char* line) {
    if (holds) lines.emplace_back(line);
  };
  const TextNormalizer normalizer(t, "tokenizer");
  const auto is_respelled = [&](const AddedToken& token) {
    return token.normalized && normalizer.added_token(token.text) != token.text;
  };
  const bool has_bytes =
      is_over_bytes(t) ||
      (t.byte_fallback && std::ranges::count(t.tokens, TokenType::byte, &Token::type) == 256);
  add_if(std::ranges::find(t.normalizers, Normalizer::lowercase) != t.normalizers.end(),
         "letters whose lower case is not what they are folded to (it folds)");
  add_if(std::ranges::any_of(t.added, &AddedToken::single_word),
         "words that hold an added token that only stands alone (it finds it there)");
  add_if(std::ranges::any_of(t.added, is_respelled),
         "added tokens that normalization spells otherwise (it looks for them before)");
  add_if(!has_bytes,
         "characters without a token (it has the unknown token once for each of their bytes)");
  return lines;
}

TokenizerGraph openvino_tokenizer(const Tokenizer& tokenizer, const std::string& where) {
  return TokenizerGraphs(tokenizer).encoding(where);
}

TokenizerGraph openvino_detokenizer(const Tokenizer& tokenizer) {
  return TokenizerGraphs(tokenizer).decoding();
}

std::vector<std::pair<std::string, std::string>> openvino_tokenizer_info(const Tokenizer& t) {
  std::vector<std::pair<std::string, std::string>> info;
  const auto add = [&](const char* name, const std::optional<std::int64_t>& id) {
    if (id) info.emplace_back(name, std::to_string(*id));
  };
  add("bos_token_id", t.bos);
  if (!t.chat_template.empty()) info.emplace_back("chat_template", t.chat_template);
  add("eos_token_id", t.eos);
  info.emplace_back("openvino_tokenizers_version", kVersion);
  add("pad_token_id", t.pad);
  return info;
}

}  // namespace zp
