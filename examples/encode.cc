// An array on a grid: encoded, decoded, and what was lost, for one grid or for each there is.
//
//     encode [GRID]        encode int4:g64:min
#include <zeropoint/error.h>
#include <zeropoint/grid.h>

#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::int64_t kRows = 64;
constexpr std::int64_t kColumns = 1024;  // a multiple of every grid's blocks

void encode(const std::string& spec, const std::vector<float>& weights) {
  const zeropoint::Grid grid(spec);
  const zeropoint::Encoded encoded =
      grid.encode({.data = weights.data(), .rows = kRows, .columns = kColumns, .stride = 0});
  std::vector<float> decoded(weights.size());
  grid.decode(encoded, decoded);
  double signal = 0;
  double noise = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double w = weights[i];
    signal += w * w;
    noise += (w - decoded[i]) * (w - decoded[i]);
  }
  std::printf("%-28s %6.3f bits per weight  %8.2f dB\n", grid.spec().c_str(),
              grid.bits_per_weight(kRows, kColumns), 10 * std::log10(signal / noise));
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.02F);
  std::vector<float> weights(kRows * kColumns);
  for (float& w : weights) w = normal(random);
  try {
    if (argc > 1) {
      encode(argv[1], weights);
      return 0;
    }
    for (const std::string& spec : zeropoint::example_grids()) encode(spec, weights);
  } catch (const zeropoint::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
