// A field of a model: what config.json and GGUF's metadata call it, and where the Decoder has it.
// Both are read and written by going over an architecture's rows (config_fields.cc,
// source/gguf_decoder.cc, container/gguf_metadata.cc).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "model/decoder.h"

namespace zp {

/// Limits that keep every product of a model's sizes below 2^63 and no real model comes near to.
inline constexpr std::int64_t kMostLayers = 1 << 12;
inline constexpr std::int64_t kMostHeads = 1 << 12;
inline constexpr std::int64_t kMostHeadDim = 1 << 13;
inline constexpr std::int64_t kMostHidden = 1 << 18;
inline constexpr std::int64_t kMostFfn = 1 << 20;
inline constexpr std::int64_t kMostExperts = 1 << 12;
inline constexpr std::int64_t kMostConvolution = 1 << 10;
inline constexpr std::int64_t kMostVocabulary = 1 << 24;
inline constexpr std::int64_t kMostContext = 1 << 30;

/// How a value is taken from a Decoder and put into it.
template <class T>
struct Member {
  T (*get)(const Decoder&) = nullptr;
  void (*set)(Decoder&, T) = nullptr;
};

template <auto First, auto... Rest>
constexpr auto& member_of(auto& whole) {
  if constexpr (sizeof...(Rest) == 0) {
    return whole.*First;
  } else {
    return member_of<Rest...>(whole.*First);
  }
}
/// Where the path of member pointers leads: member<&Decoder::experts, &Experts::count>.
template <auto... Path>
inline constexpr Member<
    std::remove_reference_t<decltype(member_of<Path...>(std::declval<Decoder&>()))>>
    member = {[](const Decoder& d) { return member_of<Path...>(d); },
              [](Decoder& d, auto value) { member_of<Path...>(d) = value; }};

using Size = std::int64_t (*)(const Decoder&);
template <std::int64_t N>
constexpr std::int64_t whole(const Decoder&) {
  return N;
}

// Kinds of values. `otherwise`: where config.json says nothing; nullptr or none: it must.

/// A whole number in least ... most.
struct Count {
  Member<std::int64_t> member;
  Size most = nullptr;
  Size otherwise = nullptr;
  std::int64_t least = 1;
};
/// A finite number above 0.
struct Positive {
  Member<double> member;
  std::optional<double> otherwise;
  bool whole = false;  ///< config.json has an integer where it is one
};
struct Flag {
  Member<bool> member;
  bool otherwise = false;
};
/// The activation's name, of which GGUF has none.
struct ActivationWord {
  std::string_view otherwise;
};
/// Values that a head has. Needs hidden size and heads.
struct HeadSize {
  std::int64_t otherwise = 0;  ///< 0: hidden / heads
  bool even = false;           ///< never anything else, and config.json isn't given it
};
/// Sizes of latent attention's heads, whose keys' parts config.json says apart: qk_nope_head_dim and
/// qk_rope_head_dim, beside v_head_dim.
struct LatentHeads {};
/// Heads of keys where only some layers have attention: GGUF says them for each layer, 0 where it
/// has the other mixer.
struct KeyHeads {
  Mixer other = Mixer::short_convolution;
};
/// A whole number that each layer has: GGUF says a list, or one number where all are alike.
struct EachLayer {
  std::int64_t (*get)(const Decoder&, std::int64_t layer) = nullptr;
  void (*set)(Decoder&, std::span<const std::int64_t> all) = nullptr;
  Size most = nullptr;
  bool flags = false;  ///< GGUF says booleans, 1 for true
  std::int64_t least = 1;
};
/// How many pairs of dimensions GGUF says are turned by time, height, width and a fourth position,
/// which are one and the same in text.
struct RopeSections {};
/// A number that GGUF says though the architecture has one alone.
struct Only {
  std::int64_t value;
  std::string_view expected;
};

/// GGUF says the size of a head once for keys, by the row's key, and once for values.
inline constexpr std::string_view kValueLength = "attention.value_length";

/// What it means that GGUF's key isn't there.
enum class Unsaid {
  refused,
  usual,  ///< what config.json's key would mean by its absence
  left,   ///< what the Decoder says by then
};

/// A row. Empty names: config.json, or GGUF, has no such field.
struct Field {
  std::string_view config;
  std::string_view gguf;  ///< behind the architecture's name
  std::variant<Count, Positive, Flag, ActivationWord, HeadSize, LatentHeads, KeyHeads, EachLayer,
               RopeSections, Only>
      value;
  Unsaid unsaid = Unsaid::refused;
  std::string_view older = {};                  ///< another name of config.json's
  bool nullable = false;                        ///< config.json says 0 by null
  bool (*gguf_when)(const Decoder&) = nullptr;  ///< GGUF's is written only then
};

/// A field of config.json that is understood at one value only: any other changes the computation.
struct FixedField {
  std::string_view name;
  std::string_view value;  ///< as JSON
};

/// Those that config.json may state.
inline constexpr RopeScaling kStatedScalings[] = {RopeScaling::none, RopeScaling::linear,
                                                  RopeScaling::llama3, RopeScaling::longrope,
                                                  RopeScaling::yarn};

/// What an architecture's config.json may say of the rotary embedding, and means by saying nothing.
struct RopeRules {
  double theta = 10000;
  double share = 1;       ///< of each head's dimensions that are rotated
  std::int64_t dims = 0;  ///< said in another field; 0: in none
  Size of = nullptr;      ///< what the share is of; nullptr: the dimensions of a head
  /// Whether the config may state a share below 1.
  bool partial_allowed = false;
  std::span<const RopeScaling> scalings = kStatedScalings;
  /// Whether longrope's attention factors are stated, as short_mscale and long_mscale.
  bool mscales = false;
  /// Whether scores are multiplied by what follows from mscale_all_dim (Rope::sharpening).
  bool sharpens = false;
  /// Fields of its own object that are read elsewhere or change nothing.
  std::span<const std::string_view> beside = {};
};

}  // namespace zp
