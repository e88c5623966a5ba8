#include "format/front_matter.h"

#include <optional>

#include "base/error.h"

namespace zp {
namespace {

constexpr std::string_view kFence = "---";
constexpr std::string_view kSpace = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

// A quoted text without escapes, or a plain one; nullopt for every other form.
std::optional<std::string> scalar(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  if (text.front() == '"' || text.front() == '\'') {
    const std::size_t end = text.find(text.front(), 1);
    if (end == text.npos) return std::nullopt;
    const std::string_view rest = trimmed(text.substr(end + 1));
    text = text.substr(1, end - 1);
    if ((!rest.empty() && rest.front() != '#') || text.find('\\') != text.npos) return std::nullopt;
  } else {
    if (std::string_view("|>&*!{}[]%@`#?-").find(text.front()) != std::string_view::npos)
      return std::nullopt;
    text = trimmed(text.substr(0, text.find(" #")));
    if (text.find(": ") != text.npos || text.ends_with(':') || text == "null" || text == "~")
      return std::nullopt;
  }
  if (text.empty() || printable(text, text.size()) != text) return std::nullopt;
  return std::string(text);
}

void add(std::string_view text, std::vector<std::string>& values) {
  if (std::optional<std::string> value = scalar(text)) values.push_back(std::move(*value));
}

// [a, b] of one line.
void add_sequence(std::string_view text, std::vector<std::string>& values) {
  const std::size_t end = text.find(']');
  if (end == text.npos) return;
  text = text.substr(1, end - 1);
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    add(text.substr(0, comma), values);
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
  }
}

}  // namespace

FrontMatter read_front_matter(std::string_view text) {
  FrontMatter all;
  if (trimmed(take_line(text)) != kFence) return all;
  FrontMatter found;
  std::vector<std::string>* list = nullptr;  // of the key whose items may follow
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (trimmed(line) == kFence) return found;
    const std::string_view content = trimmed(line);
    if (content.empty() || content.front() == '#') continue;
    if (content.starts_with("- ")) {
      if (list != nullptr) add(content.substr(2), *list);
      continue;
    }
    list = nullptr;
    const std::size_t colon = line.find(':');
    if (kSpace.find(line.front()) != kSpace.npos || colon == line.npos) continue;
    const std::string key(line.substr(0, colon));
    if (found.contains(key)) continue;
    std::vector<std::string>& values = found[key];
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (value.empty()) {
      list = &values;
    } else if (value.front() == '[') {
      add_sequence(value, values);
    } else {
      add(value, values);
    }
  }
  return all;  // the head never ends
}

}  // namespace zp
