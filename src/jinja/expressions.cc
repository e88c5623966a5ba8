#include "jinja/expressions.h"

#include <initializer_list>

#include "jinja/operators.h"

namespace zp::jinja {
namespace {

int depth_of(const Expr& expression) { return expression ? expression->depth : 0; }

int above(std::initializer_list<const Expr*> below) {
  int depth = 0;
  for (const Expr* expression : below) depth = std::max(depth, depth_of(*expression));
  return depth + 1;
}

int above(const Exprs& below) {
  int depth = 0;
  for (const Expr& expression : below) depth = std::max(depth, expression->depth);
  return depth + 1;
}

}  // namespace

Arguments CallArguments::values(Run& run) const {
  Arguments arguments;
  for (const Expr& expression : positional) arguments.positional.push_back(expression->value(run));
  for (const auto& [name, expression] : named) {
    arguments.named.emplace_back(name, expression->value(run));
  }
  if (all_positional) {
    for (Value& item : items_of(run, all_positional->value(run))) {
      arguments.positional.push_back(std::move(item));
    }
  }
  if (!all_named) return arguments;
  const Value more = all_named->value(run);
  if (!more.is(Kind::kDict)) run.fail("** needs a mapping", {}, kind_name(more));
  for (const auto& [key, value] : more.pairs()) {
    if (!key.is(Kind::kText)) run.fail("names of arguments must be texts", {}, kind_name(key));
    for (const auto& [name, old] : arguments.named) {
      if (name == key.text()) run.fail("argument given twice", {}, name);
    }
    run.step(static_cast<std::int64_t>(arguments.named.size()));
    arguments.named.emplace_back(key.text(), value);
  }
  return arguments;
}

int CallArguments::depth() const {
  int depth = std::max(above(positional) - 1, above({&all_positional, &all_named}) - 1);
  for (const auto& [name, expression] : named) depth = std::max(depth, expression->depth);
  return depth;
}

Value Name::compute(Run& run) const {
  if (const Value* value = run.scope->find(run, name_)) return *value;
  return run.undefined("'" + name_ + "' is undefined");
}

ListLiteral::ListLiteral(int line, Exprs items, Kind kind)
    : Expression(line), items_(std::move(items)), kind_(kind) {
  depth = above(items_);
}

Value ListLiteral::compute(Run& run) const {
  Values values;
  for (const Expr& item : items_) values.push_back(item->value(run));
  return run.list(std::move(values), kind_);
}

DictLiteral::DictLiteral(int line, std::vector<std::pair<Expr, Expr>> items)
    : Expression(line), items_(std::move(items)) {
  for (const auto& [key, value] : items_) depth = std::max(depth, above({&key, &value}));
}

Value DictLiteral::compute(Run& run) const {
  Items items;
  for (const auto& [key, value] : items_) {
    const Value name = key->value(run);
    put(run, items, name, value->value(run));
  }
  return run.dict(std::move(items));
}

Unary::Unary(int line, char symbol, Expr operand)
    : Expression(line), symbol_(symbol), operand_(std::move(operand)) {
  depth = above({&operand_});
}

Value Unary::compute(Run& run) const {
  const Value operand = operand_->value(run);
  if (symbol_ == 'n') return Value::boolean(!truth(operand));
  return symbol_ == '-' ? negative(run, operand) : positive(run, operand);
}

Binary::Binary(int line, std::string symbol, Expr left, Expr right)
    : Expression(line),
      symbol_(std::move(symbol)),
      left_(std::move(left)),
      right_(std::move(right)) {
  depth = above({&left_, &right_});
}

Value Binary::compute(Run& run) const {
  Value left = left_->value(run);
  if (symbol_ == "and") return truth(left) ? right_->value(run) : left;
  if (symbol_ == "or") return truth(left) ? left : right_->value(run);
  return binary(run, symbol_, left, right_->value(run));
}

Comparison::Comparison(int line, Expr first, std::vector<std::pair<std::string, Expr>> rest)
    : Expression(line), first_(std::move(first)), rest_(std::move(rest)) {
  depth = above({&first_});
  for (const auto& [symbol, operand] : rest_) depth = std::max(depth, above({&operand}));
}

Value Comparison::compute(Run& run) const {
  Value left = first_->value(run);
  for (const auto& [symbol, operand] : rest_) {
    Value right = operand->value(run);
    if (!truth(binary(run, symbol, left, right))) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Concatenation::Concatenation(int line, Exprs parts) : Expression(line), parts_(std::move(parts)) {
  depth = above(parts_);
}

Value Concatenation::compute(Run& run) const {
  Values values;
  for (const Expr& part : parts_) values.push_back(part->value(run));
  return joined(run, values);
}

Conditional::Conditional(int line, Expr condition, Expr yes, Expr no)
    : Expression(line), condition_(std::move(condition)), yes_(std::move(yes)), no_(std::move(no)) {
  depth = above({&condition_, &yes_, &no_});
}

Value Conditional::compute(Run& run) const {
  if (truth(condition_->value(run))) return yes_->value(run);
  if (no_) return no_->value(run);
  return run.undefined("an inline if without else has no value where it is false");
}

Attribute::Attribute(int line, Expr object, std::string name)
    : Expression(line), object_(std::move(object)), name_(std::move(name)) {
  depth = above({&object_});
}

Value Attribute::compute(Run& run) const { return attribute(run, object_->value(run), name_); }

Item::Item(int line, Expr object, Expr key)
    : Expression(line), object_(std::move(object)), key_(std::move(key)) {
  depth = above({&object_, &key_});
}

Value Item::compute(Run& run) const {
  const Value object = object_->value(run);
  return item(run, object, key_->value(run));
}

Slice::Slice(int line, Expr object, Expr begin, Expr end, Expr step)
    : Expression(line),
      object_(std::move(object)),
      begin_(std::move(begin)),
      end_(std::move(end)),
      step_(std::move(step)) {
  depth = above({&object_, &begin_, &end_, &step_});
}

Value Slice::compute(Run& run) const {
  const Value object = object_->value(run);
  const auto part = [&](const Expr& e) { return e ? e->value(run) : Value::none(); };
  const Value begin = part(begin_), end = part(end_), step = part(step_);
  return slice(run, object, begin, end, step);
}

Call::Call(int line, Expr function, CallArguments arguments)
    : Expression(line), function_(std::move(function)), arguments_(std::move(arguments)) {
  depth = std::max(function_->depth, arguments_.depth()) + 1;
}

Value Call::call_with(Run& run, const Value* caller) const {
  const Value function = function_->value(run);
  Arguments arguments = arguments_.values(run);
  if (caller != nullptr) arguments.named.emplace_back("caller", *caller);
  run.line = line();
  return call(run, function, arguments);
}

Application::Application(int line, const char* kind, std::string name, FilterFunction function,
                         Expr operand, CallArguments arguments)
    : Expression(line),
      kind_(kind),
      name_(std::move(name)),
      function_(function),
      operand_(std::move(operand)),
      arguments_(std::move(arguments)) {
  depth = std::max(depth_of(operand_), arguments_.depth()) + 1;
}

Value Application::apply(Run& run, const Value& operand) const {
  if (function_ == nullptr) run.fail(std::string(kind_) + " is not known", {}, name_);
  Arguments arguments = arguments_.values(run);
  run.line = line();
  return function_(run, operand, arguments);
}

}  // namespace zp::jinja
