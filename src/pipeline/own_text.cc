#include "pipeline/own_text.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "base/checked.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "engine/engine.h"
#include "pipeline/loop_finder.h"
#include "pipeline/model_copy.h"
#include "pipeline/sampling.h"
#include "text/chat.h"
#include "text/decode.h"
#include "text/documents.h"
#include "text/generation.h"

namespace zp {
namespace {

// Twice as many documents side by side in the same memory. Always, so that the text doesn't depend
// on how much there is.
constexpr KvType kKvType = KvType::bf16;
constexpr std::int64_t kMostStreams = 64;      // more gain nothing: products are at their rate
constexpr std::int64_t kPromptTogether = 512;  // tokens of prompts that go through at once
constexpr std::int64_t kAttempts = 4;          // at a document
constexpr std::int64_t kFewLeftOut = 16;       // documents, which say nothing of a model yet
// Documents are begun for this part more than is wanted: one that is missed at the end goes through
// the network alone, which takes about as long as with many.
constexpr double kSpare = 1.25;
// What certainly becomes of the tokens of a document under way, read back from its text.
constexpr double kCertain = 0.9;

std::int64_t length_of(const Decoder& decoder, const OwnTextOptions& options) {
  return decoder.context > 0 ? std::min(options.length, decoder.context) : options.length;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin));
}

Json message(std::string_view role, const std::string& content) {
  return {{"role", role}, {"content", content}};
}

Chat question(const std::string& words) {
  Chat chat;
  chat.messages.push_back(message("user", words));
  return chat;
}

// How the chat template surrounds what a user says.
struct UserTurn {
  std::string before;
  std::string after;  ///< up to where the answer begins
};

// Nothing: there is no template, or none that takes a user's message as it is.
std::optional<UserTurn> user_turn(const Tokenizer& tokenizer, ChatTemplates& templates) {
  if (tokenizer.chat_template.empty()) return std::nullopt;
  const std::string words = "Zeropoint-4f1c";  // that no template has
  std::string text;
  try {
    text = templates.render(question(words), true);
  } catch (const Error&) {
    return std::nullopt;  // texts can be written all the same
  }
  const std::size_t at = text.find(words);
  if (at == std::string::npos || text.find(words, at + 1) != std::string::npos) return std::nullopt;
  return UserTurn{text.substr(0, at), text.substr(at + words.size())};
}

std::optional<TokenId> special_token(const Tokenizer& tokenizer, std::string_view text) {
  for (const AddedToken& token : tokenizer.added) {
    if (token.special && token.text == text) return static_cast<TokenId>(token.id);
  }
  return std::nullopt;
}

// BOS, unless the chat template begins each turn with it; else what stands between documents of
// many models' training, or EOS.
TokenId text_begin(const Tokenizer& tokenizer, const std::optional<UserTurn>& turn,
                   const std::string& where) {
  if (tokenizer.bos) {
    const std::string& text = tokenizer.tokens[static_cast<std::size_t>(*tokenizer.bos)].text;
    const bool begins_turns =
        !tokenizer.add_bos && turn && turn->after.find(text) != std::string::npos;
    if (!begins_turns) return static_cast<TokenId>(*tokenizer.bos);
  }
  if (const auto separator = special_token(tokenizer, "<|endoftext|>")) return *separator;
  if (tokenizer.bos) return static_cast<TokenId>(*tokenizer.bos);
  if (tokenizer.eos) return static_cast<TokenId>(*tokenizer.eos);
  throw Error(where, "no token that begins a text", "BOS or EOS");
}

const Tokenizer& tokenizer_in(const LoadedModel& loaded) {
  if (!loaded.tokenizer) {
    throw Error(loaded.checkpoint.path.string(),
                "has no tokenizer, without which it writes no text");
  }
  return *loaded.tokenizer;
}

// A document that is being written.
struct Draft {
  Draft(KvCache room, const TokenDecoder& decoder) : cache(std::move(room)), stream(decoder) {}

  bool idle() const { return index < 0; }
  std::int64_t tokens() const { return std::ssize(ids); }
  /// Those that the network hasn't seen.
  std::span<const TokenId> waiting() const {
    return std::span(ids).subspan(static_cast<std::size_t>(cache.length()));
  }

  KvCache cache;
  std::int64_t index = -1;  // of the document; -1: none
  std::int64_t attempt = 0;
  bool conversation = false;
  bool asking = false;  // it writes the user's words
  std::string asked;    // these, when they are complete
  Random random{0};
  std::vector<TokenId> ids;
  TokenDecoder::Stream stream;
  std::string text;  // of this turn, as far as it is
  LoopFinder loops;
};

struct Outcome {
  std::optional<Document> document;  // nothing: no attempt came to anything
  std::int64_t tokens = 0;
  std::int64_t restarted = 0;
};

class Writer {
 public:
  Writer(const LoadedModel& loaded, const OwnTextOptions& options, std::int64_t tokens,
         std::int64_t streams, const Team& team, Progress& progress)
      : options_(options),
        wanted_(tokens),
        length_(length_of(loaded.model.decoder, options)),
        team_(team),
        progress_(progress),
        tokenizer_(tokenizer_in(loaded)),
        where_(loaded.checkpoint.path.string()),
        engine_(loaded.model, team),
        encoder_(tokenizer_, where_),
        decoder_(tokenizer_),
        templates_(tokenizer_, where_),
        ends_(generation_ends(&tokenizer_, loaded.checkpoint.generation_config())) {
    std::optional<UserTurn> turn = user_turn(tokenizer_, templates_);
    begin_ = text_begin(tokenizer_, turn, where_);
    if (turn) prepare_conversations(*turn);
    find_rows_without_token(loaded.model.decoder.vocabulary);
    if (!options.weights.empty()) {
      copy_.emplace(loaded.model, options.weights, "own text", team, progress);
      copy_->replace_in(engine_);
    }
    for (std::int64_t i = 0; i < streams; ++i)
      drafts_.emplace_back(engine_.make_cache(length_, kKvType), decoder_);
  }

  OwnText write() {
    progress_.stage("own text", wanted_, "tokens");
    while (!take_outcomes()) {
      begin_documents();
      step();
      say_progress();
    }
    result_.begin = tokenizer_.tokens[static_cast<std::size_t>(begin_)].text;
    return std::move(result_);
  }

 private:
  void prepare_conversations(const UserTurn& turn) {
    const std::vector<TokenId> before = encoder_.encode(turn.before, false);
    const std::int64_t around = std::ssize(before) + std::ssize(encoder_.encode(turn.after, false));
    if (before.empty() || 2 * around > length_) return;
    user_begin_ = before;
    most_asked_ = std::ssize(before) + (length_ - around) / 2;
    // Where no special token ends the turn, the words that come next do.
    const std::string after = trimmed(turn.after);
    turn_end_ = after.substr(0, after.find('\n'));
  }

  // Padding of the embedding, which nobody trained, and tokens that texts never have.
  void find_rows_without_token(std::int64_t rows) {
    for (std::int64_t id = 0; id < rows; ++id) {
      if (id >= std::ssize(tokenizer_.tokens) ||
          tokenizer_.tokens[static_cast<std::size_t>(id)].type == TokenType::unused)
        without_token_.push_back(id);
    }
  }

  void begin(Draft& draft, std::int64_t index, std::int64_t attempt) {
    draft.index = index;
    draft.attempt = attempt;
    draft.conversation = !user_begin_.empty() && (index + attempt) % 2 == 1;
    draft.asking = draft.conversation;
    draft.asked.clear();
    const std::array<std::uint64_t, 3> numbers = {options_.seed, static_cast<std::uint64_t>(index),
                                                  static_cast<std::uint64_t>(attempt)};
    Hash64 hash;
    hash.add(std::as_bytes(std::span(numbers)));
    draft.random = Random(hash.value());
    begin_turn(draft, draft.conversation ? user_begin_ : std::vector<TokenId>{begin_});
  }

  // What the cache has of `ids` stays; the last token goes through again, since its logits are
  // needed.
  void begin_turn(Draft& draft, std::vector<TokenId> ids) {
    draft.ids.resize(static_cast<std::size_t>(draft.cache.length()));
    const auto [seen, given] = std::ranges::mismatch(draft.ids, ids);
    draft.cache.truncate(std::min(seen - draft.ids.begin(), std::ssize(ids) - 1));
    draft.ids = std::move(ids);
    draft.stream = TokenDecoder::Stream(decoder_);
    draft.text.clear();
    draft.loops = LoopFinder();
  }

  void begin_anew(Draft& draft) {
    if (draft.attempt + 1 < kAttempts) return begin(draft, draft.index, draft.attempt + 1);
    outcomes_[draft.index] = {std::nullopt, 0, kAttempts};
    draft.index = -1;
  }

  // Tokens that documents will have: those that are there, and what those under way will come to.
  double expected() const {
    double there = static_cast<double>(result_.tokens);
    double written = 0;
    for (const auto& [index, outcome] : outcomes_) there += static_cast<double>(outcome.tokens);
    const auto finished = static_cast<double>(finished_);
    const double mean = finished_ > 0 ? static_cast<double>(finished_tokens_) / finished
                                      : static_cast<double>(length_);
    for (const Draft& draft : drafts_) {
      if (!draft.idle()) written += std::max(mean, static_cast<double>(draft.tokens()));
    }
    return there + written;
  }

  bool under_way(std::int64_t index) const {
    return outcomes_.contains(index) ||
           std::ranges::find(drafts_, index, &Draft::index) != drafts_.end();
  }

  void begin_documents() {
    if (drop_what_is_not_needed()) return;
    for (Draft& draft : drafts_) {
      if (!draft.idle()) continue;
      if (expected() >= kSpare * static_cast<double>(wanted_)) return;
      std::int64_t next = taken_;
      while (under_way(next)) ++next;
      begin(draft, next, 0);
    }
  }

  // Documents behind so many tokens that there will be enough; whether that is so.
  bool drop_what_is_not_needed() {
    double tokens = static_cast<double>(result_.tokens);
    std::vector<Draft*> in_order;
    for (Draft& draft : drafts_) {
      if (!draft.idle()) in_order.push_back(&draft);
    }
    std::ranges::sort(in_order, {}, &Draft::index);
    auto outcome = outcomes_.begin();
    for (Draft* draft : in_order) {
      for (; outcome != outcomes_.end() && outcome->first < draft->index; ++outcome)
        tokens += static_cast<double>(outcome->second.tokens);
      if (tokens >= static_cast<double>(wanted_)) draft->index = -1;
      tokens += kCertain * static_cast<double>(draft->tokens());
    }
    return tokens >= static_cast<double>(wanted_);
  }

  // Every document under way goes on by one token. Prompts have more, of which only the last one's
  // logits are needed.
  void step() {
    std::vector<Chunk> prompts;
    std::size_t together = 0;
    const auto forward_prompts = [&] {
      if (!prompts.empty()) engine_.forward(prompts);
      prompts.clear();
      together = 0;
    };
    std::vector<Draft*> active;
    for (Draft& draft : drafts_) {
      if (draft.idle()) continue;
      active.push_back(&draft);
      const std::span<const TokenId> waiting = draft.waiting();
      if (waiting.size() == 1) continue;
      prompts.push_back({&draft.cache, waiting.first(waiting.size() - 1)});
      together += waiting.size() - 1;
      if (together >= kPromptTogether) forward_prompts();
    }
    forward_prompts();
    std::vector<Chunk> last;
    for (Draft* draft : active) last.push_back({&draft->cache, draft->waiting()});
    const Activations hidden = engine_.forward(last);
    Activations logits = engine_.logits(hidden.view());
    std::vector<TokenId> chosen(active.size());
    team_.run(std::ssize(active), [&](std::int64_t i) {
      const std::span<float> row = logits.view().row(i);
      for (const std::int64_t id : without_token_)
        row[static_cast<std::size_t>(id)] = -std::numeric_limits<float>::infinity();
      const auto at = static_cast<std::size_t>(i);
      chosen[at] = choose(row, {.temperature = options_.temperature}, active[at]->random);
    });
    for (std::size_t i = 0; i < active.size(); ++i) add(*active[i], chosen[i]);
  }

  bool ends(TokenId id) const {
    return decoder_.is_special(id) || std::ranges::find(ends_, id) != ends_.end();
  }

  void add(Draft& draft, TokenId id) {
    bool complete = ends(id);
    if (!complete) {
      draft.text += draft.stream.push(id);
      draft.ids.push_back(id);
      if (draft.loops.push(id)) return begin_anew(draft);
      const std::size_t end =
          draft.asking && !turn_end_.empty() ? draft.text.find(turn_end_) : std::string::npos;
      draft.text.resize(std::min(end, draft.text.size()));
      complete =
          end != std::string::npos || draft.tokens() >= (draft.asking ? most_asked_ : length_);
    }
    if (!complete) return;
    const std::string said = trimmed(draft.text);
    if (said.empty()) return begin_anew(draft);
    if (draft.asking) return answer(draft, said);
    finish(draft, said);
  }

  void answer(Draft& draft, const std::string& asked) {
    std::vector<TokenId> ids = encoder_.encode(templates_.render(question(asked), true), false);
    if (std::ssize(ids) >= length_) return begin_anew(draft);  // broken characters take more tokens
    draft.asking = false;
    draft.asked = asked;
    begin_turn(draft, std::move(ids));
  }

  void finish(Draft& draft, const std::string& said) {
    Outcome outcome{Document(), 0, draft.attempt};
    if (draft.conversation) {
      Chat chat = question(draft.asked);
      chat.messages.push_back(message("assistant", said));
      outcome.document->chat = std::make_shared<const Chat>(std::move(chat));
    } else {
      outcome.document->text = said;
    }
    outcome.tokens = std::ssize(encode_document(*outcome.document, encoder_, templates_, true));
    if (outcome.tokens == 0) return begin_anew(draft);  // where unknown characters leave no trace
    ++finished_;
    finished_tokens_ += outcome.tokens;
    outcomes_[draft.index] = std::move(outcome);
    draft.index = -1;
  }

  // In order; whether there are enough.
  bool take_outcomes() {
    for (auto next = outcomes_.find(taken_); result_.tokens < wanted_ && next != outcomes_.end();
         next = outcomes_.find(taken_)) {
      Outcome& outcome = next->second;
      result_.restarted += outcome.restarted;
      result_.tokens += outcome.tokens;
      if (outcome.document) {
        result_.conversations += outcome.document->is_chat() ? 1 : 0;
        result_.documents.push_back(std::move(*outcome.document));
      } else {
        ++result_.left_out;
      }
      outcomes_.erase(next);
      ++taken_;
      refuse_loops();
    }
    return result_.tokens >= wanted_;
  }

  void refuse_loops() const {
    if (result_.left_out <= std::max(kFewLeftOut, std::ssize(result_.documents))) return;
    throw Error("own text", "the model loops or says nothing",
                "text, in half of the documents, or another temperature",
                std::to_string(result_.left_out) + " of " + std::to_string(taken_) +
                    " documents came to nothing in " + std::to_string(kAttempts) + " attempts");
  }

  void say_progress() {
    double there = static_cast<double>(result_.tokens);
    for (const auto& [index, outcome] : outcomes_) there += static_cast<double>(outcome.tokens);
    for (const Draft& draft : drafts_) {
      if (!draft.idle()) there += static_cast<double>(draft.tokens());
    }
    const auto now =
        static_cast<std::int64_t>(std::min(there / kSpare, static_cast<double>(wanted_)));
    progress_.advance(std::max(now - said_, std::int64_t{0}));
    said_ = std::max(said_, now);
  }

  OwnTextOptions options_;
  std::int64_t wanted_;
  std::int64_t length_;
  const Team& team_;
  Progress& progress_;
  const Tokenizer& tokenizer_;
  std::string where_;
  std::optional<ModelCopy> copy_;
  Engine engine_;
  Encoder encoder_;
  TokenDecoder decoder_;
  ChatTemplates templates_;
  std::vector<std::int64_t> ends_;
  TokenId begin_ = 0;
  std::vector<TokenId> user_begin_;  // empty: no conversations
  std::int64_t most_asked_ = 0;      // tokens up to the end of the user's words
  std::string turn_end_;
  std::vector<std::int64_t> without_token_;
  std::vector<Draft> drafts_;
  std::map<std::int64_t, Outcome> outcomes_;  // behind those taken
  std::int64_t taken_ = 0;
  std::int64_t finished_ = 0;
  std::int64_t finished_tokens_ = 0;
  std::int64_t said_ = 0;
  OwnText result_;
};

}  // namespace

OwnTextStreams own_text_streams(const Model& model, const OwnTextOptions& options,
                                std::int64_t tokens, std::int64_t memory_bytes) {
  const Decoder& decoder = model.decoder;
  const std::int64_t length = length_of(decoder, options);
  // A row of logits and, where one is drawn, their shares in FP64.
  constexpr std::int64_t kLogit = sizeof(float) + sizeof(double);
  OwnTextStreams out;
  out.bytes =
      KvCache::bytes(decoder, length, kKvType) + checked_mul(decoder.vocabulary, kLogit, "logits");
  const std::int64_t copy =
      options.weights.empty() ? 0 : ModelCopy::bytes(model, options.weights, "own text");
  if (out.bytes > memory_bytes - copy) {
    throw Error("own text", "a document does not fit the memory budget",
                "`memory` of at least " + std::to_string(out.bytes + copy) +
                    " bytes, or a length below " + std::to_string(length),
                std::to_string(memory_bytes));
  }
  const auto most = static_cast<std::int64_t>(kSpare * static_cast<double>(tokens)) / length + 1;
  out.count = std::min({kMostStreams, (memory_bytes - copy) / out.bytes, most});
  return out;
}

OwnText write_own_text(const LoadedModel& loaded, const OwnTextOptions& options,
                       std::int64_t tokens, std::int64_t streams, const Team& team,
                       Progress& progress) {
  return Writer(loaded, options, tokens, streams, team, progress).write();
}

std::string to_jsonl(const std::vector<Document>& documents) {
  std::string lines;
  for (const Document& document : documents) {
    const Json row = document.is_chat() ? Json{{"messages", document.chat->messages}}
                                        : Json{{"text", document.text}};
    lines += row.dump() + "\n";
  }
  return lines;
}

}  // namespace zp
