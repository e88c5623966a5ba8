// From tokens to the tree: jinja2's grammar with the tags break, continue and generation.
//
// Refused by name: block, extends, include, import, from, autoescape, print, recursive loops.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/lexer.h"
#include "jinja/statements.h"
#include "jinja/symbols.h"

namespace zp::jinja {

struct Program {
  Body body;
  Hidden hidden;
};

/// Throws Error at `where` with the line of what is wrong.
Program parse(std::string_view source, const std::string& where);

class Parser {
 public:
  Parser(std::vector<Token> tokens, std::string where)
      : tokens_(std::move(tokens)), where_(std::move(where)) {}

  Program run();

 private:
  using Ends = std::initializer_list<const char*>;

  // Tokens.
  const Token& now() const { return tokens_[at_]; }
  const Token& next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take();
  bool is(Token::Type type) const { return now().type == type; }
  bool is_operator(std::string_view symbol) const;
  bool is_name(std::string_view name) const;
  bool skip_operator(std::string_view symbol);
  bool skip_name(std::string_view name);
  void expect_operator(std::string_view symbol);
  void expect_name(std::string_view name);
  std::string take_name();
  void expect(Token::Type type, const char* what);
  [[noreturn]] void fail(const std::string& what, const std::string& expected = {}) const;
  [[noreturn]] void fail_here(const std::string& expected) const;

  // Statements.
  Body statements(Ends ends);
  /// The body of a tag whose head ends here; ends at one of `ends`, whose name is not taken.
  Body body(Ends ends);
  Body closed_body(const char* end);
  Stmt statement();
  Stmt if_statement(int line);
  std::string branch(Expr condition, std::vector<std::pair<Expr, Body>>& branches);
  Stmt for_statement(int line);
  Stmt set_statement(int line);
  Stmt macro_statement(int line);
  Stmt call_statement(int line);
  Stmt filter_statement(int line);
  Stmt with_statement(int line);
  Stmt jump_statement(int line, Flow flow);
  void parameters(MacroBody& macro);
  void macro_body(MacroBody& macro, const char* end);
  Target target(bool allow_attribute, const char* end_name = nullptr);
  Target one_target(bool allow_attribute);
  Target name_target();
  Filters filters(bool first_is_bare);

  // Expressions, from the loosest to the tightest.
  Expr tuple(bool conditional = true, bool parentheses = false, const char* end_name = nullptr);
  Expr expression(bool conditional = true);
  Expr conditional_expression();
  Expr or_expression();
  Expr and_expression();
  Expr not_expression();
  Expr comparison();
  Expr sum();
  Expr concatenation();
  Expr product();
  Expr power();
  Expr unary(bool with_filters = true);
  Expr primary();
  Expr text_constant();
  Expr number_constant();
  Expr list_literal();
  Expr dict_literal();
  Expr postfix(Expr operand);
  Expr filtered(Expr operand);
  Expr subscript(Expr operand);
  Expr bracketed(Expr operand, int line);
  std::unique_ptr<Call> call(Expr function);
  CallArguments arguments();
  std::unique_ptr<Application> filter(Expr operand);
  Expr test(Expr operand);
  template <class Node>
  std::unique_ptr<Node> made(std::unique_ptr<Node> node) const {
    if (node->depth > kMaxNodeDepth) fail("nested too deeply");
    return node;
  }

  // Names that nobody knows are refused once the template is read, but those inside an if only
  // when they are reached, as in jinja2.
  struct Unknown {
    int line;
    std::string what, name;
  };
  void note_unknown(const char* kind, const std::string& name, int line);

  /// Sets a member while it lives.
  template <class T>
  class While {
   public:
    While(T& member, T value) : member_(member), before_(std::exchange(member, value)) {}
    ~While() { member_ = before_; }
    While(const While&) = delete;
    While& operator=(const While&) = delete;

   private:
    T& member_;
    T before_;
  };
  int one_deeper() const;

  /// A frame inside the current one, which it is for as long as this lives.
  class Inside {
   public:
    explicit Inside(Parser& parser) : now_(parser.frame_, new_frame(*parser.frame_)) {}

   private:
    static Frame* new_frame(Frame& around) {
      return around.inside.emplace_back(std::make_unique<Frame>()).get();
    }
    While<Frame*> now_;
  };
  Symbols& symbols() { return frame_->symbols; }
  enum class Setting { kStore, kParameter };
  void declare(const Target& target, Setting setting);

  std::vector<Token> tokens_;
  std::string where_;
  std::size_t at_ = 0;
  Frame root_;
  Frame* frame_ = &root_;
  std::size_t branch_names_ = 0;  // copied for all branches so far
  int depth_ = 0;
  int for_depth_ = 0;      // loops around, those outside of a macro too
  bool may_jump_ = false;  // break and continue have a loop to act on
  bool in_if_ = false;     // unknown names wait
  bool in_macro_ = false;
  bool uses_caller_ = false;
  std::vector<Unknown> unknown_;
};

}  // namespace zp::jinja
