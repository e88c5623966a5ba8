#include "text/joined.h"

#include <utf8proc.h>

namespace zp {
namespace {

constexpr utf8proc_propval_t kVirama = 9;  // the combining class

}  // namespace

bool is_joined(char32_t before, char32_t c) {
  const auto point = static_cast<utf8proc_int32_t>(c);
  if (!utf8proc_grapheme_break('a', point)) return true;
  if (utf8proc_get_property(static_cast<utf8proc_int32_t>(before))->combining_class != kVirama)
    return false;
  return utf8proc_category(point) == UTF8PROC_CATEGORY_LO;
}

}  // namespace zp
