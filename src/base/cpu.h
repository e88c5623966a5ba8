// Which instruction sets the vector code may use.
//
// Highway picks the best one the machine has for every vector function; a cap makes it act like an
// older machine, which proves that results don't depend on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zp {

/// Names of the instruction sets compiled in that this machine has, best first, e.g. "avx3".
std::vector<std::string> instruction_sets();

/// Uses nothing better than `name` from now on; the best one lifts the limit. Call while no vector
/// code runs. Throws UsageError if the name is none of instruction_sets().
void limit_instruction_set(std::string_view name);

}  // namespace zp
