// config.json read and written by going over an architecture's fields.
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/config_writer.h"
#include "model/rope_config.h"

namespace zp {
namespace {

void require_multiple(const ConfigReader& fields, const char* what, std::int64_t of,
                      std::int64_t by) {
  if (of % by != 0) {
    throw Error(fields.where(), what, {}, std::to_string(of) + " and " + std::to_string(by));
  }
}

std::int64_t even_head_size(const ConfigReader& fields, const Decoder& d) {
  require_multiple(fields, "hidden size is no multiple of attention heads", d.hidden, d.heads);
  const std::int64_t size = d.hidden / d.heads;
  if (size > kMostHeadDim) throw Error(fields.where(), "heads too large", {}, std::to_string(size));
  return size;
}

/// Reads the field of that name.
struct Reading {
  ConfigReader& fields;
  Decoder& d;
  std::string_view name;
  bool nullable;

  bool says_null() const { return nullable && fields.mentions(name) && !fields.has(name); }

  void operator()(const Count& count) const {
    if (says_null()) {
      count.member.set(d, 0);
    } else if (count.otherwise == nullptr || fields.has(name)) {
      count.member.set(d, fields.integer(name, count.least, count.most(d)));
    } else {
      count.member.set(d, count.otherwise(d));
    }
  }
  void operator()(const Positive& positive) const {
    const double value = says_null()          ? 0
                         : positive.otherwise ? fields.positive(name, *positive.otherwise)
                                              : fields.positive(name);
    positive.member.set(d, value);
  }
  void operator()(const Flag& flag) const {
    flag.member.set(d, fields.boolean(name, flag.otherwise));
  }
  void operator()(const ActivationWord& word) const {
    d.activation = fields.activation(name, word.otherwise);
  }
  void operator()(const HeadSize& size) const {
    require_multiple(fields, "attention heads are no multiple of key-value heads", d.heads,
                     d.kv_heads);
    d.head_dim = fields.has(name)      ? fields.count(name, kMostHeadDim)
                 : size.otherwise != 0 ? size.otherwise
                                       : even_head_size(fields, d);
    if (size.even && d.head_dim * d.heads != d.hidden)
      fields.refuse(name, "value not supported", "hidden / heads");
  }
  void operator()(const LatentHeads&) const {
    d.rope.dims = fields.count("qk_rope_head_dim", kMostHeadDim);
    d.head_dim = fields.count("qk_nope_head_dim", kMostHeadDim - d.rope.dims) + d.rope.dims;
    d.value_dim = fields.count("v_head_dim", kMostHeadDim);
  }
  void operator()(const KeyHeads&) const { d.kv_heads = fields.count(name, kMostHeads, d.heads); }
  void operator()(const EachLayer&) const {}
  void operator()(const RopeSections&) const {}
  void operator()(const Only&) const {}
};

/// Writes it.
struct Writing {
  const Decoder& d;
  std::string_view name;
  bool nullable;
  Json& config;

  void operator()(const Count& count) const { number(count.member.get(d)); }
  void operator()(const Positive& positive) const {
    const double value = positive.member.get(d);
    if (positive.whole && value == std::floor(value)) {
      number(static_cast<std::int64_t>(value));
    } else {
      number(value);
    }
  }
  void operator()(const Flag& flag) const { config[name] = flag.member.get(d); }
  void operator()(const ActivationWord&) const { config[name] = activation_word(d.activation); }
  void operator()(const HeadSize& size) const {
    if (!size.even) config[name] = d.head_dim;
  }
  void operator()(const LatentHeads&) const {
    config["qk_nope_head_dim"] = d.latent_key_dim();
    config["qk_rope_head_dim"] = d.rope.dims;
    config["v_head_dim"] = d.value_dim;
  }
  void operator()(const KeyHeads&) const { config[name] = d.kv_heads; }
  void operator()(const EachLayer&) const {}
  void operator()(const RopeSections&) const {}
  void operator()(const Only&) const {}

 private:
  void number(auto value) const { config[name] = nullable && value == 0 ? Json() : Json(value); }
};

}  // namespace

Decoder Architecture::read_config(const Json& config, const std::string& where) const {
  ConfigReader reader(config, where);
  Decoder d;
  d.architecture = name;
  reader.require(fixed_fields, name);
  for (const Field& field : fields) {
    if (field.config.empty()) continue;
    const std::string_view key =
        field.older.empty() ? field.config : reader.either(field.config, field.older);
    std::visit(Reading{reader, d, key, field.nullable}, field.value);
  }
  if (rope) d.rope = read_rope(reader, d, *rope);
  if (fix != nullptr) fix(d);
  if (more.read != nullptr) more.read(reader, d);
  reader.finish(name, without_influence);
  return d;
}

Json write_config(const Architecture& architecture, const Decoder& decoder) {
  Json config;
  config["architectures"] = {std::string(architecture.hf_classes.front())};
  config["model_type"] = std::string(architecture.model_types.front());
  for (const Field& field : architecture.fields) {
    if (!field.config.empty())
      std::visit(Writing{decoder, field.config, field.nullable, config}, field.value);
  }
  if (architecture.rope) write_rope(decoder, *architecture.rope, config);
  if (architecture.more.write != nullptr) architecture.more.write(decoder, config);
  return config;
}

}  // namespace zp
