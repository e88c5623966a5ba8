// The network's operations as nodes of an OpenVINO graph.
//
// The graph is that of a decoder which keeps its caches itself, as OpenVINO's generation library
// wants it:
//
//   input_ids, position_ids   int64 [batch, tokens]
//   attention_mask            int64 [batch, tokens of the caches and of the call]
//   beam_idx                  int32 [batch]: which sequence's caches each one goes on from
//   logits                    FP32 [batch, tokens, vocabulary]
//
// Norms, rotations, caches and attention have the forms that the runtime makes single operations of
// (openvino src/common/transformations, src/plugins/intel_cpu/src/transformations). Angles of the
// rotation are computed from the positions, so no table limits a sequence's length. Activations are
// FP32; what less a device computes in is the runtime's choice.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "container/container.h"
#include "container/graph_builder.h"
#include "model/network.h"

namespace zp {

/// Weights are only named.
class OpenVinoOps : private GraphBuilder {
 public:
  /// An activation: [batch, tokens, width], or by head [batch, heads, tokens, head size].
  struct Value {
    std::string name;
    std::int64_t width = 0;
    bool by_head = false;
  };

  /// Borrows both.
  OpenVinoOps(const Model& model, std::span<const Assignment> assignments);

  /// All nodes but constants. REQUIRES: called once.
  std::vector<GraphNode> build();
  using GraphBuilder::constants;

  Value embed(Place place);
  Value add_positions(const Value& x);
  Value scale(const Value& x, double factor);
  Value temper(const Value& x);
  Value norm(const Value& x, Place place);
  Value norm_heads(const Value& x, Place place);
  Value norm_values(const Value& x, std::int64_t layer);
  Value linear(const Value& x, Place place);
  Value route(const Value& scores, Place place);
  Value dispatch(const Value& x, const Value& routes);
  Value expert_linear(const Value& x, const Value& routes, Place place);
  Value combine(const Value& x, const Value& routes, Place place);
  Value slice(const Value& x, std::int64_t begin, std::int64_t width);
  Value rotate(const Value& x, std::int64_t layer);
  Value attend(const Value& q, const Value& k, const Value& v, Place place);
  Value convolve(const Value& x, Place place);
  Value part(const Value& x, std::span<const std::int64_t> parts);
  Value share(const Value& x, const Value& y, std::int64_t head);
  Value scan(const Value& x, const Value& steps, Place place);
  Value delta(const Value& qkv, const Value& beta, const Value& decay, Place place);
  Value scale_by(const Value& x, Place place);
  Value weigh(const Value& x, const Value& y);
  Value activate(const Value& x, Activation activation);
  Value multiply(const Value& x, const Value& y);
  Value add(const Value& x, const Value& y);
  Value clamp(const Value& x, double least, double most);
  Value shift(const Value& x, double by);
  Value soft_cap(const Value& x, double cap);

 private:
  void parameter(std::string_view name, std::string_view type, std::string_view shape);
  void sink(std::string_view op, std::string value, Attributes attributes);
  std::string binary(std::string_view op, std::string x, std::string y);
  std::string convert(std::string value, std::string_view type);
  std::string reshape(std::string value, const std::vector<std::int64_t>& shape);
  std::string unsqueeze(std::string value, const std::vector<std::int64_t>& axes);
  std::string concat(Names values, std::int64_t axis);
  std::string part(std::string value, std::int64_t begin, std::int64_t end, std::int64_t axis);
  std::string size(std::string_view value, std::int64_t axis);
  std::string capped(std::string x, double cap);

  const Assignment* find(Place place, Part part) const;
  std::string floats(const Assignment& weight);
  std::string vector(Place place, Part part);
  std::string looked_up(Role role, std::string_view indices);
  std::string normed(const std::string& x, Place place);

  Value by_head(const Value& x);
  Value flat(const Value& x);
  /// Of every token of the call, beside a head's columns.
  struct Turns {
    std::string cos;
    std::string sin;
  };
  const Turns& turns(RopeKind kind);
  std::string by_length(const Rope& rope, const std::vector<float>& first,
                        const std::vector<float>& later);
  std::string turned(const std::string& x, const Rope& rope, const Turns& turns);
  std::string positions();
  std::string total_length();
  std::string mask(std::optional<std::int64_t> window);
  std::string cached(const std::string& now, std::int64_t layer, std::string_view what);
  std::string repeated(std::string x);

  const Model& model_;
  const Decoder& decoder_;
  std::map<std::pair<Place, Part>, const Assignment*> weights_;
  std::map<const Assignment*, std::string> floats_;  // made before
  std::map<RopeKind, Turns> turns_;
  std::map<std::optional<std::int64_t>, std::string> masks_;
  std::string positions_;     // FP32 [batch, tokens]
  std::string total_length_;  // of the caches and the call
  std::string empty_cache_;   // what a cache is before the first call
};

}  // namespace zp
