// {% for %} and the variable `loop`.
#include "jinja/operators.h"
#include "jinja/statements.h"

namespace zp::jinja {
namespace {

// Looks one item ahead only when it is asked to, as jinja2 does: iterators are shared.
class Loop final : public LoopObject {
 public:
  explicit Loop(Value source) : cursor_(std::move(source)) { depth = cursor_.source().depth() + 1; }

  bool advance(Run& run) {
    std::optional<Value> value = ahead(run);
    ahead_.reset();
    previous_ = std::move(current_);
    current_ = std::move(value);
    ++index0_;
    return current_.has_value();
  }
  const Value& current() const { return *current_; }

  bool attribute(Run& run, const std::string& name, Value& value) const override {
    if (name == "index0") return give(value, Value::integer(index0_));
    if (name == "index") return give(value, Value::integer(index0_ + 1));
    if (name == "first") return give(value, Value::boolean(index0_ == 0));
    if (name == "last") return give(value, Value::boolean(!ahead(run)));
    if (name == "length") return give(value, Value::integer(count(run)));
    if (name == "revindex") return give(value, Value::integer(count(run) - index0_));
    if (name == "revindex0") return give(value, Value::integer(count(run) - index0_ - 1));
    if (name == "depth") return give(value, Value::integer(1));
    if (name == "depth0") return give(value, Value::integer(0));
    if (name == "previtem") {
      return give(value, previous_ ? *previous_ : run.undefined("there is no previous item"));
    }
    if (name == "nextitem") {
      const std::optional<Value> next = ahead(run);
      return give(value, next ? *next : run.undefined("there is no next item"));
    }
    if (name == "cycle") return give(value, cycle(run));
    if (name == "changed") run.fail("loop.changed is not supported");
    return false;
  }

 private:
  static bool give(Value& value, Value result) {
    value = std::move(result);
    return true;
  }
  const std::optional<Value>& ahead(Run& run) const {
    if (Value next; !ahead_ && cursor_.next(run, next)) ahead_ = std::move(next);
    return ahead_;
  }
  // An iterator's length is known when it is at its end: the rest becomes a list.
  std::int64_t count(Run& run) const {
    if (count_ < 0) {
      if (has_length(cursor_.source())) {
        count_ = jinja::length(run, cursor_.source());
      } else {
        Values rest;
        for (Value item; cursor_.next(run, item);) {
          run.charge(sizeof(Value));
          rest.push_back(std::move(item));
        }
        count_ = index0_ + 1 + ahead_.has_value() + static_cast<std::int64_t>(rest.size());
        cursor_ = Cursor(run.list(std::move(rest)));
      }
    }
    return count_;
  }
  Value cycle(Run& run) const {
    const auto choose = [index = index0_](Run& now, Arguments& arguments) {
      const Values& values = arguments.positional;
      if (values.empty() || !arguments.named.empty()) now.fail("loop.cycle needs values");
      return values[static_cast<std::size_t>(index) % values.size()];
    };
    return run.object(Kind::kFunction, std::make_shared<FunctionObject>("cycle", choose));
  }

  mutable Cursor cursor_;
  mutable std::optional<Value> ahead_;
  mutable std::int64_t count_ = -1;
  std::optional<Value> previous_, current_;
  std::int64_t index0_ = -1;
};

// Those items for which the test holds; it sees the variables around the loop, whoever asks.
class Chosen final : public IteratorObject {
 public:
  Chosen(Cursor source, std::shared_ptr<Scope> around, const Target& target, const Expression& test)
      : source_(std::move(source)), around_(std::move(around)), target_(target), test_(test) {
    depth = source_.source().depth() + 1;
  }
  bool next(Run& run, Value& value) const override {
    while (source_.next(run, value)) {
      const InnerScope scope(run, around_);
      target_.assign(run, value);
      if (truth(test_.value(run))) return true;
    }
    return false;
  }

 private:
  mutable Cursor source_;
  std::shared_ptr<Scope> around_;
  const Target& target_;
  const Expression& test_;
};

}  // namespace

Flow For::perform(Run& run) const {
  const Value over = parts_.over->value(run);
  Value source = over;
  if (parts_.test) {
    auto chosen =
        std::make_shared<Chosen>(cursor_over(run, over), run.scope, parts_.target, *parts_.test);
    source = run.object(Kind::kIterator, std::move(chosen));
  }
  const auto loop = std::make_shared<Loop>(cursor_over(run, source).source());
  const Value variable = run.object(Kind::kLoop, loop);
  // jinja2 takes a loop whose every turn was cut short by continue or break for an empty one.
  bool finished_one = false;
  while (loop->advance(run)) {
    const InnerScope scope(run);
    parts_.target.assign(run, loop->current());
    run.scope->set(run, "loop", variable);
    hide(run, parts_.hidden);
    const Flow flow = jinja::execute(run, parts_.body);
    if (flow == Flow::kBreak) break;
    finished_one = finished_one || flow == Flow::kNext;
  }
  if (finished_one) return Flow::kNext;
  if (parts_.otherwise.empty()) return Flow::kNext;
  const InnerScope scope(run);
  hide(run, parts_.hidden_otherwise);
  return jinja::execute(run, parts_.otherwise);
}

}  // namespace zp::jinja
