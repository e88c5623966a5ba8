// Figures as the page's tables and tiles show them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kernel/energy.h"
#include "report/html.h"

namespace zp {

/// Three digits, zeros at the end too, so that they stand below each other.
std::string percent(double share);
/// "26.27 dB", or "exact".
std::string decibels(const Energy& energy);
/// Root mean square of the error, per cent of the signal's, or "exact".
std::string error_percent(const Energy& energy);
Cell error_cell(const Energy& energy);
Cell bytes_cell(std::int64_t bytes);
Cell bits_cell(std::int64_t bytes, std::int64_t weights);

/// A heading that the contents can lead to, what it is about, and the content.
std::string section(std::string_view id, std::string_view title, std::string_view intro,
                    std::string_view content);

}  // namespace zp
