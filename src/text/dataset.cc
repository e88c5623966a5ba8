#include "text/dataset.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "base/utf8.h"

namespace zp {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlank = " \t\r\n";

std::string line_of(std::string_view file, std::size_t byte, const std::string& where) {
  const auto end = file.begin() + static_cast<std::ptrdiff_t>(std::min(byte, file.size()));
  return where + ": line " + std::to_string(1 + std::count(file.begin(), end, '\n'));
}

void refuse_broken_utf8(std::string_view file, const std::string& where) {
  for (std::size_t i = 0; i < file.size();) {
    const Utf8Unit unit = utf8_unit(file, i);
    if (unit.kind != Utf8Unit::Kind::character)
      throw Error(line_of(file, i, where), "broken UTF-8 at byte " + std::to_string(i + 1));
    i += unit.bytes;
  }
}

// The first and the second character that aren't blank, or zeros.
std::pair<char, char> beginning(std::string_view file) {
  const std::size_t first = file.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  const std::size_t second = file.find_first_not_of(kBlank, first + 1);
  return {file[first], second == std::string_view::npos ? '\0' : file[second]};
}

bool is_json(std::string_view file) {
  const auto [first, second] = beginning(file);
  if (first == '{') return second == '"' || second == '}';
  return first == '[' && (second == '{' || second == '"' || second == ']');
}

bool is_message(const Json& json) { return json.is_object() && json.contains("role"); }

std::vector<Document> parse_values(const Json& json, const std::string& where) {
  const bool conversation = !json.empty() && std::ranges::all_of(json, is_message);
  if (!json.is_array() || conversation) return {parse_row(json, where)};
  std::vector<Document> documents;
  for (const Json& value : json) {
    documents.push_back(
        parse_row(value, where + ": element " + std::to_string(documents.size() + 1)));
  }
  return documents;
}

std::vector<Document> parse_lines(std::string_view file, const std::string& where) {
  std::vector<Document> documents;
  for (std::size_t number = 1; !file.empty(); ++number) {
    const std::size_t end = std::min(file.find('\n'), file.size());
    const std::string_view line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    if (line.find_first_not_of(kBlank) == std::string_view::npos) continue;
    const std::string place = where + ": line " + std::to_string(number);
    documents.push_back(parse_row(parse_json(line, place), place));
  }
  return documents;
}

// Whether the first line that isn't blank is a whole object or array, and others follow.
bool has_rows_in_lines(std::string_view file, const std::string& where) {
  file.remove_prefix(std::min(file.find_first_not_of(kBlank), file.size()));
  const std::size_t end = file.find('\n');
  if (file.find_first_not_of(kBlank, end) == std::string_view::npos) return false;
  try {
    return parse_json(file.substr(0, end), where).is_structured();
  } catch (const JsonSyntaxError&) {
    return false;
  }
}

}  // namespace

std::vector<Document> parse_dataset(std::string_view file, const std::string& where) {
  refuse_broken_utf8(file, where);
  const bool marked = file.substr(0, kByteOrderMark.size()) == kByteOrderMark;
  if (marked) file.remove_prefix(kByteOrderMark.size());
  std::vector<Document> documents;
  if (!is_json(file)) {
    if (file.find_first_not_of(kBlank) != std::string_view::npos)
      documents.push_back({.text = std::string(file)});
  } else if (has_rows_in_lines(file, where)) {
    documents = parse_lines(file, where);
  } else {
    try {
      documents = parse_values(parse_json(file, where), where);
    } catch (const JsonSyntaxError& error) {
      throw Error(line_of(file, error.byte() - 1, where), error.parts().what, {},
                  error.parts().found);
    }
  }
  if (documents.empty()) throw Error(where, "nothing in it", "text");
  return documents;
}

std::vector<Document> read_dataset(const std::filesystem::path& path) {
  const MappedFile file(path);
  return parse_dataset({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()},
                       path.string());
}

}  // namespace zp
