// The nodes of statements.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jinja/expressions.h"
#include "jinja/node.h"

namespace zp::jinja {

class Data final : public Statement {
 public:
  Data(int line, std::string text) : Statement(line), text_(std::move(text)) {}

 protected:
  Flow perform(Run& run) const override;

 private:
  std::string text_;
};

class Output final : public Statement {
 public:
  Output(int line, Expr value) : Statement(line), value_(std::move(value)) {}

 protected:
  Flow perform(Run& run) const override;

 private:
  Expr value_;
};

class If final : public Statement {
 public:
  If(int line, std::vector<std::pair<Expr, Body>> branches, Body otherwise)
      : Statement(line), branches_(std::move(branches)), otherwise_(std::move(otherwise)) {}

 protected:
  Flow perform(Run& run) const override;

 private:
  std::vector<std::pair<Expr, Body>> branches_;
  Body otherwise_;
};

class For final : public Statement {
 public:
  struct Parts {
    Target target;
    Expr over;
    Expr test;  ///< null when all are taken
    Body body;
    Hidden hidden;
    Body otherwise;
    Hidden hidden_otherwise;
  };
  For(int line, Parts parts) : Statement(line), parts_(std::move(parts)) {}

 protected:
  Flow perform(Run& run) const override;

 private:
  Parts parts_;
};

class Set final : public Statement {
 public:
  Set(int line, Target target, Expr value)
      : Statement(line), target_(std::move(target)), value_(std::move(value)) {}

 protected:
  Flow perform(Run& run) const override;

 private:
  Target target_;
  Expr value_;
};

using Filters = std::vector<std::unique_ptr<Application>>;

/// {% set name | filters %}...{% endset %}, and {% filter %} when there is no target.
class CaughtBlock final : public Statement {
 public:
  CaughtBlock(int line, std::optional<Target> target, Filters filters, Body body, Hidden hidden)
      : Statement(line),
        target_(std::move(target)),
        filters_(std::move(filters)),
        body_(std::move(body)),
        hidden_(std::move(hidden)) {}

 protected:
  Flow perform(Run& run) const override;

 private:
  std::optional<Target> target_;
  Filters filters_;
  Body body_;
  Hidden hidden_;
};

/// What a macro and the body of a call block have in common.
struct MacroBody {
  std::string name;
  std::vector<std::pair<std::string, Expr>> parameters;  ///< with defaults, or null
  bool uses_caller = false;
  Body body;
  Hidden hidden;

  /// A function that runs the body in the scope that is current now.
  Value closure(Run& run) const;
  Value call(Run& run, const std::shared_ptr<Scope>& around, Arguments& arguments) const;
};

class Macro final : public Statement {
 public:
  Macro(int line, MacroBody macro) : Statement(line), macro_(std::move(macro)) {}

 protected:
  Flow perform(Run& run) const override;

 private:
  MacroBody macro_;
};

class CallBlock final : public Statement {
 public:
  CallBlock(int line, std::unique_ptr<Call> call, MacroBody body)
      : Statement(line), call_(std::move(call)), body_(std::move(body)) {}

 protected:
  Flow perform(Run& run) const override;

 private:
  std::unique_ptr<Call> call_;
  MacroBody body_;
};

/// {% with a = 1 %}; with no names also transformers' {% generation %}.
class With final : public Statement {
 public:
  With(int line, std::vector<std::pair<Target, Expr>> values, Body body, Hidden hidden)
      : Statement(line),
        values_(std::move(values)),
        body_(std::move(body)),
        hidden_(std::move(hidden)) {}

 protected:
  Flow perform(Run& run) const override;

 private:
  std::vector<std::pair<Target, Expr>> values_;
  Body body_;
  Hidden hidden_;
};

/// {% break %} and {% continue %}.
class Jump final : public Statement {
 public:
  Jump(int line, Flow flow) : Statement(line), flow_(flow) {}

 protected:
  Flow perform(Run&) const override { return flow_; }

 private:
  Flow flow_;
};

}  // namespace zp::jinja
