#include "model/network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

namespace zp {
namespace {

class Recorder {
 public:
  explicit Recorder(const Model& model) : model_(model), decoder_(model.decoder) {}

  Network record() && {
    ValueId x = embedding();
    if (decoder_.layer_columns > 0) layer_parts_ = layer_parts(x);
    for (std::int64_t layer = 0; layer < decoder_.layers; ++layer) {
      const ValueId enters = x;
      x = decoder_.parallel ? parallel_layer(layer, x) : mlp_half(layer, attention_half(layer, x));
      if (decoder_.layer_columns > 0) x = layer_part(layer, x);
      if (model_.has(Role::layer_scale)) x = scale_by(x, {layer, Role::layer_scale});
      network_.layers.push_back({enters, x});
    }
    x = norm(x, {-1, Role::output_norm});
    x = linear(x, {-1, decoder_.tied ? Role::embedding : Role::head});
    x = scale(x, 1 / decoder_.logit_divisor);
    if (decoder_.logit_soft_cap != 0) same(Operation::soft_cap, x).number = decoder_.logit_soft_cap;
    for (const auto& [place, input] : network_.inputs) network_.readers[input].push_back(place);
    return std::move(network_);
  }

 private:
  // ---- steps

  Step& step(Operation operation, std::vector<ValueId> reads, std::int64_t width) {
    for (const ValueId read : reads) network_.steps[read].last_reader = network_.steps.size();
    Step& made = network_.steps.emplace_back();
    made.operation = operation;
    made.reads = std::move(reads);
    made.width = width;
    return made;
  }
  ValueId last() const { return network_.steps.size() - 1; }
  std::int64_t width_of(ValueId x) const { return network_.steps[x].width; }
  Step& same(Operation operation, ValueId x) { return rowwise(operation, {x}, width_of(x)); }

  ValueId scale(ValueId x, double factor) {
    if (factor == 1) return x;
    same(Operation::scale, x).number = factor;
    return last();
  }
  ValueId scale_by(ValueId x, Place place) {
    same(Operation::scale_by, x).place = place;
    return last();
  }
  /// x, where the model has no such norm.
  ValueId norm(ValueId x, Place place) {
    if (!model_.has(place.role)) return x;
    same(Operation::norm, x).place = place;
    return last();
  }
  ValueId linear(ValueId x, Place place) {
    step(Operation::linear, {x}, model_.find(place)->use.rows).place = place;
    network_.inputs[place] = {x};
    return last();
  }
  ValueId expert_linear(ValueId x, ValueId routes, Place place) {
    Place one = place;
    for (one.expert = 0; one.expert < decoder_.experts.count; ++one.expert)
      network_.inputs[one] = {x, one.expert};
    one.expert = 0;
    rowwise(Operation::expert_linear, {x, routes}, model_.find(one)->use.rows).place = place;
    return last();
  }
  // Has as many rows as the first it reads.
  Step& rowwise(Operation operation, std::vector<ValueId> reads, std::int64_t width) {
    const ValueId first = reads.front();
    Step& made = step(operation, std::move(reads), width);
    made.rows = network_.steps[first].rows;
    made.by_expert = network_.steps[first].by_expert;
    return made;
  }
  ValueId slice(ValueId x, std::int64_t begin, std::int64_t width) {
    rowwise(Operation::slice, {x}, width).begin = begin;
    return last();
  }
  ValueId part(ValueId x, std::vector<std::int64_t> parts) {
    same(Operation::part, x).parts = std::move(parts);
    return last();
  }
  ValueId activate(ValueId x) { return activate(x, decoder_.activation); }
  ValueId activate(ValueId x, Activation activation) {
    same(Operation::activate, x).activation = activation;
    return last();
  }
  ValueId both(Operation operation, ValueId x, ValueId y) {
    rowwise(operation, {x, y}, width_of(x));
    return last();
  }

  // ---- the network

  ValueId embedding() {
    step(Operation::embed, {}, decoder_.hidden).place = {-1, Role::embedding};
    scale(last(), decoder_.embedding_scale);
    if (model_.has(Role::position))
      same(Operation::add_positions, last()).place = {-1, Role::position};
    return last();
  }

  // What each layer has of a token, side by side. The projection is never coded, so nobody asks what
  // it reads.
  ValueId layer_parts(ValueId embedded) {
    const std::int64_t width = decoder_.layers * decoder_.layer_columns;
    const auto root = [](std::int64_t n) { return std::sqrt(static_cast<double>(n)); };
    step(Operation::linear, {embedded}, width).place = {-1, Role::layer_projection};
    const ValueId projected = scale(last(), 1 / root(decoder_.hidden));
    same(Operation::norm_heads, projected).place = {-1, Role::layer_projection_norm};
    const ValueId normed = last();
    step(Operation::embed, {}, width).place = {-1, Role::layer_embedding};
    const ValueId own = scale(last(), root(decoder_.layer_columns));
    return scale(both(Operation::add, normed, own), std::sqrt(0.5));
  }

  ValueId layer_part(std::int64_t layer, ValueId x) {
    const std::int64_t width = decoder_.layer_columns;
    const ValueId gate = activate(linear(x, {layer, Role::layer_gate}));
    const ValueId part = slice(layer_parts_, layer * width, width);
    const ValueId up = linear(both(Operation::multiply, gate, part), {layer, Role::layer_up});
    return both(Operation::add, x, norm(up, {layer, Role::layer_post_norm}));
  }

  ValueId added(ValueId x, ValueId branch) {
    return both(Operation::add, x, scale(branch, decoder_.residual_scale));
  }

  // Attention and MLP read the same normed input.
  ValueId parallel_layer(std::int64_t layer, ValueId x) {
    const ValueId normed = norm(x, {layer, Role::attention_norm});
    x = added(x, attention(layer, normed));
    return added(x, mlp(layer, normed, x));
  }

  ValueId attention_half(std::int64_t layer, ValueId x) {
    if (decoder_.layer(layer).mixer == Mixer::none) return x;
    const ValueId branch = mixed(layer, norm(x, {layer, Role::attention_norm}));
    return added(x, norm(branch, {layer, Role::attention_post_norm}));
  }

  ValueId mlp_half(std::int64_t layer, ValueId x) {
    if (!decoder_.layer(layer).feeds) return x;
    const ValueId branch = mlp(layer, norm(x, {layer, Role::ffn_norm}), x);
    return added(x, norm(branch, {layer, Role::ffn_post_norm}));
  }

  ValueId mixed(std::int64_t layer, ValueId x) {
    switch (decoder_.layer(layer).mixer) {
      case Mixer::attention:
      case Mixer::none:
        break;
      case Mixer::short_convolution:
        return short_convolution(layer, x);
      case Mixer::gated_delta:
        return gated_delta(layer, x);
      case Mixer::state_space:
        return state_space(layer, x);
      case Mixer::attention_and_space: {
        const ValueId space = state_space(layer, x);
        return both(Operation::add, space, attention(layer, x));
      }
    }
    return decoder_.latent.rank > 0 ? latent_attention(layer, x) : attention(layer, x);
  }

  ValueId short_convolution(std::int64_t layer, ValueId x) {
    const std::int64_t width = decoder_.hidden;
    const ValueId parts = linear(x, {layer, Role::conv_in});
    const ValueId before = slice(parts, 0, width);
    const ValueId behind = slice(parts, width, width);
    const ValueId seen = both(Operation::multiply, before, slice(parts, 2 * width, width));
    same(Operation::convolve, seen).place = {layer, Role::convolution};
    return linear(both(Operation::multiply, behind, last()), {layer, Role::conv_out});
  }

  struct DeltaParts {
    ValueId qkv = 0;
    ValueId gate = 0;
    ValueId beta = 0;
    ValueId decay = 0;
  };

  DeltaParts delta_parts(std::int64_t layer, ValueId x) {
    if (!model_.has(Role::delta_qkvz))
      return {linear(x, {layer, Role::delta_qkv}), linear(x, {layer, Role::delta_gate}),
              linear(x, {layer, Role::delta_beta}), linear(x, {layer, Role::delta_decay})};
    const DeltaHeads& heads = decoder_.delta;
    const std::int64_t shared = heads.values / heads.keys;
    const std::int64_t values = shared * heads.value_dim;
    const ValueId qkvz =
        part(linear(x, {layer, Role::delta_qkvz}), {heads.key_dim, heads.key_dim, values, values});
    const ValueId ba = part(linear(x, {layer, Role::delta_beta_decay}), {shared, shared});
    return {slice(qkvz, 0, heads.columns()), slice(qkvz, heads.columns(), heads.value_columns()),
            slice(ba, 0, heads.values), slice(ba, heads.values, heads.values)};
  }

  ValueId gated_delta(std::int64_t layer, ValueId x) {
    const DeltaParts parts = delta_parts(layer, x);
    same(Operation::convolve, parts.qkv).place = {layer, Role::convolution};
    const ValueId qkv = activate(last(), Activation::silu);
    const ValueId beta = activate(parts.beta, Activation::sigmoid);
    step(Operation::delta, {qkv, beta, parts.decay}, decoder_.delta.value_columns()).place = {
        layer, Role::delta_rate};
    same(Operation::norm_heads, last()).place = {layer, Role::delta_norm};
    const ValueId normed = last();
    const ValueId gate = activate(parts.gate, Activation::silu);
    return linear(both(Operation::multiply, normed, gate), {layer, Role::delta_out});
  }

  ValueId state_space(std::int64_t layer, ValueId x) {
    const StateSpace& space = decoder_.space;
    const ValueId in = linear(x, {layer, Role::space_in});
    same(Operation::convolve, slice(in, space.columns(), space.convolved())).place = {
        layer, Role::convolution};
    const ValueId seen = activate(last(), Activation::silu);
    const ValueId steps = slice(in, space.columns() + space.convolved(), space.heads);
    step(Operation::scan, {seen, steps}, space.columns()).place = {layer, Role::space_rate};
    const ValueId scanned = last();
    const ValueId gate = activate(slice(in, 0, space.columns()), Activation::silu);
    const ValueId gated = both(Operation::multiply, scanned, gate);
    return linear(norm(gated, {layer, Role::space_norm}), {layer, Role::space_out});
  }

  // Values before keys before queries: ONNX graphs number their nodes by the record, and a written
  // graph is read by making it again.
  ValueId attention(std::int64_t layer, ValueId x) {
    const std::int64_t query = decoder_.query_columns(layer);
    const std::int64_t key = decoder_.key_columns(layer);
    const Layer& row = decoder_.layer(layer);
    const bool own = !row.keys_of;
    ValueId q = 0;
    ValueId k = 0;
    ValueId v = 0;
    if (model_.has(Role::qkv)) {
      const ValueId qkv = linear(x, {layer, Role::qkv});
      v = slice(qkv, query + key, key);
      k = slice(qkv, query, key);
      q = slice(qkv, 0, query);
    } else {
      if (own && !row.values_are_keys) v = linear(x, {layer, Role::value});
      if (own) k = linear(x, {layer, Role::key});
      if (own && row.values_are_keys) v = k;
      q = linear(x, {layer, Role::query});
    }
    std::optional<ValueId> gate;
    if (decoder_.output_gate) {
      const std::int64_t head = decoder_.head_dim_of(layer);
      const ValueId parted = part(q, {head, head});
      gate = slice(parted, query, query);
      q = slice(parted, 0, query);
    }
    if (decoder_.norm_rotated) {
      q = rotate(q, layer);
      if (own) k = rotate(k, layer);
    }
    q = norm_projection(q, {layer, Role::query_norm});
    if (own) k = norm_projection(k, {layer, Role::key_norm});
    if (!decoder_.norm_rotated) {
      q = rotate(q, layer);
      if (own) k = rotate(k, layer);
    }
    return attended(layer, q, k, v, gate);
  }

  ValueId attended(std::int64_t layer, ValueId q, ValueId k, ValueId v,
                   std::optional<ValueId> gate = {}) {
    if (decoder_.query_beta != 0) {
      same(Operation::temper, q);
      q = last();
    }
    const bool own = !decoder_.layer(layer).keys_of;
    if (own && decoder_.value_norms) {
      same(Operation::norm_values, v).place.layer = layer;
      v = last();
    }
    const std::int64_t source = decoder_.layer(layer).keys_of.value_or(layer);
    const auto [keys, values] = keys_.try_emplace(source, k, v).first->second;
    step(Operation::attend, {q, keys, values}, decoder_.attended_columns(layer)).place = {
        source, Role::sinks};
    ValueId out = last();
    if (gate) out = both(Operation::multiply, out, activate(*gate, Activation::sigmoid));
    return linear(out, {layer, Role::attention_output});
  }

  ValueId latent_attention(std::int64_t layer, ValueId x) {
    const std::int64_t rank = decoder_.latent.rank;
    const std::int64_t keys = decoder_.latent_key_dim();
    const std::int64_t values = decoder_.value_dim_of(layer);
    const ValueId kv_a = linear(x, {layer, Role::kv_a});
    const ValueId latent = norm(slice(kv_a, 0, rank), {layer, Role::kv_a_norm});
    const ValueId kv = part(linear(latent, {layer, Role::kv_b}), {keys, values});
    const ValueId v = slice(kv, decoder_.heads * keys, decoder_.heads * values);
    const ValueId own = slice(kv, 0, decoder_.heads * keys);
    const ValueId common = slice(kv_a, rank, decoder_.rope.dims);
    step(Operation::share, {own, common}, decoder_.query_columns(layer)).parts = {keys};
    const ValueId k = rotate(last(), layer);
    ValueId from = x;
    if (decoder_.latent.query_rank > 0)
      from = norm(linear(x, {layer, Role::query_a}), {layer, Role::query_a_norm});
    return attended(layer, rotate(linear(from, {layer, Role::query}), layer), k, v);
  }

  /// Over each head, or over all of them where the norm has a weight for every column.
  ValueId norm_projection(ValueId x, Place place) {
    if (!model_.has(place.role)) return x;
    if (model_.find(place)->use.cols != decoder_.head_dim_of(place.layer)) return norm(x, place);
    same(Operation::norm_heads, x).place = place;
    return last();
  }
  ValueId rotate(ValueId x, std::int64_t layer) {
    const RopeKind kind = decoder_.layer(layer).rope;
    if (kind == RopeKind::none || decoder_.rope_of(kind).dims == 0) return x;
    same(Operation::rotate, x).place.layer = layer;
    return last();
  }

  ValueId mlp(std::int64_t layer, ValueId x, ValueId stream) {
    if (decoder_.layer(layer).experts) return experts(layer, x, stream);
    return linear(mlp_inner(layer, x), {layer, Role::down});
  }

  ValueId mlp_inner(std::int64_t layer, ValueId x) {
    if (model_.has(Role::gate_up)) {
      const ValueId gate_up = linear(x, {layer, Role::gate_up});
      const std::int64_t width = decoder_.ffn_of(layer);
      const ValueId up = slice(gate_up, width, width);
      return both(Operation::multiply, activate(slice(gate_up, 0, width)), up);
    }
    if (!decoder_.gated) return activate(linear(x, {layer, Role::up}));
    const ValueId gate = activate(linear(x, {layer, Role::gate}));
    return both(Operation::multiply, gate, linear(x, {layer, Role::up}));
  }

  /// Router and experts may read the residual stream by norms of their own.
  ValueId experts(std::int64_t layer, ValueId x, ValueId stream) {
    ValueId judged = x;
    if (model_.has(Role::router_norm)) {
      const double root = std::sqrt(static_cast<double>(decoder_.hidden));
      judged = scale(norm(stream, {layer, Role::router_norm}), 1 / root);
    }
    const ValueId scores = linear(judged, {layer, Role::router});
    same(Operation::route, scores).place = {layer, Role::router_correction};
    const ValueId routes = last();
    ValueId read = model_.has(Role::expert_norm) ? norm(stream, {layer, Role::expert_norm}) : x;
    const bool narrow = model_.has(Role::expert_in);
    if (narrow) read = linear(read, {layer, Role::expert_in});
    Step& dispatch = step(Operation::dispatch, {read, routes}, width_of(read));
    dispatch.rows = decoder_.experts.chosen;
    dispatch.by_expert = true;
    const ValueId sent = last();
    const ValueId inner = expert_inner(layer, sent, routes);
    const ValueId down = expert_linear(inner, routes, {layer, Role::down});
    step(Operation::combine, {down, routes}, width_of(down)).place = {layer, Role::expert_scale};
    const ValueId made = narrow ? linear(last(), {layer, Role::expert_out}) : last();
    const ValueId routed = norm(made, {layer, Role::expert_post_norm});
    if (decoder_.experts.shared_ffn == 0) return routed;
    ValueId shared = linear(mlp_inner(layer, x), {layer, Role::down});
    if (model_.has(Role::shared_gate)) {
      const ValueId gate = linear(x, {layer, Role::shared_gate});
      shared = both(Operation::weigh, shared, activate(gate, Activation::sigmoid));
    }
    return both(Operation::add, routed, norm(shared, {layer, Role::shared_post_norm}));
  }

  ValueId expert_inner(std::int64_t layer, ValueId sent, ValueId routes) {
    if (!decoder_.gated) return activate(expert_linear(sent, routes, {layer, Role::up}));
    ValueId gate = expert_linear(sent, routes, {layer, Role::gate});
    ValueId up = expert_linear(sent, routes, {layer, Role::up});
    const double limit = decoder_.expert_limit;
    if (limit == 0) return both(Operation::multiply, activate(gate), up);
    gate = activate(clamp(gate, -std::numeric_limits<double>::infinity(), limit));
    up = clamp(up, -limit, limit);
    same(Operation::shift, up).number = 1;
    return both(Operation::multiply, gate, last());
  }
  ValueId clamp(ValueId x, double least, double most) {
    Step& made = same(Operation::clamp, x);
    made.least = least;
    made.number = most;
    return last();
  }

  const Model& model_;
  const Decoder& decoder_;
  Network network_;
  ValueId layer_parts_ = 0;
  std::map<std::int64_t, std::pair<ValueId, ValueId>> keys_;  // and values, of each layer
};

Role first_part(Role role) {
  if (role == Role::qkv) return Role::query;
  if (role == Role::up || role == Role::gate_up) return Role::gate;
  return role == Role::embedding ? Role::head : role;
}

bool is_origin(Operation operation) {
  switch (operation) {
    case Operation::embed:
    case Operation::add_positions:
    case Operation::scale:
    case Operation::scale_by:
    case Operation::add:
    case Operation::attend:
    case Operation::delta:
    case Operation::scan:
      return true;
    default:
      return false;
  }
}

void add_origins(const Network& network, ValueId value, std::set<ValueId>& origins) {
  if (is_origin(network.steps[value].operation)) {
    origins.insert(value);
    return;
  }
  for (const ValueId read : network.steps[value].reads) add_origins(network, read, origins);
}

// The value, or what it is cheap to compute from.
void add_kept(const Network& network, ValueId value, std::set<ValueId>& all) {
  const Step& step = network.steps[value];
  if (step.operation != Operation::norm && step.operation != Operation::dispatch) {
    all.insert(value);
    return;
  }
  for (const ValueId read : step.reads) add_kept(network, read, all);
}

std::set<ValueId> read_behind(const Network& network, ValueId last) {
  std::set<ValueId> all;
  for (ValueId i = 0; i <= last; ++i) {
    if (network.steps[i].last_reader > last) add_kept(network, i, all);
  }
  return all;
}

}  // namespace

Network record(const Model& model) { return Recorder(model).record(); }

std::optional<LinearInput> input_of(const Network& network, const TensorUse& use) {
  const auto found = network.inputs.find(use.place);
  if (use.part != Part::weight || found == network.inputs.end()) return std::nullopt;
  return found->second;
}

std::vector<Place> readers(const Network& network, LinearInput input) {
  const auto found = network.readers.find(input);
  return found == network.readers.end() ? std::vector<Place>() : found->second;
}

std::vector<LinearInput> linear_inputs_of(const Network& network, ValueId value) {
  std::vector<LinearInput> all;
  for (auto i = network.readers.lower_bound({value}); i != network.readers.end(); ++i) {
    if (i->first.value != value) break;
    all.push_back(i->first);
  }
  return all;
}

ValueId routes_of(const Network& network, ValueId value) {
  const Step& step = network.steps[value];
  const bool names_them =
      step.operation == Operation::dispatch || step.operation == Operation::expert_linear;
  return names_them ? step.reads.back() : routes_of(network, step.reads.front());
}

Place input_name(const Network& network, LinearInput input) {
  std::vector<Place> names = readers(network, input);
  for (Place& name : names) name.role = first_part(name.role);
  return *std::ranges::min_element(names);
}

std::vector<ValueId> linear_inputs(const Network& network, std::int64_t layer) {
  std::set<ValueId> all;
  for (auto i = network.inputs.lower_bound({layer}); i != network.inputs.end(); ++i) {
    if (i->first.layer != layer) break;
    all.insert(i->second.value);
  }
  return {all.begin(), all.end()};
}

std::vector<ValueId> needed_behind(const Network& network, ValueId last) {
  const std::set<ValueId> all = read_behind(network, last);
  return {all.begin(), all.end()};
}

std::vector<ValueId> needed_without(const Network& network, ValueId last) {
  std::set<ValueId> all = read_behind(network, last);
  const bool is_sum = network.steps[last].operation == Operation::add;
  if (!is_sum && all.erase(last) > 0) {
    for (const ValueId read : network.steps[last].reads) add_origins(network, read, all);
  }
  return {all.begin(), all.end()};
}

ValueId narrowest(const Network& network, ValueId first, ValueId end) {
  ValueId best = first;
  std::int64_t least = columns(network, needed_behind(network, first));
  for (ValueId v = first + 1; v < end; ++v) {
    const std::int64_t width = columns(network, needed_behind(network, v));
    if (width > least) continue;
    least = width;
    best = v;
  }
  return best;
}

std::int64_t columns(const Network& network, std::span<const ValueId> values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0},
                         [&](std::int64_t sum, ValueId v) {
                           return sum + network.steps[v].width * network.steps[v].rows;
                         });
}

std::vector<bool> needed_steps(const Network& network, const std::vector<bool>& given,
                               std::span<const ValueId> wanted) {
  std::vector<bool> needed(network.steps.size());
  for (const ValueId value : wanted) needed[value] = !given[value];
  for (ValueId i = network.steps.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (const ValueId read : network.steps[i].reads) {
      if (!given[read]) needed[read] = true;
    }
  }
  return needed;
}

}  // namespace zp
