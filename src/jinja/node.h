// The tree of a template: expressions give values, statements write text. It never changes once
// parsed, so several renderings may use it at the same time.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "jinja/run.h"
#include "jinja/symbols.h"

namespace zp::jinja {

class Expression {
 public:
  explicit Expression(int line) : line_(line) {}
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  virtual ~Expression() = default;

  Value value(Run& run) const {
    const Depth deeper(run);
    run.line = line_;
    run.step();
    return compute(run);
  }
  int line() const { return line_; }
  int depth = 1;  ///< of the tree below, itself included

 protected:
  virtual Value compute(Run& run) const = 0;

 private:
  int line_;
};

using Expr = std::unique_ptr<Expression>;
using Exprs = std::vector<Expr>;

enum class Flow { kNext, kBreak, kContinue };

class Statement {
 public:
  explicit Statement(int line) : line_(line) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  virtual ~Statement() = default;

  Flow execute(Run& run) const {
    const Depth deeper(run);
    run.line = line_;
    run.step();
    return perform(run);
  }

 protected:
  virtual Flow perform(Run& run) const = 0;

 private:
  int line_;
};

using Stmt = std::unique_ptr<Statement>;
using Body = std::vector<Stmt>;

Flow execute(Run& run, const Body& body);
/// What a body writes, in a scope of its own that begins with `hidden`.
Flow capture(Run& run, const Body& body, const Hidden& hidden, std::string& text);
/// Makes names undefined in the current scope.
void hide(Run& run, const Hidden& names);

/// A name, several in (nested) tuples, or an attribute of a namespace.
class Target {
 public:
  static Target of_name(std::string name) { return Target(std::move(name), {}, {}); }
  static Target of_attribute(std::string name, std::string attribute) {
    return Target(std::move(name), std::move(attribute), {});
  }
  static Target of_parts(std::vector<Target> parts) { return Target({}, {}, std::move(parts)); }
  void assign(Run& run, const Value& value) const;
  bool is_name() const { return !name_.empty() && attribute_.empty(); }
  const std::string& name() const { return name_; }
  bool is_attribute() const { return !attribute_.empty(); }
  const std::vector<Target>& parts() const { return parts_; }

 private:
  Target(std::string name, std::string attribute, std::vector<Target> parts)
      : name_(std::move(name)), attribute_(std::move(attribute)), parts_(std::move(parts)) {}
  std::string name_;
  std::string attribute_;
  std::vector<Target> parts_;
};

}  // namespace zp::jinja
