// Energies: what the signal-to-noise ratio of a quantized tensor is made of.
#pragma once

#include "base/view.h"

namespace zp {

struct Energy {
  double signal = 0;  ///< sum x^2
  double error = 0;   ///< sum (x - y)^2

  Energy& operator+=(const Energy& other) {
    signal += other.signal;
    error += other.error;
    return *this;
  }
  /// Signal over error in dB; infinite when there is no error.
  double sqnr_db() const;
};

/// x, y: the same length. Added in sixteen fixed FP32 lanes per 1,024 values, those in double: the
/// same bits on every instruction set.
Energy energy(Floats x, Floats y) noexcept;
/// The same of sum h x^2 and sum h (x - y)^2; h: as x.
Energy weighted_energy(Floats x, Floats y, Floats h) noexcept;

}  // namespace zp
