#include "report/worst_tokens.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/utf8.h"
#include "kernel/elementary.h"
#include "report/html.h"
#include "text/joined.h"
#include "text/shown.h"

namespace zp {
namespace {

constexpr std::size_t kOpen = 5;

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

double probability(double loss) { return loss < 700 ? portable_exp(-loss) : 0; }

// Where the last character begins that doesn't belong to another; 0 if all do.
std::size_t last_character(std::string_view text) {
  std::size_t last = 0;
  char32_t before = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t at = i;
    const char32_t c = next_code_point(text, i);
    if (!is_joined(before, c)) last = at;
    before = c;
  }
  return last;
}

// How many bytes at the head of `text` belong to the last character of `front`.
std::size_t joined_bytes(std::string_view front, std::string_view text) {
  char32_t before = 0;
  for (std::size_t i = 0; i < front.size();) before = next_code_point(front, i);
  std::size_t end = 0;
  while (end < text.size()) {
    std::size_t next = end;
    const char32_t c = next_code_point(text, next);
    if (!is_joined(before, c)) break;
    before = c;
    end = next;
  }
  return end;
}

// The text around a token, cut where people would: what is drawn as one character stays together.
struct Cut {
  std::string before;
  std::string token;
  std::string after;
};

Cut cut(const JudgedToken& t) {
  std::string_view before = t.before;
  // The window of the context may begin inside of a character.
  while (!before.empty() && (static_cast<unsigned char>(before[0]) & 0xC0) == 0x80)
    before.remove_prefix(1);
  before.remove_prefix(joined_bytes({}, before));
  before.remove_prefix(std::min(before.find_first_not_of(" \t\r\n"), before.size()));
  Cut c{repair_utf8(before), repair_utf8(t.token), repair_utf8(t.after)};
  if (joined_bytes(c.before, c.token) > 0) {
    const std::size_t base = last_character(c.before);
    c.token = c.before.substr(base) + c.token;
    c.before.resize(base);
  }
  const std::size_t tail = joined_bytes(c.token, c.after);
  c.token += c.after.substr(0, tail);
  c.after.erase(0, tail);
  return c;
}

// A token that is part of a character's bytes, or nothing but space, is spelled out.
std::string marked(const JudgedToken& t, const Cut& c) {
  const bool readable =
      is_utf8(t.token) && t.token.find_first_not_of(" \t\r\n") != std::string::npos;
  return element("mark", "", escaped(readable ? c.token : shown(t.token)));
}

std::string guess_row(const char* name, const char* css, const std::string& token,
                      const Guess& guess) {
  return fmt::format(
      "<tr class=\"{}\"><th scope=\"row\">{}</th><td><code>{}</code></td><td "
      "class=\"n\">{}</td></tr>\n",
      css, name, escaped(shown(token)), percent(static_cast<double>(guess.probability)));
}

std::string item(const JudgedToken& t) {
  const TokenScore& s = t.score;
  const Cut c = cut(t);
  const std::string context =
      fmt::format("<p class=\"context\" dir=\"auto\">{}{}<span class=\"after\">{}</span></p>\n",
                  escaped(c.before), marked(t, c), escaped(c.after));
  const std::string guesses =
      "<table class=\"guesses\">" +
      guess_row("source expected", "before", t.reference_guess, s.reference_guess) +
      guess_row("result expected", "now", t.guess, s.guess) + "</table>\n";
  const std::string came = fmt::format(
      "<p class=\"came\">what came: <code>{}</code> <span class=\"n\">{} &rarr; {}</span></p>",
      escaped(shown(t.token)), percent(probability(s.reference_loss)),
      percent(probability(s.loss)));
  return element("li", "",
                 fmt::format("<div class=\"kl\"><b>{:.3f}</b> nats</div>\n", s.kl) +
                     element("div", "place", context + guesses + came)) +
         "\n";
}

}  // namespace

std::string worst_tokens_html(const Judgement& judgement) {
  std::string open;
  std::string more;
  for (std::size_t i = 0; i < judgement.worst.size(); ++i)
    (i < kOpen ? open : more) += item(judgement.worst[i]);
  std::string html = element("ol", "worst", open);
  if (!more.empty()) {
    html += fmt::format("<details><summary>{} more</summary>\n{}</details>\n",
                        judgement.worst.size() - kOpen, element("ol", "worst", more));
  }
  return html;
}

}  // namespace zp
