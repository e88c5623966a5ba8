#include "jinja/template.h"

#include "base/error.h"
#include "base/utf8.h"
#include "jinja/globals.h"
#include "jinja/parser.h"

namespace zp::jinja {
namespace {

Value text_value(Run& run, const std::string& text) {
  if (!is_utf8(text)) run.fail("text for a template is no UTF-8", {}, text);
  return run.text(text);
}

Value value_of(Run& run, const Json& json) {
  const Depth deeper(run);
  if (json.is_boolean()) return Value::boolean(json.get<bool>());
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX)
    run.fail("integers beyond 64 bits are not supported");
  if (json.is_number_integer()) return Value::integer(json.get<std::int64_t>());
  if (json.is_number()) return Value::real(json.get<double>());
  if (json.is_string()) return text_value(run, json.get<std::string>());
  if (json.is_array()) {
    Values items;
    for (const Json& item : json) items.push_back(value_of(run, item));
    return run.list(std::move(items));
  }
  if (json.is_object()) {
    Items items;
    for (const auto& [key, item] : json.items()) {
      items.emplace_back(text_value(run, key), value_of(run, item));
    }
    return run.dict(std::move(items));
  }
  return Value::none();
}

}  // namespace

struct Template::Parsed {
  Program program;
};

Template::Template(std::string_view source, std::string where) : where_(std::move(where)) {
  if (source.size() > static_cast<std::size_t>(kMaxTemplateBytes)) {
    throw Error(where_, "template is too long",
                "at most " + std::to_string(kMaxTemplateBytes) + " bytes",
                std::to_string(source.size()));
  }
  if (!is_utf8(source)) throw Error(where_, "template is no UTF-8");
  parsed_ = std::make_unique<const Parsed>(Parsed{parse(source, where_)});
}

Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

std::string Template::render(const Json& variables, std::time_t now) const {
  // Functions stand outside of the variables: a template may set a variable of the same name.
  Run run(where_, now, std::make_shared<Scope>(nullptr));
  set_globals(run);
  const InnerScope scope(run);
  for (const auto& [name, value] : variables.items())
    run.scope->set(run, name, value_of(run, value));
  hide(run, parsed_->program.hidden);
  std::string text;
  run.begin_output(text);
  execute(run, parsed_->program.body);
  return text;
}

}  // namespace zp::jinja
