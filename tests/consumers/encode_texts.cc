// Encodes and decodes many texts in one process.
//
//   encode_texts FOLDER [--special]    JSON strings, one a line, on standard input: their ids
//   encode_texts FOLDER --decode       the other way; special tokens are shown
//   encode_texts FOLDER --seconds      the time that encoding takes alone, beside the number of ids
#include <chrono>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "text/decode.h"
#include "text/encode.h"
#include "text/read_tokenizer.h"

namespace {

void encode(const zp::Encoder& encoder, bool special) {
  std::string line, out;
  while (std::getline(std::cin, line)) {
    out.clear();
    const auto text = zp::parse_json(line, "standard input").get<std::string>();
    for (const zp::TokenId id : encoder.encode(text, special)) {
      if (!out.empty()) out += ' ';
      out += std::to_string(id);
    }
    out += '\n';
    std::cout << out;
  }
}

void decode(const zp::TokenDecoder& decoder) {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream numbers(line);
    std::vector<zp::TokenId> ids;
    for (zp::TokenId id = 0; numbers >> id;) ids.push_back(id);
    std::cout << zp::Json(decoder.decode(ids, false)).dump() << '\n';
  }
}

void measure(const zp::Encoder& encoder) {
  std::vector<std::string> texts;
  for (std::string line; std::getline(std::cin, line);) {
    texts.push_back(zp::parse_json(line, "standard input").get<std::string>());
  }
  const auto begin = std::chrono::steady_clock::now();
  std::size_t count = 0;
  for (const std::string& text : texts) count += encoder.encode(text, false).size();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::cout << seconds.count() << ' ' << count << '\n';
}

}  // namespace

int main(int count, char** arguments) {
  const std::string option = count > 2 ? arguments[2] : "";
  try {
    if (count < 2) throw zp::Error("encode_texts", "needs a folder");
    const std::string folder = arguments[1];
    const std::optional<zp::Tokenizer> tokenizer = zp::read_tokenizer(folder);
    if (!tokenizer) throw zp::Error(folder, "no tokenizer");
    std::ios::sync_with_stdio(false);
    if (option == "--decode") {
      decode(zp::TokenDecoder(*tokenizer));
    } else if (option == "--seconds") {
      measure(zp::Encoder(*tokenizer, folder));
    } else {
      encode(zp::Encoder(*tokenizer, folder), option == "--special");
    }
  } catch (const zp::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
