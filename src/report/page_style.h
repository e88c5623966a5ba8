// The style of report pages: colours for light and dark, told apart by lightness alone (blue and
// orange besides), one column on narrow screens.
#pragma once

namespace zp {

extern const char* const kPageStyle;

}  // namespace zp
