#include "engine/gradients.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "engine/route.h"
#include "kernel/functions.h"

namespace zp {
namespace {

double sum_of(std::span<const double> x) { return std::accumulate(x.begin(), x.end(), 0.0); }

// y = z w with z = (x - mean) r: dx = r (g w - mean(g w) - z mean(g w z)), the means of g w and of x
// only where they are taken out.
struct Normed {
  std::vector<double> z;
  double r;
};

Normed normed(Norm norm, Floats x, double epsilon) {
  Normed out{{x.begin(), x.end()}, 0};
  const auto n = static_cast<double>(x.size());
  const double mean = norm == Norm::layer ? sum_of(out.z) / n : 0;
  double squares = 0;
  for (double& v : out.z) {
    v -= mean;
    squares += v * v;
  }
  out.r = 1 / std::sqrt(squares / n + epsilon);
  for (double& v : out.z) v *= out.r;
  return out;
}

// x <- phi(x), the density of the standard normal distribution.
void density(std::span<float> x) {
  constexpr float kFactor = 0.398942280f;  // 1 / sqrt(2 pi)
  for (float& v : x) v *= -0.5f * v;
  exp(x);
  scale(x, kFactor);
}

std::vector<float> slopes_of_gelu_erf(Floats x) {
  std::vector<float> values(x.begin(), x.end());
  std::vector<float> slopes(x.begin(), x.end());
  gelu_erf(values);
  density(slopes);
  // x Phi(x) is known, Phi(x) + x phi(x) wanted; near 0 Phi is 1/2 + x phi(0).
  constexpr float kNear = 0x1p-12f;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool near = std::fabs(x[i]) < kNear;
    slopes[i] = near ? 0.5f + 2 * x[i] * slopes[i] : values[i] / x[i] + x[i] * slopes[i];
  }
  return slopes;
}

// x/2 (1 + t), t = tanh(u), u = a (x + b x^3).
std::vector<float> slopes_of_gelu_tanh(Floats x) {
  constexpr float kA = 0.797884561f;
  constexpr float kB = 0.044715f;
  std::vector<float> t(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) t[i] = kA * (x[i] + kB * x[i] * x[i] * x[i]);
  soft_cap(t, 1);
  std::vector<float> slopes(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float of_u = kA * (1 + 3 * kB * x[i] * x[i]);
    slopes[i] = 0.5f * (1 + t[i]) + 0.5f * x[i] * (1 - t[i] * t[i]) * of_u;
  }
  return slopes;
}

// x s(k x), s the sigmoid: s (1 + k x (1 - s)).
std::vector<float> slopes_of_gated(Floats x, float k) {
  std::vector<float> s(x.begin(), x.end());
  scale(s, k);
  sigmoid(s);
  for (std::size_t i = 0; i < x.size(); ++i) s[i] *= 1 + k * x[i] * (1 - s[i]);
  return s;
}

std::vector<float> slopes_of_sigmoid(Floats x) {
  std::vector<float> s(x.begin(), x.end());
  sigmoid(s);
  for (float& v : s) v *= 1 - v;
  return s;
}

std::vector<float> slopes_of_squared_relu(Floats x) {
  std::vector<float> s(x.begin(), x.end());
  for (float& v : s) v = v < 0 ? 0 : 2 * v;
  return s;
}

std::vector<float> slopes(Activation activation, Floats x) {
  constexpr float kSigmoidsGelu = 1.702f;
  switch (activation) {
    case Activation::silu:
      return slopes_of_gated(x, 1);
    case Activation::gelu_tanh:
      return slopes_of_gelu_tanh(x);
    case Activation::gelu_erf:
      return slopes_of_gelu_erf(x);
    case Activation::gelu_sigmoid:
      return slopes_of_gated(x, kSigmoidsGelu);
    case Activation::squared_relu:
      return slopes_of_squared_relu(x);
    case Activation::sigmoid:
      break;
  }
  return slopes_of_sigmoid(x);
}

// Of the weights that come of a softmax over all experts, or over the chosen ones.
void softmax_gradient(Floats x, Floats weights, const Experts& experts, std::span<float> gradient) {
  std::vector<float> p(x.begin(), x.end());
  if (experts.renormalized) {
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (weights[i] == 0) p[i] = -INFINITY;
    }
  }
  softmax(p);
  double mean = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (weights[i] == 0) gradient[i] = 0;
    mean += static_cast<double>(p[i]) * gradient[i];
  }
  for (std::size_t i = 0; i < p.size(); ++i)
    gradient[i] = static_cast<float>(experts.scale * p[i] * (gradient[i] - mean));
}

void sigmoid_gradient(Floats x, Floats weights, const Experts& experts, std::span<float> gradient) {
  std::vector<float> s(x.begin(), x.end());
  sigmoid(s);
  double sum = experts.sum_addend;
  double mean = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (weights[i] == 0) continue;
    sum += s[i];
    mean += static_cast<double>(s[i]) * gradient[i];
  }
  for (std::size_t i = 0; i < s.size(); ++i) {
    const double of_share =
        experts.renormalized ? (gradient[i] - mean / sum) / sum : static_cast<double>(gradient[i]);
    gradient[i] =
        weights[i] == 0 ? 0.0f : static_cast<float>(experts.scale * of_share * s[i] * (1 - s[i]));
  }
}

void mixer_gradient(Floats x, const Experts& experts, std::span<float> gradient) {
  const std::vector<float> of_weights(gradient.begin(), gradient.end());
  std::ranges::fill(gradient, 0.0f);
  for (const std::vector<std::size_t>& near : mixer_choices(x, experts)) {
    std::vector<float> p;
    for (const std::size_t i : near) p.push_back(x[i]);
    softmax(p);
    const double of_weight = experts.scale * of_weights[near.front()] * p.front();
    for (std::size_t i = 0; i < near.size(); ++i)
      gradient[near[i]] += static_cast<float>(of_weight * ((i == 0 ? 1.0 : 0.0) - p[i]));
  }
}

}  // namespace

void norm_gradient(Norm norm, Floats x, Floats weight, double epsilon, std::span<float> gradient,
                   std::span<double> of_weight) noexcept {
  const Normed n = normed(norm, x, epsilon);
  const auto count = static_cast<double>(x.size());
  double mean = 0;
  double along = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!of_weight.empty()) of_weight[i] += gradient[i] * n.z[i];
    const double g = static_cast<double>(gradient[i]) * weight[i];
    mean += g / count;
    along += g * n.z[i] / count;
  }
  if (norm == Norm::rms) mean = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double g = static_cast<double>(gradient[i]) * weight[i];
    gradient[i] = static_cast<float>(n.r * (g - mean - n.z[i] * along));
  }
}

void activation_gradient(Activation activation, Floats x, std::span<float> gradient) {
  multiply(gradient, slopes(activation, x));
}

void route_gradient(Floats x, Floats weights, const Experts& experts, std::span<float> gradient) {
  switch (experts.routing) {
    case Routing::softmax:
      return softmax_gradient(x, weights, experts, gradient);
    case Routing::sigmoid:
      return sigmoid_gradient(x, weights, experts, gradient);
    case Routing::sparsemixer:
      break;
  }
  mixer_gradient(x, experts, gradient);
}

}  // namespace zp
