#include "model/cancellations.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "model/interpreter.h"

namespace zp {
namespace {

constexpr std::int32_t kNobody = -1;

// A row of a linear, or a column of a norm.
struct Slot {
  std::int32_t producer = kNobody;
  std::int32_t index = 0;
  bool operator==(const Slot&) const = default;
};

struct Producer {
  Place place;
  bool norm = false;
  std::vector<bool> pinned;  // by index: must stay as it is
};

// What steps hand on.
struct Traced {
  std::vector<Slot> columns;
  std::int64_t mixable = 1;
  bool stream = false;
  std::string_view why;  // of columns that nobody can scale
};

// Ops of interpreter.h that follows where columns come from.
class Tracer {
 public:
  using Value = Traced;

  explicit Tracer(const Model& model) : model_(model) {}

  Traced embed(Place place) {
    if (place.role != Role::embedding)
      return {nobody(model_.find(place)->use.cols), 1, false, "they are a table's"};
    stream_.tables.push_back(place);
    return {nobody(model_.decoder.hidden), 1, true, "they are the residual stream"};
  }
  Traced add_positions(Traced x) {
    stream_.tables.push_back({-1, Role::position});
    return x;
  }
  Traced scale(Traced x, double) { return x; }
  Traced temper(Traced x) { return x; }

  Traced norm(const Traced& x, Place place) {
    if (x.stream) {
      stream_.norms.push_back(place);
      if (model_.decoder.norm == Norm::layer) refuse_stream("layer norms take the mean away");
    }
    pin(x);
    return produced(place, std::ssize(x.columns), true);
  }
  Traced norm_heads(Traced x, Place) { return blocked(std::move(x), "they are behind a norm"); }

  Traced norm_values(Traced x, std::int64_t) {
    return blocked(std::move(x), "they are behind a norm");
  }

  Traced linear(const Traced& x, Place place) {
    read(x, place);
    return produced(place, model_.find(place)->use.rows, false);
  }

  Traced route(Traced x, Place) { return blocked(std::move(x), "they are an expert's weight"); }
  Traced dispatch(const Traced& x, const Traced& routes) {
    refuse_stream("experts read it");
    pin(routes);
    return blocked(x, "they go to experts");
  }
  Traced expert_linear(const Traced& x, const Traced&, Place place) {
    Place one = place;
    one.expert = 0;
    const std::int64_t width = model_.find(one)->use.rows;
    for (; one.expert < model_.decoder.experts.count; ++one.expert) read(x, one);
    return {nobody(width), 1, false, "they are an expert's"};
  }
  Traced combine(Traced x, const Traced&, Place) { return x; }

  Traced slice(const Traced& x, std::int64_t begin, std::int64_t width) {
    Traced out = x;
    out.columns.assign(x.columns.begin() + begin, x.columns.begin() + begin + width);
    out.mixable = std::min(x.mixable, width);
    return out;
  }

  Traced part(const Traced& x, std::span<const std::int64_t> parts) {
    Traced out = x;
    out.columns.clear();
    out.mixable = 1;  // rows of one part don't stand together
    const std::int64_t group = std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
    std::int64_t begin = 0;
    for (const std::int64_t width : parts) {
      for (auto at = x.columns.begin(); at < x.columns.end(); at += group)
        out.columns.insert(out.columns.end(), at + begin, at + begin + width);
      begin += width;
    }
    return out;
  }

  Traced share(const Traced& x, const Traced& y, std::int64_t head) {
    pin(x);
    pin(y);
    const std::int64_t heads = std::ssize(x.columns) / head;
    return {nobody(std::ssize(x.columns) + heads * std::ssize(y.columns)), 1, false,
            "all heads have some of them in common"};
  }

  Traced rotate(Traced x, std::int64_t) {
    return blocked(std::move(x), "they are behind a rotary embedding");
  }

  // Each head mixes the values of tokens, column by column.
  Traced attend(const Traced& q, const Traced& k, const Traced& v, Place place) {
    pin(q);
    pin(k);
    const Decoder& d = model_.decoder;
    const std::int64_t dim = d.value_dim_of(place.layer);
    const std::int64_t shared = d.heads / d.kv_heads_of(place.layer);
    Traced out{{}, std::min(v.mixable, dim), false, v.why};
    for (std::int64_t head = 0; head < d.heads; ++head) {
      const auto first = v.columns.begin() + head / shared * dim;
      out.columns.insert(out.columns.end(), first, first + dim);
    }
    return out;
  }

  // Each column goes through it by itself.
  Traced convolve(const Traced& x, Place) {
    if (model_.decoder.conv_bias)
      return blocked(x, "they are behind a convolution, which adds a bias");
    Traced out = x;
    out.mixable = 1;
    return out;
  }

  Traced delta(const Traced& qkv, const Traced& beta, const Traced& decay, Place) {
    pin(qkv);
    pin(beta);
    pin(decay);
    return {nobody(model_.decoder.delta.value_columns()), 1, false,
            "they are behind linear attention"};
  }

  Traced scan(const Traced& x, const Traced& steps, Place) {
    pin(x);
    pin(steps);
    return {nobody(model_.decoder.space.columns()), 1, false, "they are behind a state space"};
  }

  Traced activate(Traced x, Activation) {
    return blocked(std::move(x), "they are behind an activation");
  }
  // Scaled by way of one factor; the other stays.
  Traced multiply(Traced x, Traced y) {
    const bool by_y = y.columns.front().producer != kNobody;
    Traced& through = by_y ? y : x;
    pin(by_y ? x : y);
    through.mixable = 1;
    return std::move(through);
  }
  Traced scale_by(Traced x, Place) { return x; }
  Traced weigh(Traced x, const Traced& y) {
    pin(y);
    return x;
  }
  Traced add(Traced x, const Traced& y) {
    if (x.stream) join_stream(y);
    pin(y);
    return blocked(std::move(x), "they are a sum");
  }
  Traced clamp(Traced x, double, double) { return blocked(std::move(x), "they are clamped"); }
  Traced shift(Traced x, double) { return blocked(std::move(x), "they are shifted"); }
  Traced soft_cap(Traced x, double) { return blocked(std::move(x), "they are capped"); }

  Cancellations result() && {
    Cancellations out;
    std::vector<std::size_t> uses(producers_.size());
    for (const Group& group : groups_) {
      if (group.x.columns.front().producer != kNobody) ++uses[index_of(group)];
    }
    for (Group& group : groups_) {
      std::string why = refusal(group, uses);
      if (why.empty()) {
        out.links.push_back(link_of(group));
      } else {
        out.unlinked.push_back({std::move(group.readers), std::move(why)});
      }
    }
    out.stream = std::move(stream_);
    return out;
  }

 private:
  struct Group {
    std::vector<Place> readers;
    Traced x;
  };

  static std::vector<Slot> nobody(std::int64_t columns) {
    return std::vector<Slot>(static_cast<std::size_t>(columns));
  }

  Traced produced(Place place, std::int64_t width, bool norm) {
    const auto producer = static_cast<std::int32_t>(producers_.size());
    producers_.push_back({place, norm, std::vector<bool>(static_cast<std::size_t>(width))});
    Traced out{nobody(width), norm ? 1 : width, false, {}};
    for (std::size_t i = 0; i < out.columns.size(); ++i)
      out.columns[i] = {producer, static_cast<std::int32_t>(i)};
    return out;
  }

  void pin(const Traced& x) {
    for (const Slot& slot : x.columns) {
      if (slot.producer == kNobody) continue;
      producers_[static_cast<std::size_t>(slot.producer)]
          .pinned[static_cast<std::size_t>(slot.index)] = true;
    }
  }

  // No factor passes here.
  Traced blocked(Traced x, std::string_view why) {
    pin(x);
    x.columns = nobody(std::ssize(x.columns));
    x.mixable = 1;
    x.why = why;
    return x;
  }

  void read(const Traced& x, Place place) {
    const auto same = [&](const Group& g) { return g.x.columns == x.columns; };
    const bool anybody = x.columns.front().producer != kNobody;
    auto group = anybody ? std::ranges::find_if(groups_, same) : groups_.end();
    if (group == groups_.end()) group = groups_.insert(group, {{}, x});
    group->readers.push_back(place);
    if (place.role != Role::embedding) return;
    group->x.why = "the head is the embedding, which the first layer reads, too";
    pin(x);
    refuse_stream(
        "the head is the embedding: the last norm's weight can't go into the one and not into the "
        "other");
  }

  // The rows of one linear, each as it is.
  void join_stream(const Traced& y) {
    const Slot first = y.columns.front();
    const bool whole = first.producer != kNobody && y.mixable == std::ssize(y.columns) &&
                       !producers_[static_cast<std::size_t>(first.producer)].norm;
    if (!whole) return refuse_stream("what is added to it isn't a linear's output, but normed");
    stream_.writers.push_back(producers_[static_cast<std::size_t>(first.producer)].place);
  }

  void refuse_stream(const char* why) {
    if (stream_.why_not.empty()) stream_.why_not = why;
  }

  static std::size_t index_of(const Group& group) {
    return static_cast<std::size_t>(group.x.columns.front().producer);
  }

  std::string refusal(const Group& group, const std::vector<std::size_t>& uses) const {
    const std::int32_t producer = group.x.columns.front().producer;
    if (producer == kNobody) return std::string(group.x.why);
    const Producer& writer = producers_[index_of(group)];
    for (const Slot& slot : group.x.columns) {
      if (slot.producer != producer) return "they come from several places";
      if (!writer.pinned[static_cast<std::size_t>(slot.index)]) continue;
      return group.x.why.empty() ? "they are read elsewhere, too" : std::string(group.x.why);
    }
    return uses[index_of(group)] > 1 ? "they are read elsewhere, too" : "";
  }

  ScaleLink link_of(Group& group) const {
    const Producer& writer = producers_[index_of(group)];
    ScaleLink link{std::move(group.readers),  writer.place, writer.norm,
                   std::ssize(writer.pinned), {},           group.x.mixable};
    for (const Slot& slot : group.x.columns) link.source.push_back(slot.index);
    std::ranges::sort(link.readers);
    return link;
  }

  const Model& model_;
  std::vector<Producer> producers_;
  std::vector<Group> groups_;
  ResidualStream stream_;
};

}  // namespace

Cancellations find_cancellations(const Model& model) {
  Tracer tracer(model);
  const Network network = record(model);
  const ValueId logits = network.logits();
  Interpreter(network, tracer).run({}, {&logits, 1});
  return std::move(tracer).result();
}

}  // namespace zp
