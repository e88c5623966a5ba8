// The functions every chat template may call: range, dict, namespace, raise_exception and
// strftime_now, as transformers gives them. cycler, joiner and lipsum are not there.
#pragma once

#include "jinja/run.h"

namespace zp::jinja {

void set_globals(Run& run);

}  // namespace zp::jinja
