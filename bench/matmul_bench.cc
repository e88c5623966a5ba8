// GFLOP/s of matmul beside this machine's own peak of fused multiply-adds, and for one row GB/s of
// the matrix beside a plain read of memory; both measured in the same run, on one core and on all.
//
//   matmul_bench [FILTER]      only the shapes whose names contain FILTER
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "kernel/matmul.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "matmul_bench.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kChains = 10;  // more than any machine's latency times its units

/// `steps` times kChains fused multiply-adds that don't wait for each other: their number of
/// floating-point operations.
double multiply_adds(std::int64_t steps, float* out) {
  const hn::ScalableTag<float> d;
  const auto factor = hn::Set(d, 0.999f);
  const auto term = hn::Set(d, 0.001f);
  auto a = hn::Iota(d, 1), b = hn::Iota(d, 2), c = hn::Iota(d, 3), e = hn::Iota(d, 4),
       f = hn::Iota(d, 5), g = hn::Iota(d, 6), h = hn::Iota(d, 7), i = hn::Iota(d, 8),
       j = hn::Iota(d, 9), k = hn::Iota(d, 10);
  for (std::int64_t s = 0; s < steps; ++s) {
    a = hn::MulAdd(a, factor, term);
    b = hn::MulAdd(b, factor, term);
    c = hn::MulAdd(c, factor, term);
    e = hn::MulAdd(e, factor, term);
    f = hn::MulAdd(f, factor, term);
    g = hn::MulAdd(g, factor, term);
    h = hn::MulAdd(h, factor, term);
    i = hn::MulAdd(i, factor, term);
    j = hn::MulAdd(j, factor, term);
    k = hn::MulAdd(k, factor, term);
  }
  const auto all = hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)),
                           hn::Add(hn::Add(f, g), hn::Add(hn::Add(h, i), hn::Add(j, k))));
  *out = hn::GetLane(all);
  return 2.0 * static_cast<double>(steps) * kChains * static_cast<double>(hn::Lanes(d));
}

void read(const float* from, std::int64_t count, float* out) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = a, c = a, e = a;
  for (std::int64_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(d, from + i));
    b = hn::Add(b, hn::LoadU(d, from + i + lanes));
    c = hn::Add(c, hn::LoadU(d, from + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(d, from + i + 3 * lanes));
  }
  *out = hn::GetLane(hn::Add(hn::Add(a, b), hn::Add(c, e)));
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {
namespace {

HWY_EXPORT(multiply_adds);
HWY_EXPORT(read);

constexpr std::int64_t kReadFloats = 64 << 20;

/// The least seconds of f(), repeated for a while: on a machine that others use, too, the figure
/// that they disturb least.
template <class F>
double least_seconds(const F& f) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double least = 1e9;
  for (int round = 0; round < 5 || Clock::now() - begin < std::chrono::milliseconds(600); ++round) {
    const auto start = Clock::now();
    f();
    least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return least;
}

double peak_flops(const Team& team) {
  constexpr std::int64_t kSteps = 100'000;
  std::vector<double> operations(static_cast<std::size_t>(team.threads()));
  std::vector<float> sink(operations.size() * 16);
  const double seconds = least_seconds([&] {
    team.run(team.threads(), [&](std::int64_t t) {
      operations[static_cast<std::size_t>(t)] =
          HWY_DYNAMIC_DISPATCH(multiply_adds)(kSteps, &sink[static_cast<std::size_t>(t) * 16]);
    });
  });
  return operations[0] * team.threads() / seconds;
}

double read_bytes(const Team& team) {
  const std::vector<float> all(kReadFloats, 1.0f);
  constexpr std::int64_t kPart = 1 << 20;
  std::vector<float> sink(kReadFloats / kPart);
  const double seconds = least_seconds([&] {
    team.run(kReadFloats / kPart, [&](std::int64_t p) {
      HWY_DYNAMIC_DISPATCH(read)(all.data() + p * kPart, kPart, &sink[static_cast<std::size_t>(p)]);
    });
  });
  return static_cast<double>(kReadFloats) * sizeof(float) / seconds;
}

struct Shape {
  const char* name;
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
};

// Llama-3.2-1B: attention 2048 x 2048, MLP 2048 x 8192 and 8192 x 2048, a part of the head.
constexpr Shape kShapes[] = {
    {"square", 64, 64, 64},       {"square", 128, 128, 128},     {"square", 256, 256, 256},
    {"square", 512, 512, 512},    {"square", 1024, 1024, 1024},  {"square", 2048, 2048, 2048},
    {"square", 4096, 4096, 4096}, {"prefill", 512, 2048, 2048},  {"prefill", 512, 8192, 2048},
    {"prefill", 512, 2048, 8192}, {"prefill", 512, 16032, 2048}, {"scores", 512, 2048, 64},
    {"scores", 512, 2048, 128},   {"batch", 2, 8192, 2048},      {"batch", 4, 8192, 2048},
    {"batch", 8, 8192, 2048},     {"batch", 16, 8192, 2048},     {"batch", 64, 8192, 2048},
    {"decode", 1, 2048, 2048},    {"decode", 1, 8192, 2048},     {"decode", 1, 2048, 8192},
    {"decode", 1, 32768, 2048},
};

double seconds_of(const Team& team, const Shape& s) {
  const std::int64_t stride = row_stride(s.k);
  std::vector<float> x(static_cast<std::size_t>(s.m * stride), 0.5f);
  std::vector<float> w(static_cast<std::size_t>(s.n * s.k), 0.25f);
  std::vector<float> out(static_cast<std::size_t>(s.m * s.n));
  const std::int64_t part = rows_of_share(s.n, team.threads());
  return least_seconds([&] {
    team.run((s.n + part - 1) / part, [&](std::int64_t p) {
      const std::int64_t begin = p * part;
      const std::int64_t rows = std::min(part, s.n - begin);
      matmul({x.data(), s.m, s.k, stride}, {w.data() + begin * s.k, rows, s.k},
             {out.data() + begin, s.m, rows, s.n});
    });
  });
}

void measure(int threads, const std::string& filter) {
  const Team team(threads);
  double peak = peak_flops(team);
  const double read = read_bytes(team);
  std::printf("%d thread%s: peak %.1f GFLOP/s, read %.1f GB/s\n", team.threads(),
              team.threads() == 1 ? "" : "s", peak / 1e9, read / 1e9);
  for (const Shape& s : kShapes) {
    if (std::string(s.name).find(filter) == std::string::npos) continue;
    const double seconds = seconds_of(team, s);
    const double m = static_cast<double>(s.m), n = static_cast<double>(s.n),
                 k = static_cast<double>(s.k);
    peak = std::max(peak, peak_flops(team));
    const double flops = 2 * m * n * k / seconds;
    const double bytes = 4 * n * k / seconds;
    std::printf(
        "%-8s %5.0f x %5.0f x %5.0f %9.1f GFLOP/s %4.0f %% of peak %8.1f GB/s %4.0f %% of a read\n",
        s.name, m, n, k, flops / 1e9, 100 * flops / peak, bytes / 1e9, 100 * bytes / read);
  }
}

}  // namespace
}  // namespace zp

int main(int argc, char** argv) {
  const std::string filter = argc > 1 ? argv[1] : "";
  zp::measure(1, filter);
  const int all = zp::Team().threads();
  if (all > 1) zp::measure(all, filter);
  return 0;
}
#endif
