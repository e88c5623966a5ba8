// Whether what was gained on a text holds for another: the error of linears' outputs on inputs of
// the calibration text, and on inputs of windows that were held out of it.
#pragma once

#include "kernel/energy.h"

namespace zp {

struct HeldOut {
  Energy seen;
  Energy held_out;

  HeldOut& operator+=(const HeldOut& other) {
    seen += other.seen;
    held_out += other.held_out;
    return *this;
  }
  /// The relative squared error on what was held out, beside that on the text; 1 where there is
  /// no error.
  double times() const {
    if (!(seen.error > 0)) return 1;
    return (held_out.error / held_out.signal) / (seen.error / seen.signal);
  }
};

}  // namespace zp
