// A job's progress as one line that fits.
#pragma once

#include <string>

namespace zp {

struct ProgressText {
  std::string stage;
  double share = 0;  ///< of the whole job, 0 to 1
  std::string rate;
  std::string left;  ///< "3 min 07 s left"; empty: unknown
};

/// "[#####...] stage  37 %  35.1 M weights/s  3 min 07 s left" in at most `columns` characters: the
/// bar goes first, then the rate, then the end of the stage's name. without a bar where `bar` is
/// false.
std::string progress_line(const ProgressText& text, std::size_t columns, bool bar);

}  // namespace zp
