#include "source/provenance.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/mapped_file.h"
#include "format/front_matter.h"

namespace zp {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;  // of README.md that are looked at

// Of the file itself: whoever writes a new one says them anew.
constexpr std::array<std::string_view, 7> kOfTheFile = {
    "general.architecture",
    "general.type",
    "general.name",
    "general.file_type",
    "general.alignment",
    "general.quantized_by",
    "general.quantization_version",
};

struct Named {
  std::string_view card;
  std::string_view gguf;
};
constexpr std::array<Named, 4> kTexts = {
    Named{"license", "general.license"}, Named{"license_name", "general.license.name"},
    Named{"license_link", "general.license.link"}, Named{"model_creator", "general.author"}};
constexpr std::array<Named, 4> kLists = {
    Named{"tags", "general.tags"}, Named{"pipeline_tag", "general.tags"},
    Named{"languages", "general.languages"}, Named{"language", "general.languages"}};

bool is_printable(const gguf::Value& value) {
  const auto one = [](const std::string& text) { return printable(text, text.size()) == text; };
  if (const auto* text = std::get_if<std::string>(&value)) return one(*text);
  if (const auto* texts = std::get_if<gguf::Strings>(&value))
    return std::ranges::all_of(*texts, one);
  return true;
}

// "tiny-llama-v2" -> "Tiny Llama v2", as llama.cpp's converter titles ids.
std::string title_of_id(std::string_view id) {
  std::string title;
  for (std::size_t begin = 0; begin <= id.size();) {
    const std::size_t end = std::min(id.find_first_of("- ", begin), id.size());
    std::string word(id.substr(begin, end - begin));
    begin = end + 1;
    if (word.empty()) continue;
    const bool lower = std::ranges::none_of(word, [](unsigned char c) { return std::isupper(c); });
    const bool version =
        word.size() > 1 && word[0] == 'v' && std::isdigit(static_cast<unsigned char>(word[1])) != 0;
    if (lower && !version)
      word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
    title += (title.empty() ? "" : " ") + word;
  }
  return title;
}

// Models or data sets by the Hub's ids, or addresses.
void add_repositories(std::string_view what, const std::vector<std::string>& ids,
                      std::vector<gguf::Pair>& pairs) {
  if (ids.empty()) return;
  const std::string prefix = "general." + std::string(what) + ".";
  pairs.push_back({prefix + "count", static_cast<std::uint32_t>(ids.size())});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    constexpr std::string_view kHub = "https://huggingface.co/";
    const std::string of = prefix + std::to_string(i) + ".";
    std::string id = ids[i].starts_with(kHub) ? ids[i].substr(kHub.size()) : ids[i];
    if (id.find("://") != id.npos) {
      pairs.push_back({of + "repo_url", id});
      continue;
    }
    const std::size_t slash = id.find('/');
    pairs.push_back({of + "name", title_of_id(slash == id.npos ? id : id.substr(slash + 1))});
    if (slash == id.npos) continue;
    pairs.push_back({of + "organization", title_of_id(id.substr(0, slash))});
    pairs.push_back({of + "repo_url", std::string(kHub) + id});
  }
}

const std::vector<std::string>& values_of(const FrontMatter& card, std::string_view key) {
  static const std::vector<std::string> none;
  const auto found = card.find(key);
  return found == card.end() ? none : found->second;
}

std::vector<gguf::Pair> of_card(const FrontMatter& card) {
  std::vector<gguf::Pair> pairs;
  for (const Named& n : kTexts) {
    const std::vector<std::string>& values = values_of(card, n.card);
    if (!values.empty()) pairs.push_back({std::string(n.gguf), values.front()});
  }
  add_repositories("base_model", values_of(card, "base_model"), pairs);
  add_repositories("dataset", values_of(card, "datasets"), pairs);
  for (const Named& n : kLists) {
    const std::vector<std::string>& values = values_of(card, n.card);
    if (values.empty()) continue;
    auto pair = std::ranges::find(pairs, n.gguf, &gguf::Pair::key);
    if (pair == pairs.end())
      pair = pairs.insert(pairs.end(), {std::string(n.gguf), gguf::Strings()});
    auto& texts = std::get<gguf::Strings>(pair->value);
    for (const std::string& value : values) {
      if (std::ranges::find(texts, value) == texts.end()) texts.push_back(value);
    }
  }
  return pairs;
}

}  // namespace

std::vector<gguf::Pair> gguf_provenance(std::span<const gguf::Pair> metadata) {
  std::vector<gguf::Pair> pairs;
  for (const gguf::Pair& pair : metadata) {
    const bool told = pair.key.starts_with("general.") &&
                      std::ranges::find(kOfTheFile, pair.key) == kOfTheFile.end();
    if (told && is_printable(pair.value)) pairs.push_back(pair);
  }
  return pairs;
}

std::vector<gguf::Pair> card_provenance(const std::filesystem::path& folder) {
  const std::filesystem::path card = folder / "README.md";
  std::error_code unreadable;
  if (!std::filesystem::is_regular_file(card, unreadable)) return {};
  const MappedFile file(card);
  const Bytes bytes = file.bytes().first(std::min(file.bytes().size(), kMostBytes));
  return of_card(read_front_matter({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

}  // namespace zp
