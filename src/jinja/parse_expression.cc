// Expressions.
#include <charconv>
#include <stdexcept>

#include "jinja/parser.h"
#include "jinja/text.h"

namespace zp::jinja {

using Type = Token::Type;

Expr Parser::tuple(bool conditional, bool parentheses, const char* end_name) {
  const int line = now().line;
  Exprs items;
  bool several = false;
  while (true) {
    const bool ends = is(Type::kVariableEnd) || is(Type::kBlockEnd) || is_operator(")") ||
                      (end_name != nullptr && is_name(end_name));
    if (ends) break;
    items.push_back(expression(conditional));
    if (!skip_operator(",")) break;
    several = true;
  }
  if (!several && !items.empty()) return std::move(items[0]);
  if (!several && !parentheses) fail_here("an expression");
  return made(std::make_unique<ListLiteral>(line, std::move(items), Kind::kTuple));
}

Expr Parser::expression(bool conditional) {
  const While deeper(depth_, one_deeper());
  return conditional ? conditional_expression() : or_expression();
}

Expr Parser::conditional_expression() {
  const int line = now().line;
  const std::size_t known = unknown_.size();
  Expr yes = or_expression();
  while (skip_name("if")) {
    const While deeper(depth_, one_deeper());
    Expr condition = or_expression();
    Expr no = skip_name("else") ? expression() : nullptr;
    unknown_.resize(known);
    yes = made(
        std::make_unique<Conditional>(line, std::move(condition), std::move(yes), std::move(no)));
  }
  return yes;
}

Expr Parser::or_expression() {
  Expr left = and_expression();
  while (is_name("or")) {
    const int line = take().line;
    left = made(std::make_unique<Binary>(line, "or", std::move(left), and_expression()));
  }
  return left;
}

Expr Parser::and_expression() {
  Expr left = not_expression();
  while (is_name("and")) {
    const int line = take().line;
    left = made(std::make_unique<Binary>(line, "and", std::move(left), not_expression()));
  }
  return left;
}

Expr Parser::not_expression() {
  if (!is_name("not")) return comparison();
  const While deeper(depth_, one_deeper());
  const int line = take().line;
  return made(std::make_unique<Unary>(line, 'n', not_expression()));
}

Expr Parser::comparison() {
  const int line = now().line;
  Expr first = sum();
  std::vector<std::pair<std::string, Expr>> rest;
  while (true) {
    std::string symbol;
    for (const char* sign : {"==", "!=", "<", "<=", ">", ">="}) {
      if (is_operator(sign)) symbol = sign;
    }
    if (is_name("in")) symbol = "in";
    if (is_name("not") && next().type == Type::kName && next().text == "in") {
      take();
      symbol = "not in";
    }
    if (symbol.empty()) break;
    take();
    rest.emplace_back(symbol, sum());
  }
  if (rest.empty()) return first;
  return made(std::make_unique<Comparison>(line, std::move(first), std::move(rest)));
}

Expr Parser::sum() {
  Expr left = concatenation();
  while (is_operator("+") || is_operator("-")) {
    Token symbol = take();
    left =
        made(std::make_unique<Binary>(symbol.line, symbol.text, std::move(left), concatenation()));
  }
  return left;
}

Expr Parser::concatenation() {
  const int line = now().line;
  Exprs parts;
  do {
    parts.push_back(product());
  } while (skip_operator("~"));
  if (parts.size() == 1) return std::move(parts[0]);
  return made(std::make_unique<Concatenation>(line, std::move(parts)));
}

Expr Parser::product() {
  Expr left = power();
  while (is_operator("*") || is_operator("/") || is_operator("//") || is_operator("%")) {
    Token symbol = take();
    left = made(std::make_unique<Binary>(symbol.line, symbol.text, std::move(left), power()));
  }
  return left;
}

Expr Parser::power() {
  Expr left = unary();
  while (is_operator("**")) {
    const int line = take().line;
    left = made(std::make_unique<Binary>(line, "**", std::move(left), unary()));
  }
  return left;
}

Expr Parser::unary(bool with_filters) {
  const While deeper(depth_, one_deeper());
  const int line = now().line;
  Expr operand;
  if (skip_operator("-")) {
    operand = made(std::make_unique<Unary>(line, '-', unary(false)));
  } else if (skip_operator("+")) {
    operand = made(std::make_unique<Unary>(line, '+', unary(false)));
  } else {
    operand = primary();
  }
  operand = postfix(std::move(operand));
  return with_filters ? filtered(std::move(operand)) : std::move(operand);
}

Expr Parser::primary() {
  const int line = now().line;
  if (is(Type::kText)) return text_constant();
  if (is(Type::kInteger) || is(Type::kFloat)) return number_constant();
  if (is_operator("[")) return list_literal();
  if (is_operator("{")) return dict_literal();
  if (skip_operator("(")) {
    Expr inside = tuple(true, true);
    expect_operator(")");
    return inside;
  }
  if (!is(Type::kName)) fail_here("a value");
  const std::string name = take().text;
  const auto constant = [line](Value value) { return std::make_unique<Constant>(line, value); };
  if (name == "true" || name == "True") return constant(Value::boolean(true));
  if (name == "false" || name == "False") return constant(Value::boolean(false));
  if (name == "none" || name == "None") return constant(Value::none());
  if (in_macro_ && name == "caller") uses_caller_ = true;
  if (in_macro_ && (name == "varargs" || name == "kwargs")) {
    note_unknown("a macro's list of further arguments", name, line);
  }
  symbols().load(name);
  return std::make_unique<Name>(line, name);
}

Expr Parser::text_constant() {
  const int line = now().line;
  std::string text;
  while (is(Type::kText)) text += take().text;
  return std::make_unique<Constant>(line,
                                    Value(false, std::make_shared<TextObject>(std::move(text))));
}

Expr Parser::number_constant() {
  const Token token = take();
  if (token.type == Type::kFloat) {
    return std::make_unique<Constant>(token.line, Value::real(*parse_real(token.text)));
  }
  try {
    if (const auto value = parse_integer(token.text, 0)) {
      return std::make_unique<Constant>(token.line, Value::integer(*value));
    }
  } catch (const std::out_of_range&) {
  }
  fail("integers beyond 64 bits are not supported");
}

Expr Parser::list_literal() {
  const int line = take().line;
  Exprs items;
  while (!is_operator("]")) {
    if (!items.empty()) expect_operator(",");
    if (is_operator("]")) break;
    items.push_back(expression());
  }
  expect_operator("]");
  return made(std::make_unique<ListLiteral>(line, std::move(items), Kind::kList));
}

Expr Parser::dict_literal() {
  const int line = take().line;
  std::vector<std::pair<Expr, Expr>> items;
  while (!is_operator("}")) {
    if (!items.empty()) expect_operator(",");
    if (is_operator("}")) break;
    Expr key = expression();
    expect_operator(":");
    Expr value = expression();
    items.emplace_back(std::move(key), std::move(value));
  }
  expect_operator("}");
  return made(std::make_unique<DictLiteral>(line, std::move(items)));
}

Expr Parser::postfix(Expr operand) {
  while (true) {
    if (is_operator(".") || is_operator("[")) {
      operand = subscript(std::move(operand));
    } else if (is_operator("(")) {
      operand = call(std::move(operand));
    } else {
      return operand;
    }
  }
}

Expr Parser::filtered(Expr operand) {
  while (true) {
    if (skip_operator("|")) {
      operand = filter(std::move(operand));
    } else if (is_name("is")) {
      operand = test(std::move(operand));
    } else if (is_operator("(")) {
      operand = call(std::move(operand));
    } else {
      return operand;
    }
  }
}

Expr Parser::subscript(Expr operand) {
  const Token symbol = take();
  if (symbol.text == "[") return bracketed(std::move(operand), symbol.line);
  if (is(Type::kInteger)) {
    return made(std::make_unique<Item>(symbol.line, std::move(operand), number_constant()));
  }
  return made(std::make_unique<Attribute>(symbol.line, std::move(operand), take_name()));
}

Expr Parser::bracketed(Expr operand, int line) {
  if (is_operator("]")) {
    take();
    Expr empty = std::make_unique<ListLiteral>(line, Exprs(), Kind::kTuple);
    return made(std::make_unique<Item>(line, std::move(operand), std::move(empty)));
  }
  const auto ends = [this] { return is_operator("]") || is_operator(",") || is_operator(":"); };
  Expr first = is_operator(":") ? nullptr : expression();
  if (is_operator(":")) {
    Expr parts[2];
    for (Expr& part : parts) {
      if (skip_operator(":") && !ends()) part = expression();
    }
    if (is_operator(",")) fail("slices in tuples are not supported");
    expect_operator("]");
    return made(std::make_unique<Slice>(line, std::move(operand), std::move(first),
                                        std::move(parts[0]), std::move(parts[1])));
  }
  if (is_operator(",")) {
    Exprs items;
    items.push_back(std::move(first));
    while (skip_operator(",")) {
      if (is_operator("]")) break;
      items.push_back(expression());
    }
    first = made(std::make_unique<ListLiteral>(line, std::move(items), Kind::kTuple));
  }
  expect_operator("]");
  return made(std::make_unique<Item>(line, std::move(operand), std::move(first)));
}

std::unique_ptr<Call> Parser::call(Expr function) {
  const int line = now().line;
  return made(std::make_unique<Call>(line, std::move(function), arguments()));
}

CallArguments Parser::arguments() {
  CallArguments result;
  expect_operator("(");
  bool first = true;
  while (!is_operator(")")) {
    if (!first) expect_operator(",");
    if (is_operator(")") && !first) break;
    first = false;
    if (result.positional.size() + result.named.size() >= kMaxArguments) fail("too many arguments");
    const bool starred = result.all_positional || result.all_named;
    if (skip_operator("*")) {
      if (starred) fail("arguments in the wrong order");
      result.all_positional = expression();
    } else if (skip_operator("**")) {
      if (result.all_named) fail("arguments in the wrong order");
      result.all_named = expression();
    } else if (is(Type::kName) && next().type == Type::kOperator && next().text == "=") {
      if (result.all_named) fail("arguments in the wrong order");
      std::string name = take().text;
      take();
      for (const auto& [other, unused] : result.named) {
        if (other == name) fail("argument given twice");
      }
      result.named.emplace_back(std::move(name), expression());
    } else {
      if (starred || !result.named.empty()) fail("arguments in the wrong order");
      result.positional.push_back(expression());
    }
  }
  expect_operator(")");
  return result;
}

std::unique_ptr<Application> Parser::filter(Expr operand) {
  const int line = now().line;
  std::string name = take_name();
  while (skip_operator(".")) name += "." + take_name();
  const FilterFunction function = find_filter(name);
  if (function == nullptr) note_unknown("filter", name, line);
  CallArguments given = is_operator("(") ? arguments() : CallArguments();
  return made(std::make_unique<Application>(line, "filter", std::move(name), function,
                                            std::move(operand), std::move(given)));
}

Expr Parser::test(Expr operand) {
  const int line = take().line;
  const bool negated = skip_name("not");
  std::string name = take_name();
  while (skip_operator(".")) name += "." + take_name();
  const FilterFunction function = find_test(name);
  if (function == nullptr) note_unknown("test", name, line);
  CallArguments given;
  const bool word = is(Type::kName) && !is_name("else") && !is_name("or") && !is_name("and");
  if (is_operator("(")) {
    given = arguments();
  } else if (word || is(Type::kText) || is(Type::kInteger) || is(Type::kFloat) ||
             is_operator("[") || is_operator("{")) {
    if (is_name("is")) fail("tests can't be chained");
    const While deeper(depth_, one_deeper());
    given.positional.push_back(postfix(primary()));
  }
  Expr result = made(std::make_unique<Application>(line, "test", std::move(name), function,
                                                   std::move(operand), std::move(given)));
  if (!negated) return result;
  return made(std::make_unique<Unary>(line, 'n', std::move(result)));
}

}  // namespace zp::jinja
