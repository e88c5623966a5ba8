// Which variables a frame starts with as undefined, whatever the template was given.
//
// jinja2 decides before it runs where a name comes from. A frame (the template, a loop's body, a
// macro...) that sets a name before it reads it, with no frame around that knows the name, has a
// variable of its own from the start: a loop inside that reads the name above the {% set %} finds
// it undefined, even where render() was given one. Reading and setting count in the order of the
// text; what frames inside do doesn't count; of an if's branches only what all of body, elif and
// else set is set for sure.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace zp::jinja {

/// Names that a frame begins with as undefined; known once the whole template is read.
using Hidden = std::shared_ptr<std::vector<std::string>>;

class Symbols {
 public:
  void load(const std::string& name) { starts_hidden_.emplace(name, false); }
  void store(const std::string& name) {
    stored_.insert(name);
    starts_hidden_.emplace(name, true);
  }
  void parameter(const std::string& name) {
    stored_.insert(name);
    starts_hidden_[name] = false;
  }
  /// What body, elif and else of an if did, each begun as a copy of this.
  void merge(const std::vector<Symbols>& branches);
  const std::map<std::string, bool>& starts_hidden() const { return starts_hidden_; }

 private:
  std::map<std::string, bool> starts_hidden_;
  std::set<std::string> stored_;
};

/// A frame while it is parsed, and those inside.
struct Frame {
  Symbols symbols;
  Hidden hidden = std::make_shared<std::vector<std::string>>();
  std::vector<std::unique_ptr<Frame>> inside;
};

/// Fills `hidden` of the frame and all those inside it.
void find_hidden(const Frame& frame);

}  // namespace zp::jinja
