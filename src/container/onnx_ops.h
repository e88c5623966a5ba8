// The network's operations as nodes of an ONNX graph.
//
// A value is the name of an activation [batch_size, sequence_length, width]. The graph is that of a
// decoder with a cache, as ONNX Runtime's generation library wants it:
//
//   input_ids, attention_mask, position_ids   int64
//   past_key_values.N.key, .value             FP32 [batch, key heads, past length, head size]
//   logits                                    FP32
//   present.N.key, .value                     the same cache, this call's tokens behind it
//
// Attention, rotation, norms behind a sum, experts and what multiplies by codes are ONNX Runtime's
// own operators (domain com.microsoft); the rest is ONNX's, opset 21. Angles of the rotation are
// computed from the positions, so no table limits a sequence's length, and longrope's two sets of
// frequencies are a choice between two short vectors. Activations are FP32.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "container/graph_builder.h"
#include "container/onnx_weights.h"
#include "model/network.h"

namespace zp {

/// Of ONNX Runtime's own operators.
inline constexpr std::string_view kOnnxRuntimeDomain = "com.microsoft";

/// MatMulNBits's accuracy levels: computed in FP32, or with activations rounded to 8 bits.
inline constexpr std::int64_t kOnnxExact = 1;
inline constexpr std::int64_t kOnnxRounded = 4;

/// What a head takes in the caches: ONNX Runtime's attention wants sizes that are multiples of 8,
/// so others get zeros behind them.
std::int64_t cached_head_dim(const Decoder& decoder);

/// Weights are only named. Outlives the use of `graph`, which borrows its constants.
class OnnxOps : private GraphBuilder {
 public:
  struct Value {
    std::string name;
    std::int64_t width = 0;
    /// Of what goes through experts, which has no name: their layer, and what enters them.
    struct Sent {
      std::int64_t layer;
      std::string from;
    };
    std::optional<Sent> sent = {};
  };

  /// accuracy_level: kOnnxExact or kOnnxRounded.
  OnnxOps(const Model& model, std::span<const Assignment> assignments, std::int64_t accuracy_level,
          onnx::Model& graph);

  /// The graph's inputs and outputs, all nodes, and the constants they take. REQUIRES: called once.
  void build();
  /// Whether the head multiplies by the embedding's codes.
  bool tied_codes() const;

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
  std::string own_node(std::string_view op, Names inputs, Attributes attributes);
  std::string to_type(onnx::Type type, std::string value);
  std::string reshape(std::string value, const std::vector<std::int64_t>& shape);
  const Assignment* find(Place place, Part part) const;
  const Assignment& at(Place place) const;
  std::string plane_as_floats(const Assignment& weight, std::size_t plane);
  std::string vector(Place place, Part part);
  std::string looked_up(Role role, const std::string& indices);
  std::string gamma(Place place);
  std::string normed(const std::string& x, Place place);
  std::string padded(const Value& x);
  std::string unpadded(const std::string& x, std::int64_t width);
  void prepare_attention();
  static void check_activation_of_experts(Activation activation);
  std::string coded_experts(const std::string& x, const std::string& weights,
                            const Assignment& gate, const Assignment& down, const AffineForm& form);
  /// A row for every token of the call.
  struct Turns {
    std::string cos;
    std::string sin;
  };
  const std::string& positions();
  const Turns& turns(RopeKind kind);
  std::string by_length(const Rope& rope, const std::vector<float>& first,
                        const std::vector<float>& later);

  const Model& model_;
  const Decoder& decoder_;
  std::map<std::pair<Place, Part>, const Assignment*> weights_;
  std::int64_t accuracy_level_;
  onnx::Model& graph_;
  std::unordered_map<std::string, std::string> casts_;  // made before, by what they change
  std::unordered_map<std::string, std::size_t> sums_;   // nodes that add, by their output
  std::string last_position_;  // of every sequence of the batch: its length less one
  std::string total_length_, total_length_int32_;  // of the longest
  std::string positions_;                          // FP32, in one column
  std::map<RopeKind, Turns> turns_;
  std::string row_;  // of turns, for every token of the call
};

}  // namespace zp
