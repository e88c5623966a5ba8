// Text that shall stand in HTML as itself.
#pragma once

#include <string>
#include <string_view>

namespace zp {

/// & < > " ' by their references, as markupsafe spells them; fit for attributes in either kind of
/// quotes.
std::string escape_html(std::string_view text);

}  // namespace zp
