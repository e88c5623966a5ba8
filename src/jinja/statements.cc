#include "jinja/statements.h"

#include "jinja/operators.h"

namespace zp::jinja {

Flow execute(Run& run, const Body& body) {
  for (const Stmt& statement : body) {
    const Flow flow = statement->execute(run);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

void hide(Run& run, const Hidden& names) {
  for (const std::string& name : *names) {
    run.scope->set(run, name, run.undefined("'" + name + "' is undefined"));
  }
}

Flow capture(Run& run, const Body& body, const Hidden& hidden, std::string& text) {
  const InnerScope scope(run);
  hide(run, hidden);
  Capture caught(run);
  const Flow flow = execute(run, body);
  text = std::move(caught.text);
  return flow;
}

void Target::assign(Run& run, const Value& value) const {
  if (is_name()) return run.scope->set(run, name_, value);
  if (parts_.empty() && !attribute_.empty()) {
    const Value* found = run.scope->find(run, name_);
    if (found == nullptr || !found->is(Kind::kNamespace)) {
      run.fail("only a namespace's attributes can be set", {}, name_);
    }
    if (attribute_[0] == '_') run.fail("attributes must not begin with _", {}, attribute_);
    return set_attribute(run, *found, attribute_, value);
  }
  const Values items = items_of(run, value);
  if (items.size() != parts_.size()) {
    run.fail("can't be unpacked", std::to_string(parts_.size()) + " items",
             std::to_string(items.size()));
  }
  for (std::size_t i = 0; i < items.size(); ++i) parts_[i].assign(run, items[i]);
}

Flow Data::perform(Run& run) const {
  run.write(text_);
  return Flow::kNext;
}

Flow Output::perform(Run& run) const {
  const Value value = value_->value(run);
  value.is(Kind::kText) ? run.write(value.text()) : run.write(to_text(run, value));
  return Flow::kNext;
}

Flow If::perform(Run& run) const {
  for (const auto& [condition, body] : branches_) {
    if (truth(condition->value(run))) return jinja::execute(run, body);
  }
  return jinja::execute(run, otherwise_);
}

Flow Set::perform(Run& run) const {
  target_.assign(run, value_->value(run));
  return Flow::kNext;
}

Flow CaughtBlock::perform(Run& run) const {
  std::string text;
  const Flow flow = capture(run, body_, hidden_, text);
  if (flow != Flow::kNext) return flow;
  Value value = run.text(std::move(text));
  for (const auto& filter : filters_) value = filter->apply(run, value);
  target_ ? target_->assign(run, value) : run.write(to_text(run, value));
  return Flow::kNext;
}

Value MacroBody::closure(Run& run) const {
  run.keep(run.scope);
  const auto run_body = [this, around = run.scope](Run& now, Arguments& arguments) {
    return call(now, around, arguments);
  };
  return run.object(Kind::kFunction, std::make_shared<FunctionObject>(name, run_body));
}

Value MacroBody::call(Run& run, const std::shared_ptr<Scope>& around, Arguments& arguments) const {
  const InnerScope scope(run, around);
  if (arguments.positional.size() > parameters.size()) {
    run.fail("too many arguments for macro " + name, std::to_string(parameters.size()),
             std::to_string(arguments.positional.size()));
  }
  std::optional<Value> caller;
  std::vector<std::optional<Value>> given(parameters.size());
  std::move(arguments.positional.begin(), arguments.positional.end(), given.begin());
  for (auto& [key, value] : arguments.named) {
    const auto at = std::find_if(parameters.begin(), parameters.end(),
                                 [&k = key](const auto& p) { return p.first == k; });
    std::optional<Value>* place = at != parameters.end()           ? &given[at - parameters.begin()]
                                  : key == "caller" && uses_caller ? &caller
                                                                   : nullptr;
    if (place == nullptr) run.fail("macro " + name + " has no such argument", {}, key);
    if (place->has_value()) run.fail("argument given twice for macro " + name, {}, key);
    *place = std::move(value);
  }
  if (uses_caller) {
    run.scope->set(run, "caller", caller ? *caller : run.undefined("no caller defined"));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& [key, otherwise] = parameters[i];
    if (!given[i]) {
      given[i] = otherwise ? otherwise->value(run)
                           : run.undefined("parameter '" + key + "' was not provided");
    }
    run.scope->set(run, key, std::move(*given[i]));
  }
  hide(run, hidden);
  Capture caught(run);
  execute(run, body);
  return run.text(std::move(caught.text));
}

Flow Macro::perform(Run& run) const {
  run.scope->set(run, macro_.name, macro_.closure(run));
  return Flow::kNext;
}

Flow CallBlock::perform(Run& run) const {
  const Value caller = body_.closure(run);
  run.write(to_text(run, call_->call_with(run, &caller)));
  return Flow::kNext;
}

Flow With::perform(Run& run) const {
  // Values are computed outside: one name's value doesn't see the others.
  Values values;
  for (const auto& [target, value] : values_) values.push_back(value->value(run));
  const InnerScope scope(run);
  for (std::size_t i = 0; i < values.size(); ++i) values_[i].first.assign(run, values[i]);
  hide(run, hidden_);
  return jinja::execute(run, body_);
}

}  // namespace zp::jinja
