#include "text/tiktoken.h"

#include <charconv>
#include <limits>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "text/base64.h"
#include "text/byte_alphabet.h"
#include "text/split_family.h"

namespace zp {
namespace {

// Published vocabularies end at 128 bytes (runs of spaces and dashes). The bound keeps the search
// for merges, which is quadratic in it, short.
constexpr std::size_t kMaxTokenBytes = 1024;

using Ranks = std::unordered_map<std::string, std::int64_t>;

struct Line {
  std::string bytes;
  std::int64_t rank = 0;
};

std::optional<Line> parse_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::optional<std::string> bytes = decode_base64(line.substr(0, space));
  const std::string_view digits = line.substr(space + 1);
  Line parsed;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), parsed.rank);
  if (!bytes || bytes->empty() || error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  parsed.bytes = *bytes;
  return parsed;
}

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

Ranks read_ranks(std::string_view file, const std::string& where, Vocabulary& vocabulary) {
  Ranks ranks;
  for (std::int64_t number = 1; !file.empty(); ++number) {
    const std::string_view line = next_line(file);
    if (line.empty()) continue;
    const std::string place = where + ": line " + std::to_string(number);
    const std::optional<Line> parsed = parse_line(line);
    if (!parsed)
      throw Error(place, "no line of a tiktoken file", "\"BASE64 RANK\"",
                  std::string(line.substr(0, 80)));
    if (parsed->bytes.size() > kMaxTokenBytes) throw Error(place, "token too long");
    vocabulary.add(parsed->rank, {spell_bytes(parsed->bytes)}, place);
    ranks.emplace(parsed->bytes, parsed->rank);
  }
  for (int byte = 0; byte < 256; ++byte) {
    if (ranks.count(std::string(1, static_cast<char>(byte))) == 0) {
      throw Error(where, "no token for the single byte " + std::to_string(byte));
    }
  }
  return ranks;
}

// Where token's bytes fall apart into its last two parts, or 0 when they don't come down to two.
std::size_t last_split(const std::string& token, const Ranks& ranks) {
  constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  std::vector<std::size_t> ends;  // of the parts, without the last
  for (std::size_t i = 1; i <= token.size(); ++i) ends.push_back(i);
  const auto begin_of = [&](std::size_t part) { return part == 0 ? 0 : ends[part - 1]; };
  const auto pair_rank = [&](std::size_t part) {
    if (part + 1 >= ends.size()) return kNone;
    const auto place = ranks.find(token.substr(begin_of(part), ends[part + 1] - begin_of(part)));
    return place == ranks.end() ? kNone : place->second;
  };
  std::vector<std::int64_t> pairs;  // rank of part and part + 1 merged
  for (std::size_t part = 0; part < ends.size(); ++part) pairs.push_back(pair_rank(part));
  while (ends.size() > 2) {
    std::size_t best = 0;
    for (std::size_t part = 1; part < pairs.size(); ++part) {
      if (pairs[part] < pairs[best]) best = part;
    }
    if (pairs[best] == kNone) return 0;
    ends.erase(ends.begin() + static_cast<std::ptrdiff_t>(best));
    pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(best));
    pairs[best] = pair_rank(best);
    if (best > 0) pairs[best - 1] = pair_rank(best - 1);
  }
  return ends[0];
}

void derive_merges(const Ranks& ranks, TokenizerDraft& draft, const std::string& where) {
  for (std::int64_t id = 0; id < draft.vocabulary.size(); ++id) {
    if (!draft.vocabulary.has(id)) continue;
    const std::string token = *unspell_bytes(draft.vocabulary.at(id).text);
    if (token.size() < 2) continue;
    const std::size_t split = last_split(token, ranks);
    if (split == 0) continue;
    draft.add_merge(spell_bytes(token.substr(0, split)), spell_bytes(token.substr(split)), where);
  }
}

}  // namespace

bool is_tiktoken(std::string_view file) { return parse_line(next_line(file)).has_value(); }

void read_tiktoken(std::string_view file, const std::string& stem, const std::string& where,
                   TokenizerDraft& draft) {
  Tokenizer& tokenizer = draft.tokenizer;
  tokenizer.kind = TokenizerKind::byte_bpe;
  tokenizer.ignore_merges = true;
  const Ranks ranks = read_ranks(file, where, draft.vocabulary);
  const SplitFamily* family = family_of_tiktoken(stem, static_cast<std::int64_t>(ranks.size()));
  if (family == nullptr) {
    throw Error(where, "a list of ranks that doesn't say how to split text into words",
                "tokenizer.json beside it",
                std::to_string(ranks.size()) + " ranks of no known model");
  }
  tokenizer.split_regexes.emplace_back(family->regex);
  if (family->nfc) tokenizer.normalizers.push_back(Normalizer::nfc);
  tokenizer.notes.push_back("words split as in " + std::string(family->name) +
                            ", by the file of ranks");
  derive_merges(ranks, draft, where);
}

}  // namespace zp
