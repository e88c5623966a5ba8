// How commands open a model: what is to know about its files is said on standard error.
#pragma once

#include <memory>
#include <string>

#include "cli/command.h"
#include "pipeline/load.h"

namespace zp::cli {

/// load_model, and its notes, each one line, unless --quiet.
std::unique_ptr<LoadedModel> open_model(const std::string& path, const Common& common);

}  // namespace zp::cli
