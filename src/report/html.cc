#include "report/html.h"

#include <fmt/core.h>

#include "base/escape_html.h"
#include "base/human.h"
#include "base/utf8.h"

namespace zp {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool is_shown(char32_t c) {
  if (c == '\t' || c == '\n') return true;
  return c >= 0x20 && (c < 0x7F || c >= 0xA0);
}

}  // namespace

std::string escaped(std::string_view text) {
  const std::string whole = repair_utf8(text);
  std::string shown;
  for (std::size_t i = 0; i < whole.size();) {
    const char32_t c = next_code_point(whole, i);
    append_utf8(shown, is_shown(c) ? c : kReplacement);
  }
  return escape_html(shown);
}

std::string element(std::string_view name, std::string_view css, std::string_view content) {
  const std::string attribute = css.empty() ? "" : fmt::format(" class=\"{}\"", css);
  return fmt::format("<{0}{1}>{2}</{0}>", name, attribute, content);
}

namespace {

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string csv_of(const std::vector<Column>& columns, const std::vector<std::vector<Cell>>& rows) {
  std::string csv;
  for (std::size_t i = 0; i < columns.size(); ++i)
    csv += (i == 0 ? "" : ",") + csv_field(columns[i].title);
  csv += "\r\n";
  for (const std::vector<Cell>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      csv += (i == 0 ? "" : ",") + csv_field(row[i].plain);
    csv += "\r\n";
  }
  return csv;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       kPlain.find(c) != kPlain.npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

Cell text_cell(std::string_view text) { return {escaped(text), repair_utf8(text)}; }

Cell code_cell(std::string_view text) {
  return {element("code", "", escaped(text)), repair_utf8(text)};
}

Cell number_cell(std::string shown, double value) {
  return {std::move(shown), fmt::format("{}", value)};
}

Cell count_cell(std::int64_t count) { return {human_count(count), std::to_string(count)}; }

std::string table(std::string_view name, const std::vector<Column>& columns,
                  const std::vector<std::vector<Cell>>& rows) {
  std::string head;
  for (const Column& c : columns)
    head += fmt::format("<th scope=\"col\"{}>{}</th>", c.number ? " class=\"n\"" : "",
                        escaped(c.title));
  std::string body;
  for (const std::vector<Cell>& row : rows) {
    body += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      body += element("td", columns[i].number ? "n" : "", row[i].html);
    body += "</tr>\n";
  }
  return fmt::format(
      "<div class=\"wide\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n"
      "<p class=\"csv\"><a download=\"{}.csv\" "
      "href=\"data:text/csv;charset=utf-8,{}\">CSV</a></p>\n",
      head, body, escaped(name), percent_encoded(csv_of(columns, rows)));
}

std::string tile(std::string_view name, std::string_view value, std::string_view remark) {
  return element("div", "tile",
                 element("div", "name", escaped(name)) + element("div", "value", value) +
                     element("div", "remark", remark)) +
         "\n";
}

}  // namespace zp
