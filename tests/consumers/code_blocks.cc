// Codes rows of weights through the program's own grids, for tests and benchmarks beside another
// quantizer.
//
//     code_blocks SPEC COLUMNS nearest|mse|weighted [TIMES] <floats >blocks
//
// Standard input: FP32, with `weighted` first the importance of each column, then the rows. On
// standard error: processor seconds of the fastest of TIMES runs.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>
#include <vector>

#include "base/error.h"
#include "grid/grid.h"

namespace {

std::vector<float> read_floats() {
  std::vector<float> all;
  std::vector<float> part(1 << 16);
  for (;;) {
    const std::size_t count = std::fread(part.data(), sizeof(float), part.size(), stdin);
    if (count == 0) return all;
    all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) throw zp::UsageError("code_blocks", "wrong arguments", "SPEC COLUMNS FIT");
  const std::unique_ptr<zp::Grid> grid = zp::make_grid(argv[1]);
  const auto cols = static_cast<std::size_t>(std::stoul(argv[2]));
  const std::string fit = argv[3];
  const int times = argc > 4 ? std::stoi(argv[4]) : 1;

  const std::vector<float> in = read_floats();
  const zp::Floats h(in.data(), fit == "weighted" ? cols : 0);
  const zp::Matrix w(in.data() + h.size(), static_cast<std::int64_t>((in.size() - h.size()) / cols),
                     static_cast<std::int64_t>(cols));
  if (const std::string why = grid->why_not(w.cols); !why.empty()) throw zp::Error(argv[1], why);
  std::vector<std::byte> out(static_cast<std::size_t>(grid->bytes(w.rows, w.cols)));
  std::byte* const planes[] = {out.data()};
  double best = 1e300;
  for (int i = 0; i < times; ++i) {
    const std::clock_t begin = std::clock();
    grid->quantize(w, h, fit == "nearest" ? zp::Fit::range : zp::Fit::search, planes);
    best = std::min(best, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  std::fprintf(stderr, "%.9f\n", best);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
