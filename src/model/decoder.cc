#include "model/decoder.h"

#include <algorithm>

namespace zp {
namespace {

// Layers that are all alike are said once, so that equal models are equal data.
void set_rows(Decoder& d, std::vector<Layer> rows) {
  const bool alike = std::ranges::adjacent_find(rows, std::not_equal_to()) == rows.end();
  if (alike && !rows.empty()) {
    d.every = rows.front();
    rows.clear();
  }
  d.rows = std::move(rows);
}

}  // namespace

std::optional<std::int64_t> Decoder::window() const {
  const auto with = std::ranges::find_if(rows, [](const Layer& l) { return l.window.has_value(); });
  return with == rows.end() ? every.window : with->window;
}

void set_windows(Decoder& decoder, std::optional<std::int64_t> window,
                 const std::function<bool(std::int64_t layer)>& has) {
  std::vector<Layer> rows;
  for (std::int64_t i = 0; i < decoder.layers; ++i) {
    rows.push_back(decoder.layer(i));
    rows.back().window = has(i) ? window : std::nullopt;
  }
  set_rows(decoder, std::move(rows));
}

void resize_windows(Decoder& decoder, std::optional<std::int64_t> window) {
  const bool all = decoder.rows.empty();
  set_windows(decoder, window, [rows = decoder.rows, all](std::int64_t i) {
    return all || rows[static_cast<std::size_t>(i)].window;
  });
}

}  // namespace zp
