// Filters of texts. What is no text becomes one first, as with str().
#include <algorithm>

#include "base/utf8.h"
#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

using Bound = std::vector<std::optional<Value>>;

std::string as_text(Run& run, const Value& value) {
  return value.is(Kind::kText) ? plain_text(run, value) : to_text(run, value);
}

template <std::string (*function)(std::string_view)>
Value changed(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  const std::string text = as_text(run, value);
  run.charge(static_cast<std::int64_t>(4 * text.size()));
  return run.text(function(text));
}

// Words begin after white space and any of -({[<.
std::string title_words(std::string_view text) {
  const std::u32string points = code_points(text);
  std::string out;
  std::u32string word;
  const auto finish = [&] {
    if (word.empty()) return;
    out += upper(utf8(word.substr(0, 1)));
    out += lower(utf8(word.substr(1)));
    word.clear();
  };
  for (const char32_t c : points) {
    const bool divides =
        is_space(c) || std::u32string_view(U"-({[<").find(c) != std::u32string_view::npos;
    if (!divides) {
      word += c;
      continue;
    }
    finish();
    append_utf8(out, c);
  }
  finish();
  return out;
}

Value trim(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"chars"});
  const std::string text = as_text(run, value);
  const bool plain = !given[0] || given[0]->is(Kind::kNone);
  const std::string* chars = plain ? nullptr : &plain_text(run, *given[0]);
  if (chars != nullptr) run.step(static_cast<std::int64_t>(text.size() * chars->size()));
  return run.text(std::string(strip(text, Side::kBoth, chars)));
}

Value replace(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"old", "new", "count"}, 2);
  const std::string text = as_text(run, value);
  const std::string old = as_text(run, *given[0]), by = as_text(run, *given[1]);
  std::int64_t most =
      given[2] && !given[2]->is(Kind::kNone) ? integer(run, *given[2], "count") : -1;
  if (most < 0) most = INT64_MAX;
  std::string out;
  std::size_t at = 0;
  for (; most > 0; --most) {
    run.charge(static_cast<std::int64_t>(by.size() + 1));
    if (old.empty()) {
      // Before every character, and at the end.
      out += by;
      if (at >= text.size()) break;
      std::size_t next = at;
      next_code_point(text, next);
      out.append(text, at, next - at);
      at = next;
      continue;
    }
    const std::size_t found = find_text(text, old, at);
    if (found == text.npos) break;
    out.append(text, at, found - at);
    out += by;
    at = found + old.size();
  }
  if (at < text.size()) out.append(text, at, text.npos);
  return run.text(std::move(out));
}

Value indent(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"width", "first", "blank"});
  const std::string text = plain_text(run, value) + "\n";
  const auto yes = [&](std::size_t i) { return given[i] && truth(*given[i]); };
  std::string margin(4, ' ');
  if (given[0] && given[0]->is(Kind::kText)) {
    margin = plain_text(run, *given[0]);
  } else if (given[0]) {
    const std::int64_t width = std::max<std::int64_t>(integer(run, *given[0], "width"), 0);
    run.charge(width);
    margin.assign(static_cast<std::size_t>(width), ' ');
  }
  const std::vector<std::string_view> lines = split_lines(text, false);
  std::string out;
  if (yes(1)) out += margin;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    run.charge(static_cast<std::int64_t>(margin.size() + lines[i].size() + 1));
    if (i > 0) out += '\n';
    if (i > 0 && (yes(2) || !lines[i].empty())) out += margin;
    out += lines[i];
  }
  if (yes(2) && lines.size() > 0) return run.text(std::move(out));
  return run.text(std::move(out));
}

Value truncate(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"length", "killwords", "end", "leeway"});
  const std::int64_t length = given[0] ? integer(run, *given[0], "length") : 255;
  const std::string end = given[2] ? plain_text(run, *given[2]) : "...";
  const std::int64_t leeway =
      given[3] && !given[3]->is(Kind::kNone) ? integer(run, *given[3], "leeway") : 5;
  const std::int64_t kept = length - count_code_points(end);
  if (kept < 0 || leeway < 0) run.fail("length or leeway is too small");
  if (leeway > INT64_MAX - length || jinja::length(run, value) <= length + leeway) return value;
  const std::string& text = plain_text(run, value);
  std::string start = text.substr(0, byte_of(text, kept));
  if (!(given[1] && truth(*given[1]))) start = start.substr(0, start.rfind(' '));
  return run.text(start + end);
}

Value wordcount(Run& run, const Value& value, Arguments& arguments) {
  bind(run, arguments, {});
  std::int64_t words = 0;
  bool inside = false;
  for (const char32_t c : code_points(as_text(run, value))) {
    words += is_word(c) && !inside;
    inside = is_word(c);
  }
  return Value::integer(words);
}

Value center(Run& run, const Value& value, Arguments& arguments) {
  const Bound given = bind(run, arguments, {"width"});
  const Value text = run.text(as_text(run, value));
  Value method;
  find_method(run, text, "center", method);
  Arguments width;
  width.positional.push_back(given[0] ? *given[0] : Value::integer(80));
  return call(run, method, width);
}

constexpr NamedFunction kFilters[] = {{"trim", trim},
                                      {"upper", changed<upper>},
                                      {"lower", changed<lower>},
                                      {"capitalize", changed<capitalize>},
                                      {"title", changed<title_words>},
                                      {"replace", replace},
                                      {"indent", indent},
                                      {"truncate", truncate},
                                      {"wordcount", wordcount},
                                      {"center", center}};

}  // namespace

FilterFunction find_text_filter(std::string_view name) {
  for (const NamedFunction& filter : kFilters) {
    if (filter.name == name) return filter.function;
  }
  return nullptr;
}

}  // namespace zp::jinja
