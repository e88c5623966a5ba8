// zeropoint tokenize: the tokens of a text.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "cli/command.h"
#include "source/read_model.h"
#include "text/chat_template.h"
#include "text/dataset.h"
#include "text/decode.h"
#include "text/encode.h"
#include "text/utf8.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint tokenize Phi-3.5-mini-instruct \"Hello, world\"\n"
    "  zeropoint tokenize model-q4_k_m.gguf --file book.txt --json\n"
    "  echo -n Hello | zeropoint tokenize model.gguf --file - --no-special";

struct Options {
  std::string model;
  std::string text;
  std::string file;
  CLI::Option* text_given = nullptr;
  bool no_special = false;
};

// The files of the tokenizer are enough where they stand alone.
Tokenizer read(const std::string& path) {
  std::optional<Tokenizer> tokenizer = read_tokenizer(path);
  if (!tokenizer) tokenizer = tokenizer_of(open_checkpoint(path));
  if (!tokenizer) throw Error(path, "has no tokenizer");
  return *std::move(tokenizer);
}

std::string standard_input() {
  std::string all(64 << 10, '\0');
  std::size_t bytes = 0;
  while (const std::size_t count = std::fread(all.data() + bytes, 1, all.size() - bytes, stdin)) {
    bytes += count;
    if (bytes == all.size()) all.resize(2 * bytes);
  }
  all.resize(bytes);
  return all;
}

std::vector<Document> documents_of(const Options& o) {
  if (o.text_given->count() > 0) return {{o.text, {}}};
  if (o.file == "-") return parse_dataset(standard_input(), "standard input");
  return read_dataset(o.file);
}

std::vector<TokenId> encode(const Document& document, const Tokenizer& tokenizer,
                            const Encoder& encoder, const Options& o) {
  if (document.messages.empty()) return encoder.encode(document.text, !o.no_special);
  if (tokenizer.chat_template.empty())
    throw Error(o.model, "has no chat template for the conversations of " + o.file);
  std::vector<ChatMessage> messages;
  for (const Message& m : document.messages) messages.push_back({m.role, m.content});
  const auto text_of = [&](const std::optional<std::int64_t>& id) {
    return id ? tokenizer.tokens.at(static_cast<std::size_t>(*id)).text : std::string();
  };
  ChatOptions options;
  options.bos_token = text_of(tokenizer.bos);
  options.eos_token = text_of(tokenizer.eos);
  const ChatTemplate format(tokenizer.chat_template, o.model + ": chat template");
  return encoder.encode(format.render(messages, options), false);
}

Json to_json(const std::vector<TokenId>& ids, const TokenDecoder& decoder) {
  Json pieces = Json::array();
  for (const TokenId id : ids) pieces.push_back(repair_utf8(decoder.bytes(id)));
  return {{"ids", ids}, {"pieces", std::move(pieces)}};
}

// In quotes, with what isn't seen as escapes.
std::string shown(std::string_view bytes) {
  std::string out = "\"";
  for (std::size_t i = 0; i < bytes.size();) {
    const Utf8Unit unit = utf8_unit(bytes, i);
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const bool control = unit.bytes == 1 && (byte < 0x20 || byte == 0x7F);
    if (bytes[i] == '\n') {
      out += "\\n";
    } else if (bytes[i] == '"' || bytes[i] == '\\') {
      out += {'\\', bytes[i]};
    } else if (unit.kind == Utf8Unit::Kind::character && !control) {
      out += bytes.substr(i, unit.bytes);
    } else {
      for (std::size_t k = 0; k < unit.bytes; ++k)
        out += fmt::format("\\x{:02X}", static_cast<unsigned char>(bytes[i + k]));
    }
    i += unit.bytes;
  }
  return out + "\"";
}

void print_text(const std::vector<TokenId>& ids, const TokenDecoder& decoder) {
  for (const TokenId id : ids) fmt::print("{:>7}  {}\n", id, shown(decoder.bytes(id)));
}

int tokenize_command(const Options& o, const Common& common) {
  if ((o.text_given->count() > 0) == !o.file.empty())
    throw UsageError("tokenize", "one of them", "a TEXT or --file FILE");
  const Tokenizer tokenizer = read(o.model);
  const Encoder encoder(tokenizer, o.model);
  const TokenDecoder decoder(tokenizer);
  if (!common.quiet) {
    for (const std::string& note : tokenizer.notes) fmt::print(stderr, "{}\n", printable(note));
  }
  Json all = Json::array();
  for (const Document& document : documents_of(o)) {
    const std::vector<TokenId> ids = encode(document, tokenizer, encoder, o);
    if (common.json) {
      all.push_back(to_json(ids, decoder));
    } else {
      print_text(ids, decoder);
      fmt::print("{} tokens\n", human_count(static_cast<std::int64_t>(ids.size())));
    }
  }
  if (common.json) print_json(all.size() == 1 ? all[0] : Json{{"documents", all}});
  return 0;
}

}  // namespace

void add_tokenize(CLI::App& app, Common& common, std::function<int()>& run) {
  CLI::App* sub = add_subcommand(app, common, "tokenize", "Show the tokens of a text", kExamples);
  auto o = std::make_shared<Options>();
  sub->add_option("MODEL", o->model,
                  "Hugging Face folder (its tokenizer files are enough), GGUF file, or a file of "
                  "weights beside a tokenizer")
      ->required();
  o->text_given = sub->add_option("TEXT", o->text, "What to tokenize");
  sub->add_option(
      "--file", o->file,
      "Plain text, JSON or JSONL with {\"text\"}, {\"messages\"}, {\"user\", "
      "\"assistant\"} or {\"instruction\", \"input\", \"output\"}; - is standard input. "
      "Conversations go through the chat template");
  sub->add_flag("--no-special", o->no_special,
                "Leave out the tokens that the model wants around every text");
  sub->callback(
      [o, &common, &run] { run = [o, &common] { return tokenize_command(*o, common); }; });
}

}  // namespace zp::cli
