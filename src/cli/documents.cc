#include "cli/documents.h"

#include <fmt/core.h>

#include <charconv>

#include "base/error.h"
#include "base/human.h"
#include "base/json.h"

namespace zp::cli {

std::string own_text(const OwnTextOutcome& own) {
  if (!own.text) {
    return fmt::format(
        "own text: {} to write, {} side by side in {}, about {}\n",
        human_counted(own.wanted, "token"), human_counted(own.streams.count, "document"),
        human_bytes(own.streams.count * own.streams.bytes), human_duration(own.expected_seconds));
  }
  const OwnText& text = *own.text;
  return fmt::format(
      "own text: {}, {} of them conversations, {}, texts behind {}; begun anew {}{}{}; {:.2f} s\n",
      human_counted(std::ssize(text.documents), "document"), text.conversations,
      human_counted(text.tokens, "token"), printable(text.begin), text.restarted,
      text.left_out > 0 ? fmt::format(", left out {}", text.left_out) : "",
      own.kept_in.empty() ? "" : "; kept in " + own.kept_in, own.seconds);
}

Json own_json(const OwnTextOutcome& own) {
  if (!own.text) {
    return {{"tokens", own.wanted},
            {"streams", own.streams.count},
            {"memory_bytes", own.streams.count * own.streams.bytes},
            {"expected_seconds", own.expected_seconds}};
  }
  const OwnText& text = *own.text;
  return {{"documents", text.documents.size()},
          {"conversations", text.conversations},
          {"tokens", text.tokens},
          {"restarted", text.restarted},
          {"left_out", text.left_out},
          {"begin", text.begin},
          {"seconds", own.seconds}};
}

std::string reading_text(const TextReading& reading) {
  const std::string text = to_text(reading);
  if (text.empty()) return {};
  return fmt::format("calibration text: {}{}\n", text,
                     reading.is_foreign()
                         ? "; the model hardly knows such text: --calibrate own, or text of other "
                           "kinds beside it, would help"
                         : "");
}

void add_tokens(const Command& sub, std::string& tokens, const std::string& help) {
  sub.add_option("--tokens", tokens, help + ". auto: 8 for each input of the widest linear")
      .capture_default_str();
}

std::optional<std::int64_t> parse_tokens(const std::string& tokens) {
  if (tokens == "auto") return std::nullopt;
  std::int64_t value = 0;
  const char* const end = tokens.data() + tokens.size();
  const auto [at, error] = std::from_chars(tokens.data(), end, value);
  if (error != std::errc() || at != end)
    throw UsageError("--tokens", "wrong number", "a whole number, or auto", tokens);
  return value;
}

void add_save_text(const Command& sub, std::string& path) {
  sub.add_option("--save-text", path, "FILE.jsonl: keep the text that the model writes itself");
}

}  // namespace zp::cli
