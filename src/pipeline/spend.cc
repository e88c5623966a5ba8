#include "pipeline/spend.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace zp {
namespace {

constexpr std::size_t kBelow = 3;  // looked at below a choice that keeps to its limit

// Loss bought per byte by going from one offer to a larger one.
double rate(const Offer& from, const Offer& to) {
  return (from.loss - to.loss) / static_cast<double>(to.bytes - from.bytes);
}

// Numbers of a tensor's offers on the hull, by rising bytes and falling loss.
std::vector<std::size_t> hull(const std::vector<Offer>& offers) {
  std::vector<std::size_t> order(offers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return offers[a].bytes != offers[b].bytes ? offers[a].bytes < offers[b].bytes
                                              : offers[a].loss < offers[b].loss;
  });
  std::vector<std::size_t> kept;
  for (const std::size_t i : order) {
    if (!kept.empty() && !(offers[i].loss < offers[kept.back()].loss)) continue;
    while (kept.size() > 1 && rate(offers[kept[kept.size() - 2]], offers[kept.back()]) <=
                                  rate(offers[kept.back()], offers[i]))
      kept.pop_back();
    kept.push_back(i);
  }
  return kept;
}

}  // namespace

Purchase cheapest(const Offers& offers) {
  Purchase out;
  for (const std::vector<Offer>& of_tensor : offers) out.push_back(hull(of_tensor).front());
  return out;
}

std::vector<Upgrade> upgrades(const Offers& offers) {
  struct Rated {
    double rate;
    Upgrade upgrade;
  };
  std::vector<Rated> all;
  for (std::size_t t = 0; t < offers.size(); ++t) {
    const std::vector<std::size_t> kept = hull(offers[t]);
    for (std::size_t i = 1; i < kept.size(); ++i)
      all.push_back({rate(offers[t][kept[i - 1]], offers[t][kept[i]]), {t, kept[i]}});
  }
  std::ranges::stable_sort(all, std::ranges::greater(), &Rated::rate);
  std::vector<Upgrade> out;
  for (const Rated& r : all) out.push_back(r.upgrade);
  return out;
}

Purchase spend(const Offers& offers, std::int64_t budget) {
  Purchase out = cheapest(offers);
  std::int64_t left = budget - bytes_of(offers, out);
  std::vector<bool> stays(offers.size(), left < 0);
  for (const Upgrade& u : upgrades(offers)) {
    if (stays[u.tensor]) continue;
    const std::int64_t more =
        offers[u.tensor][u.offer].bytes - offers[u.tensor][out[u.tensor]].bytes;
    stays[u.tensor] = more > left;
    if (stays[u.tensor]) continue;
    left -= more;
    out[u.tensor] = u.offer;
  }
  return out;
}

std::size_t smallest_that_keeps(std::size_t count, const std::function<bool(std::size_t)>& keeps) {
  std::map<std::size_t, bool> known;
  const auto kept = [&](std::size_t i) {
    if (!known.contains(i)) known[i] = keeps(i);
    return known[i];
  };
  std::size_t low = 0, high = count;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (kept(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  for (std::size_t below = 1; below <= std::min(kBelow, high); ++below) {
    if (!kept(high - below)) continue;
    high -= below;
    below = 0;
  }
  return high;
}

std::int64_t bytes_of(const Offers& offers, const Purchase& purchase) {
  std::int64_t sum = 0;
  for (std::size_t t = 0; t < offers.size(); ++t) sum += offers[t][purchase[t]].bytes;
  return sum;
}

double loss_of(const Offers& offers, const Purchase& purchase) {
  double sum = 0;
  for (std::size_t t = 0; t < offers.size(); ++t) sum += offers[t][purchase[t]].loss;
  return sum;
}

}  // namespace zp
