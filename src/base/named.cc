#include "base/named.h"

#include <algorithm>

namespace zp {
namespace {

// Letters left out, put in, another, or two neighbours swapped (Damerau and Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

constexpr std::size_t kLongest = 64;  // what is longer is no misspelled name

}  // namespace

std::string lower_case(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string closest_name(std::string_view wanted, std::span<const std::string> known) {
  if (wanted.size() > kLongest) return {};
  const std::string lower = lower_case(wanted);
  std::string best;
  std::size_t least = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const std::string& name : known) {
    const std::size_t here = distance(lower, name);
    if (here >= least) continue;
    least = here;
    best = name;
  }
  return best;
}

std::string unknown_name(const std::string& what, std::string_view wanted,
                         std::span<const std::string> known) {
  const std::string meant = closest_name(wanted, known);
  return "unknown " + what + (meant.empty() ? "" : " (did you mean " + meant + "?)");
}

void throw_unknown(const std::string& where, const std::string& what, std::string_view wanted,
                   std::span<const std::string> known) {
  std::string all;
  for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
  throw UsageError(where, unknown_name(what, wanted, known), all, std::string(wanted));
}

}  // namespace zp
