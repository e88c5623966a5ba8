#include "pipeline/importance.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/mapped_file.h"
#include "format/imatrix.h"
#include "model/gguf_rows.h"
#include "source/unread_files.h"

namespace zp {
namespace {

// "3 tensors (first NAME)"
std::string some(const std::vector<std::string>& names) {
  if (names.size() == 1) return names.front();
  return std::to_string(names.size()) + " tensors (first " + names.front() + ")";
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

/// Of matrices that are looked up only, or never coded.
bool is_without_statistics(Role role) {
  return role == Role::position || role == Role::layer_embedding || role == Role::layer_projection;
}

}  // namespace

ColumnImportance::ColumnImportance(const std::filesystem::path& file, const Model& model) {
  const std::string where = file.string();
  const MappedFile mapped(file);
  if (!is_imatrix(mapped.bytes())) {
    throw Error(where, "no statistics", "what zeropoint calibrate wrote, or llama.cpp's imatrix",
                describe_file(mapped.bytes()));
  }
  std::unordered_map<std::string, ImatrixEntry> entries;
  Imatrix imatrix = read_imatrix(mapped.bytes(), where);
  origin_ = {file.filename().string(), joined(imatrix.datasets), std::ssize(imatrix.entries),
             imatrix.chunks};
  for (ImatrixEntry& e : imatrix.entries) {
    std::string name = e.name;
    entries.emplace(std::move(name), std::move(e));
  }
  std::vector<std::string> missing;
  std::unordered_set<std::string> used;
  for (const Weight& weight : model.weights) {
    const TensorUse& use = weight.use;
    if (!use.is_matrix() || is_without_statistics(use.place.role)) continue;
    const auto found = entries.find(use.gguf);
    std::vector<float> columns;
    if (found != entries.end()) {
      const std::int64_t matrices = std::max(use.experts, std::int64_t{1});
      if (std::ssize(found->second.counts) != matrices ||
          std::ssize(found->second.sums) != matrices * use.cols) {
        throw Error(where + ", entry \"" + use.gguf + "\"", "statistics of another size",
                    std::to_string(matrices * use.cols) + " columns",
                    std::to_string(found->second.sums.size()));
      }
      columns = found->second.importance(
          static_cast<std::size_t>(std::max(use.place.expert, std::int64_t{0})));
      const std::vector<float> there = columns;
      const std::vector<std::int64_t> source = gguf_columns(use, model.decoder);
      for (std::size_t j = 0; !there.empty() && j < source.size(); ++j)
        columns[static_cast<std::size_t>(source[j])] = there[j];
      used.insert(use.gguf);
    }
    if (columns.empty()) {
      missing.push_back(use.experts > 0 ? use.hf : use.gguf);
    } else {
      columns_.emplace(&weight, std::move(columns));
    }
  }
  if (!missing.empty())
    notes_.push_back("no statistics of " + some(missing) + ": all columns count alike there");
  std::vector<std::string> unknown;
  for (const auto& [name, entry] : entries) {
    if (!used.contains(name)) unknown.push_back(name);
  }
  if (!unknown.empty()) {
    std::sort(unknown.begin(), unknown.end());
    notes_.push_back("statistics of " + some(unknown) + " that the model hasn't");
  }
}

Floats ColumnImportance::of(const Weight& weight) const {
  const auto found = columns_.find(&weight);
  return found == columns_.end() ? Floats() : Floats(found->second);
}

}  // namespace zp
