// How MLX stores quantized matrices: the modes of mx.quantize, as data, and their words in
// config.json: {"group_size": 64, "bits": 4, "mode": "affine"}. Source: mlx docs (quantize),
// mlx_lm/utils.py.
//
//   X.weight  uint32 [rows, cols bits / 32]   codes, a little-endian bit stream along the row
//   X.scales  [rows, cols / group]            of a floating type, or one byte
//   X.biases  [rows, cols / group]            in mode affine: w = scale code + bias
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tensor/dtype.h"

namespace zp::mlx {

struct Mode {
  std::string_view name;
  std::span<const std::int64_t> groups;  ///< that it knows, its default first
  std::span<const std::int64_t> bits;    ///< the same
  std::optional<DType> scales;           ///< nothing: the model's own type, and biases beside
  std::string_view grid;                 ///< spec, where the mode is one grid; else empty
};

std::span<const Mode> modes();
/// nullptr: there is no such mode.
const Mode* find_mode(std::string_view name);

/// What a matrix is stored as.
struct Form {
  const Mode* mode = nullptr;
  std::int64_t group = 0;
  std::int64_t bits = 0;
  auto operator<=>(const Form&) const = default;
};

/// The mode's groups and bits may be any of those it knows.
bool is_known(const Form& form);
/// The form of a grid that is one mode; nullopt for all others.
std::optional<Form> form_of_grid(std::string_view spec);

}  // namespace zp::mlx
