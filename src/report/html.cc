#include "report/html.h"

#include <fmt/format.h>

#include "text/utf8.h"

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
  std::string out;
  for (std::size_t i = 0; i < whole.size();) {
    const char32_t c = next_code_point(whole, i);
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        append_utf8(out, is_shown(c) ? c : kReplacement);
    }
  }
  return out;
}

std::string element(std::string_view name, std::string_view css, std::string_view content) {
  const std::string attribute = css.empty() ? "" : fmt::format(" class=\"{}\"", css);
  return fmt::format("<{0}{1}>{2}</{0}>", name, attribute, content);
}

std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows) {
  std::string head;
  for (const Column& c : columns)
    head += fmt::format("<th scope=\"col\"{}>{}</th>", c.number ? " class=\"n\"" : "",
                        escaped(c.title));
  std::string body;
  for (const std::vector<std::string>& row : rows) {
    body += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      body += element("td", columns[i].number ? "n" : "", row[i]);
    body += "</tr>\n";
  }
  return fmt::format(
      "<div "
      "class=\"wide\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
      head, body);
}

std::string tile(std::string_view name, std::string_view value, std::string_view remark) {
  return element("div", "tile",
                 element("div", "name", escaped(name)) + element("div", "value", value) +
                     element("div", "remark", remark)) +
         "\n";
}

}  // namespace zp
