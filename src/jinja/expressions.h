// The nodes of expressions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "jinja/filters.h"
#include "jinja/node.h"

namespace zp::jinja {

/// Arguments of a call, a filter or a test.
struct CallArguments {
  Exprs positional;
  std::vector<std::pair<std::string, Expr>> named;
  Expr all_positional;  ///< *list, or null
  Expr all_named;       ///< **mapping, or null

  Arguments values(Run& run) const;
  int depth() const;
};

class Constant final : public Expression {
 public:
  Constant(int line, Value value) : Expression(line), value_(std::move(value)) {}

 protected:
  Value compute(Run&) const override { return value_; }

 private:
  Value value_;
};

class Name final : public Expression {
 public:
  Name(int line, std::string name) : Expression(line), name_(std::move(name)) {}

 protected:
  Value compute(Run& run) const override;

 private:
  std::string name_;
};

class ListLiteral final : public Expression {
 public:
  ListLiteral(int line, Exprs items, Kind kind);

 protected:
  Value compute(Run& run) const override;

 private:
  Exprs items_;
  Kind kind_;
};

class DictLiteral final : public Expression {
 public:
  DictLiteral(int line, std::vector<std::pair<Expr, Expr>> items);

 protected:
  Value compute(Run& run) const override;

 private:
  std::vector<std::pair<Expr, Expr>> items_;
};

/// "not", "-" or "+".
class Unary final : public Expression {
 public:
  Unary(int line, char symbol, Expr operand);

 protected:
  Value compute(Run& run) const override;

 private:
  char symbol_;
  Expr operand_;
};

/// "and" and "or", which may leave the right side alone, and the operators of binary().
class Binary final : public Expression {
 public:
  Binary(int line, std::string symbol, Expr left, Expr right);

 protected:
  Value compute(Run& run) const override;

 private:
  std::string symbol_;
  Expr left_, right_;
};

/// a < b < c: every value computed once, until one comparison is false.
class Comparison final : public Expression {
 public:
  Comparison(int line, Expr first, std::vector<std::pair<std::string, Expr>> rest);

 protected:
  Value compute(Run& run) const override;

 private:
  Expr first_;
  std::vector<std::pair<std::string, Expr>> rest_;
};

class Concatenation final : public Expression {
 public:
  Concatenation(int line, Exprs parts);

 protected:
  Value compute(Run& run) const override;

 private:
  Exprs parts_;
};

/// yes if condition else no; without an else (null) undefined.
class Conditional final : public Expression {
 public:
  Conditional(int line, Expr condition, Expr yes, Expr no);

 protected:
  Value compute(Run& run) const override;

 private:
  Expr condition_, yes_, no_;
};

class Attribute final : public Expression {
 public:
  Attribute(int line, Expr object, std::string name);

 protected:
  Value compute(Run& run) const override;

 private:
  Expr object_;
  std::string name_;
};

class Item final : public Expression {
 public:
  Item(int line, Expr object, Expr key);

 protected:
  Value compute(Run& run) const override;

 private:
  Expr object_, key_;
};

/// object[begin:end:step]; what was left out is null.
class Slice final : public Expression {
 public:
  Slice(int line, Expr object, Expr begin, Expr end, Expr step);

 protected:
  Value compute(Run& run) const override;

 private:
  Expr object_, begin_, end_, step_;
};

class Call final : public Expression {
 public:
  Call(int line, Expr function, CallArguments arguments);
  /// The call, with `caller` as one more named argument (null for none).
  Value call_with(Run& run, const Value* caller) const;

 protected:
  Value compute(Run& run) const override { return call_with(run, nullptr); }

 private:
  Expr function_;
  CallArguments arguments_;
};

/// A filter (| name) or test (is name). `function` is null for a name we don't know, which fails
/// when it is reached. Without an operand it applies to what apply() is given.
class Application final : public Expression {
 public:
  Application(int line, const char* kind, std::string name, FilterFunction function, Expr operand,
              CallArguments arguments);
  Value apply(Run& run, const Value& operand) const;

 protected:
  Value compute(Run& run) const override { return apply(run, operand_->value(run)); }

 private:
  const char* kind_;
  std::string name_;
  FilterFunction function_;
  Expr operand_;
  CallArguments arguments_;
};

}  // namespace zp::jinja
