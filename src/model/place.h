// Where a tensor stands in the network.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace zp {

/// What a tensor does in the network. Names (role_name) are those of --set and reports.
enum class Role {
  embedding,
  position,
  layer_embedding,
  layer_projection,
  layer_projection_norm,
  attention_norm,
  query_a,
  query_a_norm,
  query,
  kv_a,
  kv_a_norm,
  kv_b,
  key,
  value,
  qkv,
  sinks,
  attention_output,
  query_norm,
  key_norm,
  conv_in,
  convolution,
  conv_out,
  delta_qkvz,
  delta_qkv,
  delta_gate,
  delta_beta_decay,
  delta_beta,
  delta_decay,
  delta_decay_bias,
  delta_rate,
  delta_norm,
  delta_out,
  space_in,
  space_step_bias,
  space_rate,
  space_skip,
  space_norm,
  space_out,
  attention_post_norm,
  ffn_norm,
  router_norm,
  router,
  router_correction,
  expert_norm,
  expert_in,
  expert_out,
  shared_gate,
  gate,
  up,
  gate_up,
  down,
  expert_scale,
  expert_post_norm,
  shared_post_norm,
  ffn_post_norm,
  layer_gate,
  layer_up,
  layer_post_norm,
  layer_scale,
  output_norm,
  head,
};
std::string_view role_name(Role role);
/// A matrix that multiplies activations or is looked up, not a norm.
bool is_matrix(Role role);
/// Of a norm of the model's kind, which may multiply by 1 + weight.
bool is_norm(Role role);

/// Of a matrix with a few rows, one for each expert or head, that containers don't code.
bool stays_float(Role role);

/// The address of a weight. Its bias has the same.
struct Place {
  std::int64_t layer = -1;  ///< -1: outside the layers
  Role role = Role::embedding;
  std::int64_t expert = -1;  ///< -1: of no expert
  auto operator<=>(const Place&) const = default;
};

}  // namespace zp
