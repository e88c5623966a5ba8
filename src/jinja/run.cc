#include "jinja/run.h"

#include <algorithm>

namespace zp::jinja {

Run::Run(std::string where, std::time_t now_seconds, std::shared_ptr<Scope> globals)
    : now(now_seconds), scope(std::move(globals)), where_(std::move(where)) {}

Run::~Run() {
  for (const std::shared_ptr<Cyclic>& object : kept_) object->clear();
}

void Run::fail(std::string what, std::string expected, std::string found) const {
  throw Error(where_ + ": line " + std::to_string(line), std::move(what), std::move(expected),
              std::move(found));
}

void Run::too_many_steps() const {
  fail("template takes too long", "at most " + std::to_string(kMaxSteps) + " steps");
}

void Run::charge(std::int64_t bytes) {
  if (bytes > kMaxValueBytes - bytes_) {
    fail("template takes too much memory",
         "at most " + std::to_string(kMaxValueBytes >> 20) + " MiB of values");
  }
  bytes_ += bytes;
  step(bytes);
}

void Run::begin_output(std::string& text) {
  out = &text;
  most_output_ = std::min(kMaxOutputBytes, kOutputBytes + kOutputTimes * bytes_);
}

void Run::write(std::string_view piece) {
  const auto total = static_cast<std::int64_t>(out->size() + piece.size());
  if (total > most_output_) {
    fail("text grows too long", "at most " + std::to_string(most_output_) + " bytes, " +
                                    std::to_string(kOutputTimes) + " for each of the conversation");
  }
  step(static_cast<std::int64_t>(piece.size()));
  out->append(piece);
}

Value Run::text(std::string text, bool markup) {
  charge(64 + static_cast<std::int64_t>(text.size()));
  return Value(markup, std::make_shared<TextObject>(std::move(text)));
}

Value Run::list(Values items, Kind kind) {
  auto object = std::make_shared<ListObject>();
  for (const Value& item : items) object->depth = std::max(object->depth, item.depth() + 1);
  if (object->depth > kMaxValueDepth) fail("lists nested too deeply");
  charge(64 + static_cast<std::int64_t>(items.size() * sizeof(Value)));
  object->items = std::move(items);
  return Value(kind, std::move(object));
}

Value Run::dict(Items items) {
  auto object = std::make_shared<DictObject>();
  for (const auto& [key, value] : items) {
    object->depth = std::max({object->depth, key.depth() + 1, value.depth() + 1});
  }
  if (object->depth > kMaxValueDepth) fail("mappings nested too deeply");
  charge(64 + static_cast<std::int64_t>(items.size() * 2 * sizeof(Value)));
  object->items = std::move(items);
  return Value(Kind::kDict, std::move(object));
}

Value Run::object(Kind kind, std::shared_ptr<Object> object) {
  charge(96);
  if (object->depth > kMaxValueDepth) fail("values nested too deeply");
  return Value(kind, std::move(object));
}

Value Run::undefined(std::string why) {
  charge(64 + static_cast<std::int64_t>(why.size()));
  return Value(Kind::kUndefined, std::make_shared<TextObject>(std::move(why)));
}

void Run::keep(std::shared_ptr<Cyclic> object) {
  charge(32);
  kept_.push_back(std::move(object));
}

const Value* Scope::find(Run& run, const std::string& name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent_.get()) {
    run.step(static_cast<std::int64_t>(scope->variables_.size()));
    for (const auto& [key, value] : scope->variables_) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

void Scope::set(Run& run, const std::string& name, Value value) {
  run.step(static_cast<std::int64_t>(variables_.size()));
  for (auto& [key, old] : variables_) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  run.charge(static_cast<std::int64_t>(64 + name.size()));
  variables_.emplace_back(name, std::move(value));
}

// Values may own what owns this scope: they must die after the vector is empty.
void Scope::clear() {
  auto gone = std::move(variables_);
  variables_.clear();
}

// Not inline: GCC 12 takes the pointer to the text for one that outlives it.
Capture::Capture(Run& run) : run_(run), before_(run.out) { run.out = &text; }
Capture::~Capture() { run_.out = before_; }

}  // namespace zp::jinja
