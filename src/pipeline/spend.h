// A budget of bytes spent where it lowers a loss most.
//
// Each tensor takes one of its offers; losses add up. Of a tensor's offers those on the lower
// convex hull of (bytes, loss) count: going along it each step buys less per byte than the one
// before. All tensors' steps by falling loss per byte are the path on which every total is the
// least for its bytes (Lagrange: the offers that make loss + t bytes least, for every t). Between
// two such points spend() is off the least loss by less than what the first step that didn't fit
// would have bought.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace zp {

struct Offer {
  std::int64_t bytes = 0;
  double loss = 0;
};
/// By tensor, then offer; at least one of each.
using Offers = std::vector<std::vector<Offer>>;
/// Of each tensor the number of its offer.
using Purchase = std::vector<std::size_t>;

/// A tensor's next offer on its hull.
struct Upgrade {
  std::size_t tensor = 0;
  std::size_t offer = 0;
};

/// Of every tensor the offer of the fewest bytes, of those that of the least loss.
Purchase cheapest(const Offers& offers);
/// Steps up from there by falling loss per byte, of equal ones the earlier tensor's first.
std::vector<Upgrade> upgrades(const Offers& offers);
/// cheapest() and every step of upgrades(), in their order, that the budget still has room for; a
/// tensor whose step had none stays where it is. Where cheapest() is beyond the budget: cheapest().
Purchase spend(const Offers& offers, std::int64_t budget);

/// Of `count` choices, each larger than the one before, the smallest that keeps to a limit, or
/// `count`. What is measured need not fall with every step, so it bisects and then looks at the
/// three below what it has: the choice keeps to the limit, those three do not, and a stricter limit
/// never gets a smaller choice. Where one choice keeps to it all larger ones do, none smaller does.
/// `keeps` measures one; asked about log2(count) + 3 times, of no choice twice.
std::size_t smallest_that_keeps(std::size_t count, const std::function<bool(std::size_t)>& keeps);

std::int64_t bytes_of(const Offers& offers, const Purchase& purchase);
double loss_of(const Offers& offers, const Purchase& purchase);

}  // namespace zp
