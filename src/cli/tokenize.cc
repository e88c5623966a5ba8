// zeropoint tokenize: the tokens of a text.
#include <fmt/core.h>

#include "base/error.h"
#include "base/human.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/documents.h"
#include "pipeline/text_files.h"
#include "source/read_model.h"
#include "text/decode.h"
#include "text/documents.h"
#include "text/read_tokenizer.h"
#include "text/shown.h"

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
  Option text_given;
  bool no_special = false;
};

// The files of the tokenizer are enough where they stand alone.
Tokenizer read(const std::string& path) {
  std::optional<Tokenizer> tokenizer = read_tokenizer(path);
  if (!tokenizer) tokenizer = tokenizer_of(open_checkpoint(path));
  if (!tokenizer) throw Error(path, "has no tokenizer");
  return *std::move(tokenizer);
}

// One array as print_json would print it, without ever holding it.
template <class Element>
void print_array(const char* name, std::size_t count, const std::string& margin,
                 const Element& element) {
  fmt::print("{}\"{}\": [", margin, name);
  for (std::size_t i = 0; i < count; ++i)
    fmt::print("{}\n{}  {}", i > 0 ? "," : "", margin, element(i));
  fmt::print("{}]", count > 0 ? "\n" + margin : "");
}

void print_object(const std::vector<TokenId>& ids, const TokenDecoder& decoder,
                  const std::string& margin) {
  fmt::print("{}{{\n", margin);
  print_array("ids", ids.size(), margin + "  ", [&](std::size_t i) { return ids[i]; });
  fmt::print(",\n");
  print_array("pieces", ids.size(), margin + "  ",
              [&](std::size_t i) { return Json(repair_utf8(decoder.bytes(ids[i]))).dump(); });
  fmt::print("\n{}}}", margin);
}

void print_objects(const std::vector<std::vector<TokenId>>& all, const TokenDecoder& decoder) {
  if (all.size() == 1) {
    print_object(all[0], decoder, "");
  } else {
    fmt::print("{{\n  \"documents\": [\n");
    for (const std::vector<TokenId>& ids : all) {
      print_object(ids, decoder, "    ");
      fmt::print("{}\n", &ids == &all.back() ? "" : ",");
    }
    fmt::print("  ]\n}}");
  }
  fmt::print("\n");
}

void print_text(const std::vector<TokenId>& ids, const TokenDecoder& decoder) {
  for (const TokenId id : ids) fmt::print("{:>7}  {}\n", id, shown(decoder.bytes(id)));
  fmt::print("{}\n", human_counted(std::ssize(ids), "token"));
}

int tokenize_command(const Options& o, const Common& common) {
  if ((o.text_given.given()) == !o.file.empty())
    throw UsageError("tokenize", "one of them", "a TEXT or --file FILE");
  const Tokenizer tokenizer = read(o.model);
  const TokenDecoder decoder(tokenizer);
  if (!common.quiet) {
    for (const std::string& note : tokenizer.notes) fmt::print(stderr, "{}\n", printable(note));
  }
  const std::vector<Document> documents =
      o.file.empty() ? std::vector<Document>{{.text = o.text}} : read_documents(o.file);
  UnreadRemarks().say(documents, tokenizer, o.model, *make_progress(common));
  std::vector<std::vector<TokenId>> all;
  encode_documents(documents, tokenizer, o.model, !o.no_special,
                   [&](std::vector<TokenId> ids) { all.push_back(std::move(ids)); });
  if (common.json) {
    print_objects(all, decoder);
  } else {
    for (const std::vector<TokenId>& ids : all) print_text(ids, decoder);
  }
  return 0;
}

}  // namespace

void add_tokenize(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub =
      add_subcommand(app, common, "tokenize", "Show the tokens of a text", kExamples);
  auto o = std::make_shared<Options>();
  sub.add_option("MODEL", o->model,
                 "Hugging Face folder (its tokenizer files are enough), GGUF file, or a file of "
                 "weights beside a tokenizer")
      .required();
  o->text_given = sub.add_option("TEXT", o->text, "What to tokenize");
  sub.add_option("--file", o->file, "What to tokenize: " + std::string(kDocumentForms));
  sub.add_flag("--no-special", o->no_special,
               "Leave out the tokens that the model wants around every text");
  sub.callback([o, &common, &run] { run = [o, &common] { return tokenize_command(*o, common); }; });
}

}  // namespace zp::cli
