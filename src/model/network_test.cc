// What the record of every architecture says of itself.
#include "model/network.h"

#include <gtest/gtest.h>

#include <string>

#include "model/sample_models.h"

namespace zp {
namespace {

// "query key value, attention_output, gate up, down": what reads each input, in the order of the
// inputs; of experts the first.
std::string readers_text(const Network& network, std::int64_t layer) {
  std::string text;
  for (const ValueId input : linear_inputs(network, layer)) {
    if (!text.empty()) text += ",";
    for (const Place reader : readers(network, linear_inputs_of(network, input).front()))
      text += (text.empty() ? "" : " ") + std::string(role_name(reader.role));
  }
  return text;
}

TEST(Network, StepsReadWhatIsMadeBeforeThem) {
  for (const SampleModel& sample : sample_models()) {
    const Network network = record(sample.model);
    std::vector<ValueId> last(network.steps.size());
    for (ValueId i = 0; i < network.steps.size(); ++i) {
      for (const ValueId read : network.steps[i].reads) {
        ASSERT_LT(read, i) << sample.name;
        last[read] = i;
      }
    }
    for (ValueId i = 0; i < network.steps.size(); ++i)
      EXPECT_EQ(network.steps[i].last_reader, last[i]) << sample.name << ", step " << i;
    EXPECT_EQ(network.steps.back().width, 50) << sample.name;
  }
}

std::string mixer_text(const SampleModel& sample, std::int64_t layer) {
  switch (sample.model.decoder.layer(layer).mixer) {
    case Mixer::attention:
    case Mixer::none:
      break;
    case Mixer::attention_and_space:
      return "query key value space_in, space_out, attention_output";
    case Mixer::state_space:
      return "space_in, space_out";
    case Mixer::short_convolution:
      return "conv_in, conv_out";
    case Mixer::gated_delta:
      return sample.name == "qwen3_next" ? "delta_qkvz delta_beta_decay, delta_out"
                                         : "delta_qkv delta_gate delta_beta delta_decay, delta_out";
  }
  if (sample.name == "deepseek_v2") return "query kv_a, kv_b, attention_output";
  if (sample.name == "deepseek_v3" || sample.name == "mistral4")
    return "query_a kv_a, kv_b, query, attention_output";
  const bool fused = sample.name == "phi3" || sample.name.starts_with("gpt2");
  return fused                  ? "qkv, attention_output"
         : sample.name == "phi" ? "query key value up, attention_output"
                                : "query key value, attention_output";
}

std::string experts_text(const SampleModel& sample) {
  if (sample.model.decoder.experts.shared_ffn == 0) return ", router, gate up, down";
  return sample.model.has(Role::shared_gate) ? ", router shared_gate gate up, gate up, down, down"
                                             : ", router gate up, gate up, down, down";
}

TEST(Network, LinearsThatReadTheSameValueAreFound) {
  for (const SampleModel& sample : sample_models()) {
    if (has_layers_of_its_own(sample)) continue;
    const Network network = record(sample.model);
    const std::string& name = sample.name;
    const bool fused = name == "phi3";
    const std::string mlp = name == "phi"              ? ", down"
                            : name.starts_with("gpt2") ? ", up, down"
                            : fused                    ? ", gate_up, down"
                                                       : ", gate up, down";
    for (const std::int64_t layer : {0, 1}) {
      const bool experts = sample.model.decoder.layer(layer).experts;
      const std::string first = mixer_text(sample, layer);
      EXPECT_EQ(readers_text(network, layer), first + (experts ? experts_text(sample) : mlp))
          << name;
    }
    EXPECT_EQ(readers_text(network, -1), sample.model.decoder.tied ? "embedding" : "head") << name;
    for (const Weight& weight : sample.model.weights) {
      const bool looked_up =
          weight.use.place.role == Role::position ||
          (weight.use.place.role == Role::embedding && !sample.model.decoder.tied);
      const bool reads = weight.use.is_matrix() && !looked_up;
      EXPECT_EQ(input_of(network, weight.use).has_value(), reads) << name << ", " << weight.use.hf;
    }
  }
}

TEST(Network, InputsAreNamedByTheFirstPartThatReadsThem) {
  for (const SampleModel& sample : sample_models()) {
    if (has_layers_of_its_own(sample)) continue;
    const Network network = record(sample.model);
    std::string names;
    for (const std::int64_t layer : {1, -1}) {
      for (const ValueId input : linear_inputs(network, layer)) {
        for (const LinearInput& i : linear_inputs_of(network, input)) {
          const Place name = input_name(network, i);
          EXPECT_EQ(name.layer, layer);
          EXPECT_EQ(name.expert, i.expert);
          if (i.expert <= 0) names += std::string(role_name(name.role)) + " ";
        }
      }
    }
    const bool experts = sample.model.decoder.layer(1).experts;
    const bool parted = sample.model.decoder.latent.query_rank > 0;
    EXPECT_EQ(names, sample.name == "phi" ? "query attention_output down head "
                     : sample.name == "falcon_h1"
                         ? "query space_out attention_output gate down head "
                     : parted ? "query_a kv_b query attention_output router gate down down head "
                     : sample.model.decoder.latent.rank > 0
                         ? "query kv_b attention_output router gate down down head "
                     : experts && sample.model.decoder.experts.shared_ffn > 0
                         ? "query attention_output router gate down down head "
                     : experts ? "query attention_output router gate down head "
                               : "query attention_output gate down head ")
        << sample.name;
  }
}

TEST(Network, Gemma4sLayersReadOthersKeysAndPartsOfTheirOwn) {
  for (const SampleModel& sample : sample_models()) {
    if (!is_gemma4(sample)) continue;
    const Network network = record(sample.model);
    const bool shared = sample.name == "gemma4_shared";
    const bool experts = sample.name == "gemma4_experts";
    const std::string mlp = experts  ? ", gate up, router, gate up, down, down"
                            : shared ? ", gate up, down, layer_gate, layer_up"
                                     : ", gate up, down";
    EXPECT_EQ(readers_text(network, 0), "query key value, attention_output" + mlp) << sample.name;
    EXPECT_EQ(readers_text(network, 1),
              (shared ? "query key value, attention_output" : "query key, attention_output") + mlp)
        << sample.name;
    EXPECT_EQ(readers_text(network, 3),
              (shared ? "query, attention_output" : "query key, attention_output") + mlp)
        << sample.name;
    std::vector<std::int64_t> keys_of;
    for (const Step& step : network.steps) {
      if (step.operation == Operation::attend) keys_of.push_back(step.place.layer);
    }
    EXPECT_EQ(keys_of, shared ? (std::vector<std::int64_t>{0, 1, 0, 1})
                              : (std::vector<std::int64_t>{0, 1, 2, 3}));
    for (const Weight& weight : sample.model.weights) {
      const Role role = weight.use.place.role;
      const bool reads =
          weight.use.is_matrix() && role != Role::layer_embedding && role != Role::layer_projection;
      EXPECT_EQ(input_of(network, weight.use).has_value(), reads) << weight.use.hf;
    }
  }
}

TEST(Network, NemotronsLayersAreOneThingEach) {
  for (const SampleModel& sample : sample_models()) {
    if (sample.name != "nemotron_h") continue;
    const Network network = record(sample.model);
    EXPECT_EQ(readers_text(network, 0), "space_in, space_out");
    EXPECT_EQ(readers_text(network, 1), "up, down");
    EXPECT_EQ(readers_text(network, 2), "query key value, attention_output");
    EXPECT_EQ(readers_text(network, 3), "router expert_in up, up, down, expert_out, down");
    for (const Weight& weight : sample.model.weights) {
      const bool reads = weight.use.is_matrix() && weight.use.place.role != Role::embedding;
      EXPECT_EQ(input_of(network, weight.use).has_value(), reads) << weight.use.hf;
    }
  }
}

// In a layer whose MLP reads what attention added to, one row of the stream is all that is needed
// behind each half.
TEST(Network, LeastIsNeededBehindASum) {
  for (const SampleModel& sample : sample_models()) {
    if (has_layers_of_its_own(sample)) continue;
    const Network network = record(sample.model);
    const std::vector<ValueId> inputs = linear_inputs(network, 1);
    const bool parallel = sample.model.decoder.parallel;
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const ValueId end = i + 1 < inputs.size() ? inputs[i + 1] + 1 : network.layers[1].leaves + 1;
      const ValueId at = narrowest(network, inputs[i], end);
      // Or, behind what is dispatched, that row and the routes.
      const bool dispatched = network.steps[inputs[i]].operation == Operation::dispatch;
      // Behind what only experts read the shared MLP's input is needed, too.
      const bool beside = network.steps[inputs[i]].by_expert && !dispatched &&
                          sample.model.decoder.experts.shared_ffn > 0;
      // And behind latent vectors keys, values and what queries come of.
      const Latent& latent = sample.model.decoder.latent;
      const bool keys = latent.rank > 0 && i == 1;
      const bool queries = latent.query_rank > 0 && i == 2;
      // And behind a state space beside attention what both read.
      const bool mixers = sample.model.decoder.layer(1).mixer == Mixer::attention_and_space;
      const bool two = ((parallel || mixers) && i == 1) || dispatched || queries;
      const std::size_t values = beside || keys ? 3 : two ? 2 : 1;
      EXPECT_EQ(needed_behind(network, at).size(), values) << sample.name << ", input " << i;
    }
    EXPECT_EQ(needed_behind(network, inputs[0]), std::vector{network.layers[1].enters})
        << sample.name;
    const std::vector<ValueId> with = needed_behind(network, inputs.back());
    EXPECT_EQ(with.back(), inputs.back()) << sample.name;
    const std::vector<ValueId> without = needed_without(network, inputs.back());
    const bool experts = sample.model.decoder.layer(1).experts;
    EXPECT_EQ(without.size(), parallel || experts ? 2u : 1u) << sample.name;
    for (const ValueId value : without) {
      const bool routes = network.steps[value].operation == Operation::route;
      EXPECT_EQ(network.steps[value].width, routes ? 5 : 80) << sample.name;
    }
    for (const ValueId input : linear_inputs(network, 1)) {
      if (network.steps[input].operation != Operation::add) continue;
      EXPECT_EQ(needed_without(network, input), needed_behind(network, input)) << sample.name;
    }
  }
}

}  // namespace
}  // namespace zp
