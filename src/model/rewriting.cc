#include "model/rewriting.h"

#include <algorithm>

#include "model/rewritten_rows.h"

namespace zp {
namespace {

// What the norm multiplies by.
std::vector<float> multipliers(const Model& model, Place norm) {
  const Weight& weight = *model.find(norm);
  std::vector<float> values(static_cast<std::size_t>(weight.use.cols));
  weight.rows->read(0, 1, values.data());
  if (model.decoder.norm_plus_one) {
    for (float& v : values) v += 1.0f;
  }
  return values;
}

void turn_rows(Change& change, const Rotation& rotation, std::int64_t begin, std::int64_t end) {
  change.row_rotation = rotation;
  change.turned_begin = begin;
  change.turned_end = end;
}

}  // namespace

void add_factors(Rewriting& rewriting, const ScaleLink& link, const std::vector<float>& factors) {
  std::vector<float> columns;
  for (const std::int32_t source : link.source)
    columns.push_back(factors[static_cast<std::size_t>(source)]);
  for (const Place reader : link.readers) rewriting[reader].column_factors = columns;
  std::vector<float> inverse(factors.size(), 1.0f);
  for (const std::int32_t source : link.source) {
    const auto at = static_cast<std::size_t>(source);
    inverse[at] = 1 / factors[at];
  }
  Change& writer = rewriting[link.writer];
  (link.norm ? writer.column_factors : writer.row_factors) = std::move(inverse);
}

void add_rotation(Rewriting& rewriting, const ScaleLink& link, const Rotation& rotation) {
  for (const Place reader : link.readers) rewriting[reader].column_rotation = rotation;
  const auto [first, last] = std::ranges::minmax(link.source);
  turn_rows(rewriting[link.writer], rotation, first, last + 1);
}

void add_stream_rotation(Rewriting& rewriting, const Model& model,
                         const Cancellations& cancellations, const Rotation& rotation) {
  const ResidualStream& stream = cancellations.stream;
  for (const Place table : stream.tables) rewriting[table].column_rotation = rotation;
  for (const Place writer : stream.writers)
    turn_rows(rewriting[writer], rotation, 0, rotation.width());
  for (const Place norm : stream.norms) {
    rewriting[norm].ones = true;
    const std::vector<float> weight = multipliers(model, norm);
    for (const ScaleLink& link : cancellations.links) {
      if (link.writer != norm) continue;
      for (const Place reader : link.readers) {
        rewriting[reader].column_factors = weight;
        rewriting[reader].column_rotation = rotation;
      }
    }
  }
}

Model rewritten(const Model& source, const Rewriting& rewriting) {
  Model out;
  out.architecture = source.architecture;
  out.decoder = source.decoder;
  const auto blocks = std::make_shared<RowBlocks>();
  for (const Weight& weight : source.weights) {
    out.weights.push_back(weight);
    const auto change = rewriting.find(weight.use.place);
    if (change == rewriting.end()) continue;
    out.derived.push_back(
        rewritten_rows(weight, change->second, source.decoder.norm_plus_one, blocks));
    out.weights.back().rows = out.derived.back().get();
  }
  return out;
}

}  // namespace zp
