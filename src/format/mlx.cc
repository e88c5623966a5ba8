#include "format/mlx.h"

#include <algorithm>
#include <array>

namespace zp::mlx {
namespace {

constexpr std::array<std::int64_t, 3> kGroups = {64, 32, 128};
constexpr std::array<std::int64_t, 6> kBits = {4, 2, 3, 5, 6, 8};
constexpr std::array<std::int64_t, 1> k16 = {16}, k32 = {32}, k4 = {4}, k8 = {8};

constexpr std::array kModes = {
    Mode{"affine", kGroups, kBits, std::nullopt, ""},
    Mode{"mxfp4", k32, k4, DType::u8, "mxfp4"},
    Mode{"mxfp8", k32, k8, DType::u8, "mxfp8"},
    Mode{"nvfp4", k16, k4, DType::u8, "nvfp4"},
};

bool contains(std::span<const std::int64_t> values, std::int64_t value) {
  return std::ranges::find(values, value) != values.end();
}

}  // namespace

std::span<const Mode> modes() { return kModes; }

const Mode* find_mode(std::string_view name) {
  const auto* found = std::ranges::find(kModes, name, &Mode::name);
  return found == kModes.end() ? nullptr : found;
}

bool is_known(const Form& form) {
  return form.mode != nullptr && contains(form.mode->groups, form.group) &&
         contains(form.mode->bits, form.bits);
}

std::optional<Form> form_of_grid(std::string_view spec) {
  const auto* mode = std::ranges::find(kModes, spec, &Mode::grid);
  if (mode == kModes.end() || mode->grid.empty()) return std::nullopt;
  return Form{mode, mode->groups[0], mode->bits[0]};
}

}  // namespace zp::mlx
