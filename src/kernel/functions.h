// The elementwise and rowwise functions of a network on FP32: the same bits on every instruction
// set. Errors are in units in the last place (ulp) of the exact result.
#pragma once

#include <limits>
#include <span>

#include "base/view.h"

namespace zp {

/// x <- e^x
void exp(std::span<float> x) noexcept;
/// x <- x / (1 + e^-x)
void silu(std::span<float> x) noexcept;
/// x <- x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
void gelu_tanh(std::span<float> x) noexcept;
/// x <- x/2 (1 + erf(x / sqrt(2)))
void gelu_erf(std::span<float> x) noexcept;
/// x <- x / (1 + e^(-1.702 x))
void gelu_sigmoid(std::span<float> x) noexcept;
/// x <- 1 / (1 + e^-x)
void sigmoid(std::span<float> x) noexcept;
/// x <- x^2 above 0, else 0
void squared_relu(std::span<float> x) noexcept;
/// x <- cap tanh(x / cap)
void soft_cap(std::span<float> x, float cap) noexcept;
/// x <- at most `most`, and at least `least`
void clamp(std::span<float> x, float least, float most) noexcept;
/// x <- x + by
void shift(std::span<float> x, float by) noexcept;
/// x <- x + y, x <- x * y, x <- x * factor
void add(std::span<float> x, Floats y) noexcept;
void multiply(std::span<float> x, Floats y) noexcept;
void scale(std::span<float> x, float factor) noexcept;
/// x <- x + y * z, x <- x + y * factor, each rounded once
void multiply_add(std::span<float> x, Floats y, Floats z) noexcept;
void add_scaled(std::span<float> x, Floats y, float factor) noexcept;

/// x <- e^(x - max) / sum. -inf gives 0; all -inf gives zeros. The sum is that of dot() with ones:
/// sixteen FP32 lanes over the whole row, so -inf before (in sixteens) and behind changes nothing.
/// `beside` is one more number that has its part of the maximum and the sum; -inf changes nothing.
void softmax(std::span<float> x, float beside = -std::numeric_limits<float>::infinity()) noexcept;

/// out = x / sqrt(mean x^2 + epsilon) * weight. out may be x.
void rms_norm(Floats x, Floats weight, float epsilon, std::span<float> out) noexcept;
/// out = (x - mean) / sqrt(variance + epsilon) * weight + bias. out may be x.
void layer_norm(Floats x, Floats weight, Floats bias, float epsilon, std::span<float> out) noexcept;

/// Turns dimension i with dimension i + n by the angle whose cosine and sine are given, n =
/// cos.size(): x[i] <- x[i] cos - x[i+n] sin, x[i+n] <- x[i+n] cos + x[i] sin.
void rotate(std::span<float> x, Floats cos, Floats sin) noexcept;

}  // namespace zp
