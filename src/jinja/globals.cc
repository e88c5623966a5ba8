#include "jinja/globals.h"

#include <array>

#include "jinja/operators.h"

namespace zp::jinja {
namespace {

Value range(Run& run, Arguments& arguments) {
  const Values& given = arguments.positional;
  if (given.empty() || given.size() > 3 || !arguments.named.empty()) {
    run.fail("range takes one to three integers");
  }
  std::array<std::int64_t, 3> parts{0, 0, 1};
  for (std::size_t i = 0; i < given.size(); ++i) {
    parts[given.size() == 1 ? 1 : i] = integer(run, given[i], "range");
  }
  const auto [start, stop, step] = parts;
  if (step == 0) run.fail("step of a range is zero");
  // Unsigned: the distance of two integers may be twice the largest one.
  const auto distance = static_cast<std::uint64_t>(step > 0 ? stop : start) -
                        static_cast<std::uint64_t>(step > 0 ? start : stop);
  const bool empty = step > 0 ? stop <= start : stop >= start;
  const std::uint64_t stride =
      step > 0 ? static_cast<std::uint64_t>(step) : -static_cast<std::uint64_t>(step);
  const std::uint64_t count = empty ? 0 : (distance - 1) / stride + 1;
  if (count > static_cast<std::uint64_t>(kMaxRange)) {
    run.fail("range is too long", "at most " + std::to_string(kMaxRange) + " items",
             std::to_string(count));
  }
  auto object = std::make_shared<RangeObject>();
  object->start = start;
  object->stop = stop;
  object->step = step;
  object->count = static_cast<std::int64_t>(count);
  return run.object(Kind::kRange, std::move(object));
}

// What dict() and namespace() take: a mapping or pairs, then names.
Items fields(Run& run, Arguments& arguments) {
  Items items;
  if (arguments.positional.size() > 1) run.fail("too many arguments", "1");
  if (arguments.positional.size() == 1) {
    const Value& from = arguments.positional[0];
    if (from.is(Kind::kDict)) {
      items = from.pairs();
    } else {
      for (const Value& pair : items_of(run, from)) {
        const Values parts = items_of(run, pair);
        if (parts.size() != 2) run.fail("not a pair", "2 items", std::to_string(parts.size()));
        run.charge(2 * sizeof(Value));
        put(run, items, parts[0], parts[1]);
      }
    }
  }
  for (auto& [name, value] : arguments.named) put(run, items, run.text(name), value);
  return items;
}

Value dict(Run& run, Arguments& arguments) { return run.dict(fields(run, arguments)); }

Value make_namespace(Run& run, Arguments& arguments) {
  const auto object = std::make_shared<NamespaceObject>();
  Value result = run.object(Kind::kNamespace, object);
  run.keep(object);
  for (const auto& [key, value] : fields(run, arguments)) {
    if (!key.is(Kind::kText)) run.fail("names of attributes must be texts", {}, kind_name(key));
    if (key.text().compare(0, 1, "_") == 0) {
      run.fail("attributes must not begin with _", {}, key.text());
    }
    set_attribute(run, result, key.text(), value);
  }
  return result;
}

Value raise_exception(Run& run, Arguments& arguments) {
  if (arguments.positional.size() + arguments.named.size() != 1) {
    run.fail("raise_exception takes one message");
  }
  const Value& message =
      arguments.named.empty() ? arguments.positional[0] : arguments.named[0].second;
  run.fail("template refuses: " + to_text(run, message));
}

// Only what has the same text in every locale, as Python's strftime() gives it in English.
std::string formatted(Run& run, const std::tm& time, char letter) {
  static constexpr const char* kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};
  static constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
  const auto padded = [](int value, int width) {
    std::string text = std::to_string(value);
    if (static_cast<int>(text.size()) < width) {
      text.insert(0, static_cast<std::size_t>(width) - text.size(), '0');
    }
    return text;
  };
  const int hour12 = time.tm_hour % 12 == 0 ? 12 : time.tm_hour % 12;
  std::string month = kMonths[time.tm_mon], day = kDays[time.tm_wday];
  switch (letter) {
    case 'a':
      return day.substr(0, 3);
    case 'A':
      return day;
    case 'b':
    case 'h':
      return month.substr(0, 3);
    case 'B':
      return month;
    case 'd':
      return padded(time.tm_mday, 2);
    case 'e':
      return time.tm_mday < 10 ? " " + std::to_string(time.tm_mday) : std::to_string(time.tm_mday);
    case 'm':
      return padded(time.tm_mon + 1, 2);
    case 'y':
      return padded((time.tm_year + 1900) % 100, 2);
    case 'Y':
      return std::to_string(time.tm_year + 1900);
    case 'H':
      return padded(time.tm_hour, 2);
    case 'I':
      return padded(hour12, 2);
    case 'p':
      return time.tm_hour < 12 ? "AM" : "PM";
    case 'M':
      return padded(time.tm_min, 2);
    case 'S':
      return padded(time.tm_sec, 2);
    case 'f':
      return "000000";
    case 'j':
      return padded(time.tm_yday + 1, 3);
    case 'w':
      return std::to_string(time.tm_wday);
    case 'F':
      return formatted(run, time, 'Y') + "-" + formatted(run, time, 'm') + "-" +
             formatted(run, time, 'd');
    case 'T':
      return formatted(run, time, 'H') + ":" + formatted(run, time, 'M') + ":" +
             formatted(run, time, 'S');
    case 'D':
      return formatted(run, time, 'm') + "/" + formatted(run, time, 'd') + "/" +
             formatted(run, time, 'y');
    case 'R':
      return formatted(run, time, 'H') + ":" + formatted(run, time, 'M');
    case '%':
      return "%";
    default:
      run.fail("format of strftime_now is not supported", {}, std::string("%") + letter);
  }
}

Value strftime_now(Run& run, Arguments& arguments) {
  if (arguments.positional.size() != 1 || !arguments.named.empty()) {
    run.fail("strftime_now takes one format");
  }
  const std::string& format = plain_text(run, arguments.positional[0]);
  std::tm time{};
  gmtime_r(&run.now, &time);
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    run.charge(10);
    // "%-d": without the zero in front.
    const bool bare = i + 1 < format.size() && format[i + 1] == '-';
    if (bare) ++i;
    if (i + 1 >= format.size()) run.fail("format of strftime_now ends in %");
    const char letter = format[++i];
    const std::string piece = formatted(run, time, letter);
    const bool number = std::string_view("demyHIMSj").find(letter) != std::string_view::npos;
    const std::size_t digits = bare && number ? piece.find_first_not_of("0 ") : 0;
    out += digits == piece.npos ? "0" : piece.substr(digits);
  }
  return run.text(std::move(out));
}

}  // namespace

void set_globals(Run& run) {
  using Function = Value (*)(Run&, Arguments&);
  static constexpr std::pair<const char*, Function> kFunctions[] = {
      {"range", range},
      {"dict", dict},
      {"namespace", make_namespace},
      {"raise_exception", raise_exception},
      {"strftime_now", strftime_now}};
  for (const auto& [name, function] : kFunctions) {
    run.scope->set(run, name,
                   run.object(Kind::kFunction, std::make_shared<FunctionObject>(name, function)));
  }
  for (const char* name : {"cycler", "joiner", "lipsum"}) {
    const auto refuse = [name](Run& now, Arguments&) -> Value {
      now.fail("function is not supported", {}, name);
    };
    run.scope->set(run, name,
                   run.object(Kind::kFunction, std::make_shared<FunctionObject>(name, refuse)));
  }
}

}  // namespace zp::jinja
