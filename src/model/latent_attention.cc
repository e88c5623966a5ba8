#include "model/latent_attention.h"

namespace zp::latent_attention {

void fix(Decoder& d) {
  d.kv_heads = d.heads;
  d.rope.interleaved = d.rope.trailing = true;
}

void read(ConfigReader& fields, Decoder& d) {
  constexpr const char* kKeyHeads = "num_key_value_heads";
  if (fields.has(kKeyHeads) && fields.count(kKeyHeads, kMostHeads) != d.heads)
    fields.refuse(kKeyHeads, "value not supported", std::to_string(d.heads));
  const Experts& e = d.experts;
  // Of a group the two best are asked for where sigmoids choose.
  const std::int64_t least = e.routing == Routing::sigmoid ? 2 : 1;
  if (e.count % e.groups != 0 || (e.groups > 1 && e.count / e.groups < least))
    fields.refuse("n_group", "doesn't part the experts into groups to choose from");
  if (e.count / e.groups * e.used_groups < e.chosen)
    fields.refuse("topk_group", "groups too small for the experts that are chosen");
  // To choose from all groups is to have none, and llama.cpp takes no model that says the former.
  if (e.used_groups == e.groups) d.experts.groups = d.experts.used_groups = 1;
}

}  // namespace zp::latent_attention
