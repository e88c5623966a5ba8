#include "text/chat_template.h"

#include "base/error.h"
#include "text/chat.h"
#include "text/jinja_globals.h"
#include "text/jinja_parser.h"
#include "text/utf8.h"

namespace zp {
namespace {

using jinja::Run;
using jinja::Value;

Value text_value(Run& run, const std::string& text) {
  if (!is_utf8(text)) run.fail("text for a template is no UTF-8", {}, text);
  return run.text(text);
}

Value value_of(Run& run, const Json& json) {
  const jinja::Depth deeper(run);
  if (json.is_boolean()) return Value::boolean(json.get<bool>());
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX)
    run.fail("integers beyond 64 bits are not supported");
  if (json.is_number_integer()) return Value::integer(json.get<std::int64_t>());
  if (json.is_number()) return Value::real(json.get<double>());
  if (json.is_string()) return text_value(run, json.get<std::string>());
  if (json.is_array()) {
    jinja::Values items;
    for (const Json& item : json) items.push_back(value_of(run, item));
    return run.list(std::move(items));
  }
  if (json.is_object()) {
    jinja::Items items;
    for (const auto& [key, item] : json.items()) {
      items.emplace_back(text_value(run, key), value_of(run, item));
    }
    return run.dict(std::move(items));
  }
  return Value::none();
}

// Without fields that are null; what a model thought under the names that templates know.
Json given(const Json& message) {
  Json fields = Json::object();
  for (const auto& [key, value] : message.items()) {
    if (!value.is_null()) fields[key] = value;
  }
  for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
    const Json* thought = fields.find(name);
    if (thought == nullptr) continue;
    Json named = {{"thinking", *thought}};
    for (const auto& [key, value] : fields.items()) named[key] = value;
    named["reasoning_content"] = *thought;
    return named;
  }
  return fields;
}

Value messages_value(Run& run, const Json& messages) {
  jinja::Values values;
  for (const Json& message : messages) values.push_back(value_of(run, given(message)));
  return run.list(std::move(values));
}

}  // namespace

struct ChatTemplate::Parsed {
  jinja::Program program;
};

ChatTemplate::ChatTemplate(std::string_view source, std::string where) : where_(std::move(where)) {
  if (source.size() > static_cast<std::size_t>(jinja::kMaxTemplateBytes)) {
    throw Error(where_, "template is too long",
                "at most " + std::to_string(jinja::kMaxTemplateBytes) + " bytes",
                std::to_string(source.size()));
  }
  if (!is_utf8(source)) throw Error(where_, "template is no UTF-8");
  parsed_ = std::make_unique<const Parsed>(Parsed{jinja::parse(source, where_)});
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::string ChatTemplate::render(const Chat& chat, const ChatOptions& options) const {
  // Functions stand outside of the variables: a template may set a variable of the same name.
  Run run(where_, options.now, std::make_shared<jinja::Scope>(nullptr));
  jinja::set_globals(run);
  const jinja::InnerScope scope(run);
  const auto set = [&](const std::string& name, Value value) {
    run.scope->set(run, name, std::move(value));
  };
  set("messages", messages_value(run, chat.messages));
  set("tools", Value::none());
  set("documents", Value::none());
  set("add_generation_prompt", Value::boolean(options.add_generation_prompt));
  for (const auto& [name, text] : options.special_tokens) set(name, text_value(run, text));
  for (const auto& [name, value] : chat.variables.items()) set(name, value_of(run, value));
  jinja::hide(run, parsed_->program.hidden);
  std::string text;
  run.begin_output(text);
  jinja::execute(run, parsed_->program.body);
  return text;
}

}  // namespace zp
