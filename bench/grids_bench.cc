// Weights per second of every registered grid: coded by nearest and mse, decoded, and multiplied by
// a row; beside a copy of the same weights in the same run.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "method/method.h"

namespace {

constexpr std::int64_t kRows = 64;
constexpr std::int64_t kCols = 1024;

std::vector<float> heavy_tails() {
  zp::Random random(3);
  std::vector<float> w(kRows * kCols);
  for (float& v : w)
    v = static_cast<float>(0.02 * random.normal() / std::sqrt(random.uniform() + 0.1));
  return w;
}

struct Planes {
  explicit Planes(const zp::Grid& grid) : bytes(grid.planes().size()) {
    const bool whole = grid.whole_tensor();
    for (std::size_t p = 0; p < bytes.size(); ++p) {
      const std::int64_t row = grid.row_bytes(p, whole ? kRows * kCols : kCols);
      bytes[p].resize(static_cast<std::size_t>(whole ? row : kRows * row));
      out.push_back(bytes[p].data());
      in.push_back(bytes[p].data());
    }
  }
  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::byte*> out;
  std::vector<const std::byte*> in;
};

void count_weights(benchmark::State& state) {
  state.counters["weights/s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * kRows * kCols), benchmark::Counter::kIsRate);
}

void copy(benchmark::State& state) {
  const std::vector<float> w = heavy_tails();
  std::vector<float> to(w.size());
  for ([[maybe_unused]] auto _ : state) {
    std::memcpy(to.data(), w.data(), w.size() * sizeof(float));
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  count_weights(state);
}

zp::Matrix matrix(const zp::Grid& grid, const std::vector<float>& w) {
  return grid.whole_tensor() ? zp::Matrix(w.data(), 1, kRows * kCols)
                             : zp::Matrix(w.data(), kRows, kCols);
}

void code(benchmark::State& state, const std::string& spec, const zp::Coder* coder) {
  const std::vector<float> w = heavy_tails();
  const auto grid = zp::make_grid(spec);
  Planes planes(*grid);
  for ([[maybe_unused]] auto _ : state) coder->code(*grid, matrix(*grid, w), {}, planes.out);
  count_weights(state);
}

void decode(benchmark::State& state, const std::string& spec) {
  const std::vector<float> w = heavy_tails();
  const auto grid = zp::make_grid(spec);
  Planes planes(*grid);
  zp::make_coder("nearest")->code(*grid, matrix(*grid, w), {}, planes.out);
  std::vector<float> decoded(w.size());
  const zp::Matrix m = matrix(*grid, w);
  for ([[maybe_unused]] auto _ : state) {
    grid->decode(planes.in, {decoded.data(), m.rows, m.cols});
    benchmark::ClobberMemory();
  }
  count_weights(state);
}

void products(benchmark::State& state, const std::string& spec) {
  const std::vector<float> w = heavy_tails();
  const auto grid = zp::make_grid(spec);
  Planes planes(*grid);
  zp::make_coder("nearest")->code(*grid, matrix(*grid, w), {}, planes.out);
  const zp::Matrix m = matrix(*grid, w);
  std::vector<float> sums(static_cast<std::size_t>(m.rows));
  for ([[maybe_unused]] auto _ : state) {
    grid->products(planes.in, m.row(0), sums);
    benchmark::ClobberMemory();
  }
  count_weights(state);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::unique_ptr<zp::Coder>> coders = zp::coders();
  benchmark::RegisterBenchmark("copy", copy);
  for (const zp::GridFamily* family : zp::grid_families()) {
    for (const std::string& spec : family->examples()) {
      for (const auto& coder : coders) {
        benchmark::RegisterBenchmark((spec + "/" + std::string(coder->name())).c_str(), code, spec,
                                     coder.get());
      }
      benchmark::RegisterBenchmark((spec + "/decode").c_str(), decode, spec);
      benchmark::RegisterBenchmark((spec + "/products").c_str(), products, spec);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
