// What models with selective state spaces (Mamba-2) have in common.
#pragma once

#include "model/config_reader.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp::state_space {

inline bool conv_bias(const Decoder& d) { return d.conv_bias; }

inline bool normed(const Decoder& d) { return d.space.normed; }

constexpr auto rows(bool (*norm)(const Decoder&)) {
  return std::array{
      TensorRow{Role::space_in, Part::weight, "model.layers.{}.mamba.in_proj", "blk.{}.ssm_in", "",
                Dim::space_in, Dim::hidden},
      TensorRow{Role::convolution, Part::weight, "model.layers.{}.mamba.conv1d",
                "blk.{}.ssm_conv1d", "", Dim::space_convolved, Dim::convolution},
      TensorRow{Role::convolution, Part::bias, "model.layers.{}.mamba.conv1d", "blk.{}.ssm_conv1d",
                "", Dim::one, Dim::space_convolved, conv_bias},
      TensorRow{Role::space_step_bias, Part::bias, "model.layers.{}.mamba.dt_bias", "blk.{}.ssm_dt",
                "", Dim::one, Dim::space_heads, nullptr, RowOrder::same, false, true},
      TensorRow{Role::space_rate, Part::weight, "model.layers.{}.mamba.A_log", "blk.{}.ssm_a", "",
                Dim::one, Dim::space_heads, nullptr, RowOrder::same, false, true, true},
      TensorRow{Role::space_skip, Part::weight, "model.layers.{}.mamba.D", "blk.{}.ssm_d", "",
                Dim::one, Dim::space_heads, nullptr, RowOrder::same, false, true, true},
      TensorRow{Role::space_norm, Part::weight, "model.layers.{}.mamba.norm", "blk.{}.ssm_norm", "",
                Dim::one, Dim::space, norm},
      TensorRow{Role::space_out, Part::weight, "model.layers.{}.mamba.out_proj", "blk.{}.ssm_out",
                "", Dim::hidden, Dim::space},
  };
}

/// By config.json's names of them.
constexpr auto fields(std::string_view kernel, std::string_view state, std::string_view groups,
                      std::string_view heads, std::string_view bias) {
  return std::array{
      Field{kernel, "ssm.conv_kernel",
            Count{member<&Decoder::convolution>, whole<kMostConvolution>, whole<4>, 2}},
      Field{state, "ssm.state_size",
            Count{member<&Decoder::space, &StateSpace::state>, whole<kMostHeadDim>, whole<256>}},
      Field{groups, "ssm.group_count",
            Count{member<&Decoder::space, &StateSpace::groups>, whole<kMostHeads>, whole<1>}},
      Field{heads, "ssm.time_step_rank",
            Count{member<&Decoder::space, &StateSpace::heads>, whole<kMostHeads>, whole<128>}},
      Field{"", "ssm.inner_size",
            Count{{[](const Decoder& d) { return d.space.columns(); },
                   [](Decoder& d, std::int64_t n) {
                     // What isn't a multiple is refused for its heads' size.
                     d.space.head_dim = n % d.space.heads == 0 ? n / d.space.heads : 0;
                   }},
                  whole<kMostHeads * kMostHeadDim>}},
      Field{bias, "", Flag{member<&Decoder::conv_bias>, true}},
  };
}
inline constexpr auto kFields =
    fields("mamba_d_conv", "mamba_d_state", "mamba_n_groups", "mamba_n_heads", "mamba_conv_bias");

/// Sizes of heads, which have so many columns together, limits of time steps, and whether groups part
/// the heads.
void read(ConfigReader& fields, Decoder& decoder, std::int64_t columns);
/// time_step_limit.
void read_limits(ConfigReader& fields, StateSpace& space);
void write_limits(const Decoder& decoder, Json& config);

}  // namespace zp::state_space
