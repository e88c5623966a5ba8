// Tokens and statements; parse_expression.cc has the expressions.
#include "jinja/parser.h"

namespace zp::jinja {

using Type = Token::Type;

Program parse(std::string_view source, const std::string& where) {
  return Parser(tokenize(source, where), where).run();
}

Program Parser::run() {
  Body body = statements({});
  find_hidden(root_);
  if (!unknown_.empty()) {
    throw Error(where_ + ": line " + std::to_string(unknown_[0].line), unknown_[0].what, {},
                unknown_[0].name);
  }
  return {std::move(body), root_.hidden};
}

void Parser::declare(const Target& target, Setting setting) {
  for (const Target& part : target.parts()) declare(part, setting);
  if (target.is_attribute()) symbols().load(target.name());
  if (!target.is_name()) return;
  setting == Setting::kStore ? symbols().store(target.name()) : symbols().parameter(target.name());
}

Token Parser::take() {
  Token token = now();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::is_operator(std::string_view symbol) const {
  return is(Type::kOperator) && now().text == symbol;
}
bool Parser::is_name(std::string_view name) const { return is(Type::kName) && now().text == name; }
bool Parser::skip_operator(std::string_view symbol) {
  return is_operator(symbol) && (take(), true);
}
bool Parser::skip_name(std::string_view name) { return is_name(name) && (take(), true); }
void Parser::expect_operator(std::string_view symbol) {
  if (!skip_operator(symbol)) fail_here("\"" + std::string(symbol) + "\"");
}
void Parser::expect_name(std::string_view name) {
  if (!skip_name(name)) fail_here("\"" + std::string(name) + "\"");
}
std::string Parser::take_name() {
  if (!is(Type::kName)) fail_here("a name");
  return take().text;
}
void Parser::expect(Type type, const char* what) {
  if (!is(type)) fail_here(what);
  take();
}

void Parser::fail(const std::string& what, const std::string& expected) const {
  throw Error(where_ + ": line " + std::to_string(now().line), what, expected);
}

void Parser::fail_here(const std::string& expected) const {
  static constexpr const char* kNames[] = {
      "text outside of tags",   "{%", "%}", "{{", "}}", "", "", "", "", "",
      "the end of the template"};
  const std::string name = kNames[static_cast<std::size_t>(now().type)];
  throw Error(where_ + ": line " + std::to_string(now().line), "can't be read as a template",
              expected, name.empty() ? "\"" + printable(now().text, 40) + "\"" : name);
}

int Parser::one_deeper() const {
  if (depth_ >= kMaxNodeDepth) fail("nested too deeply");
  return depth_ + 1;
}

void Parser::note_unknown(const char* kind, const std::string& name, int line) {
  if (!in_if_) unknown_.push_back({line, std::string(kind) + " is not known", name});
}

Body Parser::statements(Ends ends) {
  Body body;
  while (!is(Type::kEnd)) {
    const int line = now().line;
    if (is(Type::kData)) {
      body.push_back(std::make_unique<Data>(line, take().text));
    } else if (is(Type::kVariableBegin)) {
      take();
      body.push_back(std::make_unique<Output>(line, tuple()));
      expect(Type::kVariableEnd, "}}");
    } else {
      expect(Type::kBlockBegin, "{%");
      for (const char* end : ends) {
        if (is_name(end)) return body;
      }
      body.push_back(statement());
      expect(Type::kBlockEnd, "%}");
    }
  }
  if (ends.size() > 0) fail_here(std::string("{% ") + *ends.begin() + " %}");
  return body;
}

Body Parser::body(Ends ends) {
  skip_operator(":");
  expect(Type::kBlockEnd, "%}");
  return statements(ends);
}

Body Parser::closed_body(const char* end) {
  Body result = body({end});
  take();
  return result;
}

Stmt Parser::statement() {
  const While deeper(depth_, one_deeper());
  if (!is(Type::kName)) fail_here("the name of a tag");
  const Token tag = take();
  const int line = tag.line;
  if (tag.text == "if") return if_statement(line);
  if (tag.text == "for") return for_statement(line);
  if (tag.text == "set") return set_statement(line);
  if (tag.text == "macro") return macro_statement(line);
  if (tag.text == "call") return call_statement(line);
  if (tag.text == "filter") return filter_statement(line);
  if (tag.text == "with") return with_statement(line);
  if (tag.text == "break") return jump_statement(line, Flow::kBreak);
  if (tag.text == "continue") return jump_statement(line, Flow::kContinue);
  if (tag.text == "generation") {
    const While no_jump(may_jump_, false);
    const While hard(in_if_, false);
    const Inside frame(*this);
    Body inside = closed_body("endgeneration");
    return std::make_unique<With>(line, std::vector<std::pair<Target, Expr>>(), std::move(inside),
                                  frame_->hidden);
  }
  throw Error(where_ + ": line " + std::to_string(line), "tag is not supported", {}, tag.text);
}

Stmt Parser::if_statement(int line) {
  const While soft(in_if_, true);
  std::vector<std::pair<Expr, Body>> branches;
  Body otherwise;
  // Body, all of elif, and else; an elif is an if of its own inside the second.
  Expr condition = tuple(false);
  const Symbols before = symbols();
  std::vector<Symbols> ways(3, before);
  std::string word = branch(std::move(condition), branches);
  std::swap(ways[0], symbols());
  symbols() = before;
  while (word == "elif") {
    condition = tuple(false);
    const Symbols around = symbols();
    word = branch(std::move(condition), branches);
    std::vector<Symbols> inner(3, around);
    std::swap(inner[0], symbols());
    symbols() = around;
    symbols().merge(inner);
  }
  std::swap(ways[1], symbols());
  symbols() = before;
  if (word == "else") otherwise = closed_body("endif");
  std::swap(ways[2], symbols());
  symbols() = before;
  symbols().merge(ways);
  return std::make_unique<If>(line, std::move(branches), std::move(otherwise));
}

// The body of a branch; gives the word that ends it.
std::string Parser::branch(Expr condition, std::vector<std::pair<Expr, Body>>& branches) {
  branch_names_ += symbols().starts_hidden().size();
  if (branch_names_ > kMaxBranchNames) fail("too many variables and branches");
  Body then = body({"elif", "else", "endif"});
  branches.emplace_back(std::move(condition), std::move(then));
  return take().text;
}

Stmt Parser::for_statement(int line) {
  const While inside(for_depth_, for_depth_ + 1);
  Target over = target(false, "in");
  expect_name("in");
  Expr source = tuple(false, false, "recursive");
  const While hard(in_if_, false);
  For::Parts parts{std::move(over), std::move(source), nullptr, {}, {}, {}, {}};
  if (skip_name("if")) {
    const Inside frame(*this);
    declare(parts.target, Setting::kParameter);
    parts.test = expression();
  }
  if (is_name("recursive")) fail("recursive loops are not supported");
  {
    const While jump(may_jump_, true);
    const Inside frame(*this);
    parts.hidden = frame_->hidden;
    symbols().parameter("loop");
    declare(parts.target, Setting::kParameter);
    parts.body = body({"endfor", "else"});
  }
  const Inside frame(*this);
  parts.hidden_otherwise = frame_->hidden;
  if (take().text == "else") parts.otherwise = closed_body("endfor");
  return std::make_unique<For>(line, std::move(parts));
}

Stmt Parser::set_statement(int line) {
  Target to = target(true);
  if (skip_operator("=")) {
    Expr value = tuple();
    declare(to, Setting::kStore);
    return std::make_unique<Set>(line, std::move(to), std::move(value));
  }
  declare(to, Setting::kStore);
  const While hard(in_if_, false);
  const Inside frame(*this);
  Filters applied = filters(false);
  Body block = closed_body("endset");
  return std::make_unique<CaughtBlock>(line, std::move(to), std::move(applied), std::move(block),
                                       frame_->hidden);
}

Stmt Parser::filter_statement(int line) {
  const While hard(in_if_, false);
  Filters applied = filters(true);
  const Inside frame(*this);
  Body block = closed_body("endfilter");
  return std::make_unique<CaughtBlock>(line, std::nullopt, std::move(applied), std::move(block),
                                       frame_->hidden);
}

Filters Parser::filters(bool first_is_bare) {
  Filters result;
  while (first_is_bare || is_operator("|")) {
    if (!first_is_bare) take();
    first_is_bare = false;
    result.push_back(filter(nullptr));
    if (result.size() > kMaxNodeDepth) fail("too many filters");
  }
  return result;
}

Stmt Parser::with_statement(int line) {
  const While hard(in_if_, false);
  std::vector<std::pair<Target, Expr>> values;
  while (!is(Type::kBlockEnd)) {
    if (!values.empty()) expect_operator(",");
    Target name = target(false);
    expect_operator("=");
    values.emplace_back(std::move(name), expression());
  }
  const Inside frame(*this);
  for (const auto& [name, value] : values) declare(name, Setting::kParameter);
  Body inside = closed_body("endwith");
  return std::make_unique<With>(line, std::move(values), std::move(inside), frame_->hidden);
}

Stmt Parser::jump_statement(int line, Flow flow) {
  if (!may_jump_) fail("break or continue outside of a loop");
  return std::make_unique<Jump>(line, flow);
}

void Parser::parameters(MacroBody& macro) {
  expect_operator("(");
  while (!is_operator(")")) {
    if (!macro.parameters.empty()) expect_operator(",");
    std::string name = name_target().name();
    for (const auto& [other, unused] : macro.parameters) {
      if (other == name) fail("parameter stands twice");
    }
    if (macro.parameters.size() >= kMaxArguments) fail("too many parameters");
    symbols().parameter(name);
    const bool had_default = !macro.parameters.empty() && macro.parameters.back().second;
    Expr otherwise = skip_operator("=") ? expression() : nullptr;
    if (had_default && !otherwise) fail("parameter without a default behind one with a default");
    macro.parameters.emplace_back(std::move(name), std::move(otherwise));
  }
  expect_operator(")");
}

void Parser::macro_body(MacroBody& macro, const char* end) {
  const While no_jump(may_jump_, false);
  const While hard(in_if_, false);
  const While inside(in_macro_, true);
  const bool outer_uses_caller = std::exchange(uses_caller_, false);
  macro.hidden = frame_->hidden;
  macro.body = closed_body(end);
  const auto takes_caller = [](const auto& p) { return p.first == "caller"; };
  macro.uses_caller =
      uses_caller_ && std::none_of(macro.parameters.begin(), macro.parameters.end(), takes_caller);
  uses_caller_ = uses_caller_ || outer_uses_caller;
}

Stmt Parser::macro_statement(int line) {
  MacroBody macro;
  macro.name = name_target().name();
  symbols().store(macro.name);
  const Inside frame(*this);
  parameters(macro);
  macro_body(macro, "endmacro");
  return std::make_unique<Macro>(line, std::move(macro));
}

Stmt Parser::call_statement(int line) {
  MacroBody caller;
  caller.name = "caller";
  Frame own;
  if (is_operator("(")) {
    const While frame(frame_, &own);
    parameters(caller);
  }
  Expr function = expression();
  if (dynamic_cast<Call*>(function.get()) == nullptr) fail("a call block needs a call");
  std::unique_ptr<Call> made_call(static_cast<Call*>(function.release()));
  const Inside frame(*this);
  std::swap(*frame_, own);
  macro_body(caller, "endcall");
  return std::make_unique<CallBlock>(line, std::move(made_call), std::move(caller));
}

Target Parser::name_target() {
  const std::string name = take_name();
  for (const char* constant : {"true", "True", "false", "False", "none", "None"}) {
    if (name == constant) fail("can't be set", "a name");
  }
  return Target::of_name(name);
}

Target Parser::one_target(bool allow_attribute) {
  const While deeper(depth_, one_deeper());
  if (skip_operator("(")) {
    Target inner = target(allow_attribute);
    expect_operator(")");
    return inner;
  }
  if (is_name("loop") && for_depth_ > 0) fail("the variable loop can't be set");
  Target name = name_target();
  if (!allow_attribute || !skip_operator(".")) return name;
  return Target::of_attribute(name.name(), take_name());
}

Target Parser::target(bool allow_attribute, const char* end_name) {
  std::vector<Target> parts;
  bool several = false;
  do {
    const bool ends = is(Type::kBlockEnd) || is_operator(")") || is_operator("=") ||
                      (end_name != nullptr && is_name(end_name));
    if (ends && several) break;
    parts.push_back(one_target(allow_attribute));
    if (!is_operator(",")) break;
    several = true;
  } while (skip_operator(","));
  if (!several) return std::move(parts[0]);
  return Target::of_parts(std::move(parts));
}

}  // namespace zp::jinja
