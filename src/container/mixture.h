// Mixtures: names that people know for rules (role, layer, shape) -> grid, as data.
//
// A mixture has one grid for most matrices, others for the head and the embedding where they
// differ, and exceptions by role and layer, some for models of eight experts alone. Written out for one model's layers it is a list of
// Rules.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/decoder.h"

namespace zp {

struct Rule;

/// Layers a line is about; L: how many the model has.
enum class Layers {
  all,
  first,        ///< i < n
  first_part,   ///< i < L / n
  inner,        ///< L / 8 <= i < 7 L / 8
  outer_third,  ///< i < L / 8, i >= 7 L / 8, and every third between: (i - L / 8) mod 3 == 2
};

/// Models and runs a line is about.
enum class When {
  always,
  shared_keys,   ///< at least four query heads share a key and value head
  many_experts,  ///< at least four
  large,         ///< 80 layers with shared keys (70B): the value matrices are small beside the rest
  weighted,      ///< statistics of the columns' importance are there
  unweighted,
};

struct MixtureLine {
  std::string_view roles;  ///< comma-separated
  Layers layers;
  std::int64_t n;  ///< of Layers::first and first_part
  When when;
  std::string_view grid;
};

struct Mixture {
  std::string_view name;
  std::string_view grid;                          ///< of what no line names
  std::string_view head;                          ///< also of the embedding when it is the head
  std::string_view embedding;                     ///< empty: as grid
  std::int32_t file_type;                         ///< GGUF's general.file_type
  std::span<const MixtureLine> lines;             ///< first match wins
  std::span<const MixtureLine> of_eight_experts;  ///< before them, where the model has eight
};

/// nullptr when there is none of that name.
const Mixture* find_mixture(std::span<const Mixture> mixtures, std::string_view name);

/// The mixture for this model, first match wins; the last rule matches everything.
std::vector<Rule> mixture_rules(const Mixture& mixture, const Decoder& decoder, bool weighted);

/// For people: "q4_k; value,qkv and down q6_k in ...; head q6_k".
std::string describe(const Mixture& mixture);

}  // namespace zp
