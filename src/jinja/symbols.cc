#include "jinja/symbols.h"

namespace zp::jinja {

void Symbols::merge(const std::vector<Symbols>& branches) {
  std::map<std::string, std::size_t> setting;
  for (const Symbols& branch : branches) {
    for (const std::string& name : branch.stored_) setting[name] += !stored_.count(name);
  }
  for (const Symbols& branch : branches) {
    for (const auto& [name, hidden] : branch.starts_hidden_) starts_hidden_[name] = hidden;
    stored_.insert(branch.stored_.begin(), branch.stored_.end());
  }
  for (const auto& [name, count] : setting) {
    if (count > 0 && count < branches.size()) starts_hidden_[name] = false;
  }
}

namespace {

// `known` counts the frames around that know a name.
void find_hidden_below(const Frame& frame, std::map<std::string, int>& known) {
  for (const auto& [name, hidden] : frame.symbols.starts_hidden()) {
    if (hidden && known[name] == 0) frame.hidden->push_back(name);
  }
  for (const auto& [name, hidden] : frame.symbols.starts_hidden()) ++known[name];
  for (const auto& inner : frame.inside) find_hidden_below(*inner, known);
  for (const auto& [name, hidden] : frame.symbols.starts_hidden()) --known[name];
}

}  // namespace

void find_hidden(const Frame& frame) {
  std::map<std::string, int> known;
  find_hidden_below(frame, known);
}

}  // namespace zp::jinja
