// Logits of token sequences, for tests that compare them with what others compute.
//
//     logits MODEL [CHUNK [THREADS [CPU]]] <ids >logits
//
// A line of standard input is one sequence: ids with spaces between. Out come the logits of every
// position as FP32, one sequence's after the other. The tokens go through CHUNK at a time (0: all
// together).
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/error.h"
#include "engine/engine.h"
#include "pipeline/load.h"

namespace zp {
namespace {

void print_logits(Engine& engine, std::span<const std::int32_t> ids, std::size_t chunk) {
  KvCache cache = engine.make_cache(static_cast<std::int64_t>(ids.size()));
  for (std::size_t i = 0; i < ids.size(); i += chunk) {
    const Chunk part{&cache, ids.subspan(i, std::min(chunk, ids.size() - i))};
    const Activations hidden = engine.forward({&part, 1});
    const Activations logits = engine.logits(hidden.view());
    for (std::int64_t r = 0; r < logits.rows(); ++r)
      std::fwrite(logits.view().row(r).data(), sizeof(float),
                  static_cast<std::size_t>(logits.cols()), stdout);
  }
}

void run(std::span<const std::string> words) {
  if (words.size() > 3 && !words[3].empty()) limit_instruction_set(words[3]);
  const Team team(words.size() > 2 ? std::stoi(words[2]) : 0);
  const std::unique_ptr<LoadedModel> loaded = load_model(words[0]);
  Engine engine(loaded->model, team);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream text(line);
    std::vector<std::int32_t> ids;
    for (std::int32_t id = 0; text >> id;) ids.push_back(id);
    const std::size_t chunk = words.size() > 1 ? std::stoul(words[1]) : 0;
    print_logits(engine, ids, chunk == 0 ? ids.size() : chunk);
  }
}

}  // namespace
}  // namespace zp

int main(int argc, char** argv) try {
  if (argc < 2) throw zp::UsageError("logits", "wrong arguments", "MODEL [CHUNK [THREADS [CPU]]]");
  const std::vector<std::string> words(argv + 1, argv + argc);
  zp::run(words);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
