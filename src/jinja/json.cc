// The filter tojson as transformers sets it: Python's json.dumps(), without HTML's escapes.
#include <cmath>

#include "base/utf8.h"
#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(Run& run, const std::vector<std::optional<Value>>& given) : run_(run) {
    const auto has = [&](std::size_t i) { return given[i] && !given[i]->is(Kind::kNone); };
    ascii_ = given[0] && truth(*given[0]);
    pretty_ = has(1);
    if (pretty_ && given[1]->is(Kind::kText)) margin_ = plain_text(run, *given[1]);
    if (pretty_ && !given[1]->is(Kind::kText)) {
      const std::int64_t width = std::max<std::int64_t>(integer(run, *given[1], "indent"), 0);
      run.charge(width);
      margin_.assign(static_cast<std::size_t>(width), ' ');
    }
    if (pretty_) comma_ = ",";
    if (has(2)) read_separators(*given[2]);
    sorted_ = given[3] && truth(*given[3]);
  }

  std::string text;

  void write(const Value& value, std::size_t level) {
    const Depth deeper(run_);
    switch (value.kind()) {
      case Kind::kNone:
        return put("null");
      case Kind::kBool:
        return put(value.integer() ? "true" : "false");
      case Kind::kInt:
        return put(std::to_string(value.integer()));
      case Kind::kFloat:
        return put(number(value.real()));
      case Kind::kText:
        return write_text(value.text());
      case Kind::kList:
      case Kind::kTuple:
        return write_list(value.items(), level);
      case Kind::kDict:
        return write_dict(value.pairs(), level);
      default:
        run_.fail("can't be written as JSON", {}, kind_name(value));
    }
  }

 private:
  void put(std::string_view piece) {
    run_.charge(static_cast<std::int64_t>(piece.size()));
    text += piece;
  }
  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return jinja::repr(value);
  }
  void read_separators(const Value& value) {
    if (!value.is_sequence() || value.items().size() != 2)
      run_.fail("separators must be two texts");
    comma_ = plain_text(run_, value.items()[0]);
    colon_ = plain_text(run_, value.items()[1]);
  }
  void new_line(std::size_t level) {
    if (!pretty_) return;
    put("\n");
    for (std::size_t i = 0; i < level; ++i) put(margin_);
  }
  void write_list(const Values& items, std::size_t level) {
    if (items.empty()) return put("[]");
    put("[");
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) put(comma_);
      new_line(level + 1);
      write(items[i], level + 1);
    }
    new_line(level);
    put("]");
  }
  void write_dict(const Items& pairs, std::size_t level) {
    if (pairs.empty()) return put("{}");
    std::vector<const Items::value_type*> order;
    for (const auto& pair : pairs) order.push_back(&pair);
    run_.charge(static_cast<std::int64_t>(order.size() * sizeof(void*)));
    if (sorted_) {
      std::stable_sort(order.begin(), order.end(), [this](const auto* a, const auto* b) {
        return less(run_, a->first, b->first);
      });
    }
    put("{");
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0) put(comma_);
      new_line(level + 1);
      write_key(order[i]->first);
      put(colon_);
      write(order[i]->second, level + 1);
    }
    new_line(level);
    put("}");
  }
  void write_key(const Value& key) {
    if (key.is(Kind::kText)) return write_text(key.text());
    if (!key.is_number() && !key.is(Kind::kNone))
      run_.fail("can't be a key in JSON", {}, kind_name(key));
    put("\"");
    write(key, 0);
    put("\"");
  }
  void hex(char32_t c) {
    static constexpr char kDigits[] = "0123456789abcdef";
    text += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) text += kDigits[c >> shift & 15];
  }
  void write_text(const std::string& value) {
    static constexpr std::string_view kPlain = "\"\\\n\r\t\f\b", kEscaped = "\"\\nrtfb";
    run_.charge(static_cast<std::int64_t>(value.size() + 2));
    text += '"';
    for (std::size_t i = 0; i < value.size();) {
      const std::size_t begin = i;
      const char32_t c = next_code_point(value, i);
      const std::size_t known = c < 128 ? kPlain.find(static_cast<char>(c)) : kPlain.npos;
      if (known != kPlain.npos) {
        text += '\\';
        text += kEscaped[known];
      } else if (c < 0x20 || (ascii_ && c >= 0x7F && c < 0x10000)) {
        run_.charge(6);
        hex(c);
      } else if (ascii_ && c >= 0x10000) {
        run_.charge(12);
        hex(0xD800 + ((c - 0x10000) >> 10));
        hex(0xDC00 + ((c - 0x10000) & 0x3FF));
      } else {
        text.append(value, begin, i - begin);
      }
    }
    text += '"';
  }

  Run& run_;
  bool ascii_ = false, pretty_ = false, sorted_ = false;
  std::string margin_, comma_ = ", ", colon_ = ": ";
};

}  // namespace

Value to_json(Run& run, const Value& value, Arguments& arguments) {
  const auto given = bind(run, arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonWriter writer(run, given);
  writer.write(value, 0);
  return run.text(std::move(writer.text));
}

}  // namespace zp::jinja
