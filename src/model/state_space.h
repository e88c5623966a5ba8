// What models with selective state spaces (Mamba-2) have in common.
#pragma once

#include "model/config_reader.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp::state_space {

inline bool conv_bias(const Decoder& d) { return d.conv_bias; }

inline constexpr std::array kRows = {
    TensorRow{Role::space_in, Part::weight, "model.layers.{}.mamba.in_proj", "blk.{}.ssm_in", "",
              Dim::space_in, Dim::hidden},
    TensorRow{Role::convolution, Part::weight, "model.layers.{}.mamba.conv1d", "blk.{}.ssm_conv1d",
              "", Dim::space_convolved, Dim::convolution},
    TensorRow{Role::convolution, Part::bias, "model.layers.{}.mamba.conv1d", "blk.{}.ssm_conv1d",
              "", Dim::one, Dim::space_convolved, conv_bias},
    TensorRow{Role::space_step_bias, Part::bias, "model.layers.{}.mamba.dt_bias", "blk.{}.ssm_dt",
              "", Dim::one, Dim::space_heads, nullptr, RowOrder::same, false, true},
    TensorRow{Role::space_rate, Part::weight, "model.layers.{}.mamba.A_log", "blk.{}.ssm_a", "",
              Dim::one, Dim::space_heads, nullptr, RowOrder::same, false, true, true},
    TensorRow{Role::space_skip, Part::weight, "model.layers.{}.mamba.D", "blk.{}.ssm_d", "",
              Dim::one, Dim::space_heads, nullptr, RowOrder::same, false, true, true},
    TensorRow{Role::space_norm, Part::weight, "model.layers.{}.mamba.norm", "blk.{}.ssm_norm", "",
              Dim::one, Dim::space},
    TensorRow{Role::space_out, Part::weight, "model.layers.{}.mamba.out_proj", "blk.{}.ssm_out", "",
              Dim::hidden, Dim::space},
};

inline constexpr std::array kFields = {
    Field{"mamba_d_conv", "ssm.conv_kernel",
          Count{member<&Decoder::convolution>, whole<kMostConvolution>, whole<4>, 2}},
    Field{"mamba_d_state", "ssm.state_size",
          Count{member<&Decoder::space, &StateSpace::state>, whole<kMostHeadDim>, whole<256>}},
    Field{"mamba_n_groups", "ssm.group_count",
          Count{member<&Decoder::space, &StateSpace::groups>, whole<kMostHeads>, whole<1>}},
    Field{"mamba_n_heads", "ssm.time_step_rank",
          Count{member<&Decoder::space, &StateSpace::heads>, whole<kMostHeads>, whole<128>}},
    Field{"", "ssm.inner_size",
          Count{{[](const Decoder& d) { return d.space.columns(); },
                 [](Decoder& d, std::int64_t n) {
                   // What isn't a multiple is refused for its heads' size.
                   d.space.head_dim = n % d.space.heads == 0 ? n / d.space.heads : 0;
                 }},
                whole<kMostHeads * kMostHeadDim>}},
    Field{"mamba_conv_bias", "", Flag{member<&Decoder::conv_bias>, true}},
};

/// Sizes of heads, limits of time steps, and whether groups part the heads.
void read(ConfigReader& fields, Decoder& decoder);
void write(const Decoder& decoder, Json& config);

}  // namespace zp::state_space
