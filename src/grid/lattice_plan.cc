#include "grid/lattice_plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace zp {
namespace {

constexpr int kWorth = 3;  // a shared row costs a store and a load more than its gain

// How many lists hold both rows of a pair.
class Pairs {
 public:
  void add(std::size_t a, std::size_t b, int n) {
    count_[std::max(a, b) * kLatticeRows + std::min(a, b)] += n;
  }

  struct Pair {
    int lists;
    std::size_t a, b;
  };
  Pair most(std::size_t rows) const {
    Pair best{0, 0, 0};
    for (std::size_t b = 1; b < rows; ++b) {
      for (std::size_t a = 0; a < b; ++a) {
        if (count_[b * kLatticeRows + a] > best.lists) best = {count_[b * kLatticeRows + a], a, b};
      }
    }
    return best;
  }

 private:
  std::vector<int> count_ = std::vector<int>(kLatticeRows * kLatticeRows);
};

using List = std::vector<std::uint8_t>;

// `row` for a and b, where a list has both.
void share(List& list, std::size_t a, std::size_t b, std::size_t row, Pairs& pairs) {
  const auto has = [&](std::size_t x) {
    return std::find(list.begin(), list.end(), x) != list.end();
  };
  if (!has(a) || !has(b)) return;
  std::erase_if(list, [&](std::size_t x) { return x == a || x == b; });
  pairs.add(a, b, -1);
  for (const std::size_t other : list) {
    pairs.add(a, other, -1);
    pairs.add(b, other, -1);
    pairs.add(row, other, 1);
  }
  list.push_back(static_cast<std::uint8_t>(row));
}

}  // namespace

LatticePlan::LatticePlan(std::span<const std::uint16_t> codebook, std::size_t patterns_of_half)
    : patterns(patterns_of_half), entries(patterns_of_half * patterns_of_half) {
  std::vector<List> lists;
  for (std::size_t k = 0; k < codebook.size(); ++k) {
    const auto high = static_cast<std::uint8_t>(codebook[k] >> 8);
    entries[high * patterns + (codebook[k] & 0xFF)] = static_cast<std::uint16_t>(k);
    if (k == 0 || high != runs.back().high) {
      runs.push_back({static_cast<std::int32_t>(k), high, 0, 0, {}});
      lists.emplace_back();
    }
    const auto low = static_cast<std::uint8_t>(codebook[k] & 0xFF);
    runs.back().patterns[low / 64] |= std::uint64_t{1} << low % 64;
    lists.back().push_back(low);
  }
  Pairs pairs;
  for (const List& list : lists) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) pairs.add(list[i], list[k], 1);
    }
  }
  for (std::size_t row = patterns; row < kLatticeRows; ++row) {
    const auto [count, a, b] = pairs.most(row);
    if (count < kWorth) break;
    shared.push_back({static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)});
    for (List& list : lists) share(list, a, b, row, pairs);
  }
  std::vector<std::size_t> order(runs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return lists[x].size() < lists[y].size(); });
  const std::vector<Run> by_codebook = std::move(runs);
  runs.clear();
  for (const std::size_t r : order) {
    runs.push_back(by_codebook[r]);
    runs.back().count = static_cast<std::uint16_t>(lists[r].size());
    runs.back().first = static_cast<std::uint16_t>(rows.size());
    rows.insert(rows.end(), lists[r].begin(), lists[r].end());
  }
}

}  // namespace zp
