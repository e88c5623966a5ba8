#include "report/worst_tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernel/elementary.h"
#include "report/html.h"
#include "text/shown.h"

namespace zp {
namespace {

constexpr std::size_t kOpen = 5;

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

double probability(double loss) { return loss < 700 ? portable_exp(-loss) : 0; }

// A cut may go through a character: what is left of it in front is dropped, and space before text.
std::string_view from_character(std::string_view text) {
  std::size_t begin = 0;
  while (begin < std::min<std::size_t>(3, text.size()) &&
         (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80)
    ++begin;
  text.remove_prefix(begin);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? text : text.substr(first);
}

// A token that is part of a character, or nothing but space, is spelled out.
std::string marked(std::string_view token) {
  const std::string plain = shown(token);
  const bool readable = plain.size() == token.size() + 2 &&
                        token.find_first_not_of(" \t\r\n") != std::string_view::npos;
  return element("mark", "", escaped(readable ? token : std::string_view(plain)));
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
  const std::string context =
      fmt::format("<p class=\"context\" dir=\"auto\">{}{}<span class=\"after\">{}</span></p>\n",
                  escaped(from_character(t.before)), marked(t.token), escaped(t.after));
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
