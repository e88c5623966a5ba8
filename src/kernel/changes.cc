#include "kernel/changes.h"

#include <algorithm>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/changes.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/lanes-inl.h"

#ifndef ZP_KERNEL_CHANGES_ONCE
#define ZP_KERNEL_CHANGES_ONCE
namespace zp {
namespace {

/// One value that isn't 0.
struct Change {
  std::int64_t row;  ///< of v
  float factor;
};

/// Those of each row of out: changes[begin[r]] up to changes[begin[r + 1]].
struct Changes {
  std::vector<Change> changes;
  std::vector<std::size_t> begin;

  void find(Matrix p) {
    changes.clear();
    begin.assign(1, 0);
    for (std::int64_t r = 0; r < p.cols; ++r) {
      for (std::int64_t j = 0; j < p.rows; ++j) {
        if (const float factor = p.data[j * p.stride + r]; factor != 0)
          changes.push_back({j, factor});
      }
      begin.push_back(changes.size());
    }
  }
};

}  // namespace
}  // namespace zp
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr auto kStep = static_cast<std::int64_t>(kVectorLanes);
constexpr int kAcross = 4;  // vectors of a strip

void add_outer(Floats factors, Floats row, View2D<float> out) {
  const D16 d;
  const auto count = static_cast<std::int64_t>(row.size());
  for (std::size_t i = 0; i < factors.size(); ++i) {
    float* const to = out.data + static_cast<std::int64_t>(i) * out.stride;
    const V16 factor = hn::Set(d, factors[i]);
    std::int64_t r = 0;
    for (; r + kStep <= count; r += kStep) {
      const V16 product = hn::Mul(factor, hn::LoadU(d, row.data() + r));
      hn::StoreU(hn::Add(hn::LoadU(d, to + r), product), d, to + r);
    }
    for (; r < count; ++r) to[r] += factors[i] * row[static_cast<std::size_t>(r)];
  }
}

/// Columns [begin, begin + kAcross vectors) of v lie in `strip`, row after row.
void add_to_strip(const Changes& all, const float* HWY_RESTRICT strip, View2D<float> out) {
  const D16 d;
  for (std::int64_t r = 0; r < out.rows; ++r) {
    const auto begin = all.begin[static_cast<std::size_t>(r)];
    const auto end = all.begin[static_cast<std::size_t>(r) + 1];
    if (begin == end) continue;
    float* const to = out.data + r * out.stride;
    V16 sum[kAcross];
    HWY_UNROLL(4) for (int c = 0; c < kAcross; ++c) sum[c] = hn::LoadU(d, to + c * kStep);
    for (std::size_t i = begin; i < end; ++i) {
      const V16 factor = hn::Set(d, all.changes[i].factor);
      const float* const from = strip + all.changes[i].row * kAcross * kStep;
      HWY_UNROLL(4) for (int c = 0; c < kAcross; ++c) {
        sum[c] = hn::Add(sum[c], hn::Mul(factor, hn::LoadU(d, from + c * kStep)));
      }
    }
    HWY_UNROLL(4) for (int c = 0; c < kAcross; ++c) hn::StoreU(sum[c], d, to + c * kStep);
  }
}

void add_changed_rows(const Changes& all, Matrix v, View2D<float> out) {
  constexpr std::int64_t kStrip = kAcross * kStep;
  static thread_local std::vector<float> strip;
  strip.resize(static_cast<std::size_t>(v.rows * kStrip));
  std::int64_t c = 0;
  for (; c + kStrip <= v.cols; c += kStrip) {
    for (std::int64_t j = 0; j < v.rows; ++j)
      std::copy_n(v.data + j * v.stride + c, kStrip, strip.data() + j * kStrip);
    add_to_strip(all, strip.data(), out.columns(c, kStrip));
  }
  for (std::int64_t r = 0; c < v.cols && r < out.rows; ++r) {
    float* const to = out.data + r * out.stride;
    for (std::size_t i = all.begin[static_cast<std::size_t>(r)];
         i < all.begin[static_cast<std::size_t>(r) + 1]; ++i) {
      const float* const from = v.data + all.changes[i].row * v.stride;
      for (std::int64_t k = c; k < v.cols; ++k) to[k] += all.changes[i].factor * from[k];
    }
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(add_outer);
HWY_EXPORT(add_changed_rows);

void add_outer(Floats factors, Floats row, View2D<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(add_outer)(factors, row, out);
}

void add_changed_rows(Matrix p, Matrix v, View2D<float> out) {
  static thread_local Changes changes;
  changes.find(p);
  if (!changes.changes.empty()) HWY_DYNAMIC_DISPATCH(add_changed_rows)(changes, v, out);
}

}  // namespace zp
#endif
