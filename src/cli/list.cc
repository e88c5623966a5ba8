// zeropoint list: what there is, read from the registries.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/cpu.h"
#include "base/json.h"
#include "base/named.h"
#include "cli/command.h"
#include "container/container.h"
#include "grid/bridge.h"
#include "grid/grid.h"
#include "method/method.h"
#include "method/rewrite.h"
#include "model/architecture.h"
#include "model/roles.h"
#include "observer/observer.h"
#include "report/dtypes.h"
#include "source/checkpoint.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint list grids\n"
    "  zeropoint list dtypes --json";

// Rows for printing and for JSON alike: every row has a name and a summary, and may have more.
using Rows = Json;

// A square one that every group size and block divides.
TensorUse some_matrix() {
  TensorUse matrix;
  matrix.rows = matrix.cols = 4096;
  matrix.place.role = Role::up;
  return matrix;
}

Rows list_grids() {
  Rows rows = Json::array();
  const TensorUse matrix = some_matrix();
  for (const GridFamily* family : grid_families()) {
    for (const std::string& spec : family->examples()) {
      const std::unique_ptr<Grid> grid = make_grid(spec);
      Json containers = Json::array();
      for (const Container* c : zp::containers()) {
        if (c->accepts(*grid, matrix).possible) containers.push_back(c->name());
      }
      rows.push_back({{"name", grid->spec()},
                      {"family", family_name(grid->family())},
                      {"bits_per_weight", grid->bits_per_weight(matrix.rows, matrix.cols)},
                      {"summary", family->summary},
                      {"containers", std::move(containers)}});
    }
  }
  return rows;
}

Rows list_mixtures() {
  Rows rows = Json::array();
  for (const Container* c : containers()) {
    for (const Mixture& m : c->mixtures())
      rows.push_back({{"name", m.name}, {"summary", describe(m)}, {"containers", {c->name()}}});
  }
  return rows;
}

Json method_row(const Method& method) {
  Json options = Json::array();
  for (const auto& option : method.options())
    options.push_back(fmt::format("{}={}", option.name, option.values));
  return {{"name", method.name()}, {"summary", method.summary()}, {"options", std::move(options)}};
}

Rows list_methods() {
  Rows rows = Json::array();
  for (const auto& coder : coders()) rows.push_back(method_row(*coder));
  return rows;
}

Rows list_observers() {
  Rows rows = Json::array();
  for (const Observer* o : observers())
    rows.push_back({{"name", o->name}, {"summary", o->summary}});
  return rows;
}

Rows list_rewrites() {
  Rows rows = Json::array();
  for (const auto& rewrite : rewrites()) rows.push_back(method_row(*rewrite));
  return rows;
}

// What a container says of every grid: {name, fidelity}, or why it doesn't hold it.
Json grids_of(const Container& container) {
  Json grids = Json::array();
  for (const GridFamily* family : grid_families()) {
    for (const std::string& spec : family->examples()) {
      const std::unique_ptr<Grid> grid = make_grid(spec);
      const Verdict verdict = container.accepts(*grid, some_matrix());
      if (verdict.possible) {
        grids.push_back({{"name", grid->spec()}, {"fidelity", fidelity_word(verdict.fidelity)}});
      } else {
        grids.push_back({{"name", grid->spec()}, {"fidelity", nullptr}, {"why", verdict.why}});
      }
    }
  }
  return grids;
}

Rows list_containers() {
  Rows rows = Json::array();
  for (const Container* c : containers()) {
    rows.push_back({{"name", c->name()},
                    {"summary", c->summary()},
                    {"default_grid", c->default_grid()},
                    {"grids", grids_of(*c)}});
  }
  return rows;
}

Rows list_sources() {
  Rows rows = Json::array();
  for (const SourceKind* s : source_kinds())
    rows.push_back({{"name", s->name}, {"summary", s->summary}});
  return rows;
}

Rows list_architectures() {
  Rows rows = Json::array();
  for (const Architecture* a : architectures())
    rows.push_back({{"name", a->name}, {"summary", a->summary}});
  return rows;
}

Rows list_instruction_sets() {
  Rows rows = Json::array();
  for (const std::string& name : instruction_sets())
    rows.push_back({{"name", name}, {"summary", ""}});
  return rows;
}

// The names are the keys of evaluate --json.
Rows list_judges() {
  constexpr std::pair<const char*, const char*> kJudges[] = {
      {"perplexity", "exp of the mean surprise at the next token, as llama.cpp's tool measures it"},
      {"kl_divergence", "nats a token from the reference's probabilities; with --against"},
      {"top1_agreement", "share of tokens where both models' first choice is the same"},
      {"rms_dp", "root mean square change of the next token's probability"}};
  Rows rows = Json::array();
  for (const auto& [name, summary] : kJudges)
    rows.push_back({{"name", name}, {"summary", summary}});
  return rows;
}

// GGUF's and Hugging Face's names are those of Llama.
Rows list_roles() {
  Rows rows = Json::array();
  const Architecture& llama = *architectures().front();
  for (const RoleRow& role : role_rows()) {
    Json row{{"name", role.name}, {"summary", role.summary}, {"matrix", is_matrix(role.role)}};
    const auto named = [&](const TensorRow& t) {
      return t.role == role.role && t.part == Part::weight;
    };
    if (const auto at = std::ranges::find_if(llama.table, named); at != llama.table.end()) {
      row["gguf"] = at->gguf;
      row["hf"] = at->hf;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string roles_text() {
  std::string text = fmt::format("{:<20} {:<22} {:<38} {}\n", "role", "GGUF", "Hugging Face", "");
  for (const Json& row : list_roles()) {
    text +=
        fmt::format("{:<20} {:<22} {:<38} {}\n", row["name"].get<std::string>(),
                    row.value("gguf", ""), row.value("hf", ""), row["summary"].get<std::string>());
  }
  return text + "--set takes any of these names, and patterns: layers.0-3.*, blk.0.*, ffn_down\n";
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
    text += (i == 0 ? "" : " ") + names[i];
  return names.size() <= kShown ? text : text + fmt::format(" and {} more", names.size() - kShown);
}

std::string joined(const Json& names) {
  std::string text;
  for (const Json& name : names) text += (text.empty() ? "" : " ") + name.get<std::string>();
  return text;
}

// A family a paragraph: what it is, how it is spelled, from how many bits to how many, who holds
// it.
std::string grids_text() {
  const Rows all = list_grids();
  std::string text;
  std::size_t at = 0;
  for (const GridFamily* family : grid_families()) {
    double least = 1e9;
    double most = 0;
    std::map<std::string, std::vector<std::string>> held;  // grids by their containers
    std::vector<std::string> order;
    for (std::size_t n = family->examples().size(); n > 0; --n, ++at) {
      const auto bits = all[at]["bits_per_weight"].get<double>();
      least = std::min(least, bits);
      most = std::max(most, bits);
      const std::string containers = joined(all[at]["containers"]);
      if (held[containers].empty()) order.push_back(containers);
      held[containers].push_back(all[at]["name"].get<std::string>());
    }
    text += fmt::format("{}\n  {}; {:.4g} to {:.4g} bits\n", family->spelling, family->summary,
                        least, most);
    for (const std::string& containers : order) {
      const std::string who = containers.empty() ? "no container writes it" : containers;
      text += fmt::format("  [{}]  {}\n", who, some_of(held[containers]));
    }
  }
  return text + "each with its bits: zeropoint list grids --verbose\n";
}

// The grids that containers write, each once, with those that do.
struct WrittenGrid {
  std::unique_ptr<Grid> grid;
  std::vector<std::string> containers = {};
};

class WrittenGrids {
 public:
  WrittenGrids() {
    for (const Container* c : zp::containers()) {
      for (const std::string_view type : {"fp32", "fp16", "bf16"}) {
        if (find_mixture(c->mixtures(), c->default_grid()) == nullptr)
          add(*c, c->default_grid(), type);
        for (const std::string_view spec : c->budget_grids()) add(*c, spec, type);
      }
      for (const GridFamily* family : grid_families()) {
        for (const std::string& spec : family->examples()) {
          if (make_grid(spec)->affine() == nullptr) add(*c, spec, "fp32");
        }
      }
    }
  }
  const std::vector<WrittenGrid>& all() const { return all_; }

 private:
  // As the container spells it of weights of that type.
  void add(const Container& container, std::string_view spec, std::string_view type) {
    auto grid = make_grid(spec, container.affine_defaults(type));
    if (grid->family() == Family::floating || !container.accepts(*grid, some_matrix()).possible)
      return;
    auto there = std::ranges::find_if(
        all_, [&](const WrittenGrid& w) { return w.grid->spec() == grid->spec(); });
    if (there == all_.end()) there = all_.insert(all_.end(), WrittenGrid{std::move(grid)});
    const std::string name(container.name());
    if (std::ranges::find(there->containers, name) == there->containers.end())
      there->containers.push_back(name);
  }

  std::vector<WrittenGrid> all_;
};

Rows list_bridges() {
  const WrittenGrids written;
  Rows rows = Json::array();
  for (const WrittenGrid& from : written.all()) {
    Json bridges = Json::array();
    for (const WrittenGrid& to : written.all()) {
      const Bridge found = bridge(*from.grid, *to.grid);
      if (!found.possible) continue;
      bridges.push_back(
          {{"grid", to.grid->spec()}, {"containers", to.containers}, {"where", found.where}});
    }
    rows.push_back({{"name", from.grid->spec()},
                    {"summary", "held by"},
                    {"containers", from.containers},
                    {"bridges", std::move(bridges)}});
  }
  return rows;
}

// A grid a paragraph: who writes it, and which others hold its values.
std::string bridges_text() {
  std::string text;
  for (const Json& row : list_bridges()) {
    std::map<std::string, std::string> held;  // by what it takes
    for (const Json& b : row["bridges"]) {
      if (b["grid"] != row["name"])
        held[b["where"].get<std::string>()] += " " + b["grid"].get<std::string>();
    }
    text += fmt::format("{}  [{}]\n", row["name"].get<std::string>(), joined(row["containers"]));
    if (held.empty()) text += "  held by itself alone\n";
    for (const auto& [where, grids] : held)
      text += fmt::format("  {}:{}\n", where.empty() ? "held by" : "where " + where, grids);
  }
  return text +
         "what is held goes over exactly; so do float weights that lie on the grid asked for\n";
}

// Data types have a table of their own shape.
Rows list_dtypes() { return to_json(dtype_rows()); }
std::string dtypes_text() { return to_text(dtype_rows()); }

struct Listing {
  std::string_view name;
  Rows (*rows)();
  std::string (*text)() = nullptr;  ///< nullptr: one line for each row
  bool verbose_rows = false;        ///< with --verbose rows, too
};
constexpr std::array kListings = {
    Listing{"dtypes", list_dtypes, dtypes_text},
    Listing{"grids", list_grids, grids_text, true},
    Listing{"bridges", list_bridges, bridges_text},
    Listing{"mixtures", list_mixtures},
    Listing{"methods", list_methods},
    Listing{"rewrites", list_rewrites},
    Listing{"containers", list_containers},
    Listing{"sources", list_sources},
    Listing{"architectures", list_architectures},
    Listing{"observers", list_observers},
    Listing{"roles", list_roles, roles_text},
    Listing{"judges", list_judges},
    Listing{"instruction-sets", list_instruction_sets},
};

void print_rows(const Rows& rows) {
  for (const Json& row : rows) {
    fmt::print("{:<26}", row["name"].get<std::string>());
    if (row.contains("bits_per_weight"))
      fmt::print(" {:7.4f} bits", row["bits_per_weight"].get<double>());
    fmt::print("  {}", row["summary"].get<std::string>());
    if (row.contains("containers")) {
      const std::string held = joined(row["containers"]);
      fmt::print("  [{}]", held.empty() ? "no container writes it" : held);
    }
    if (row.contains("default_grid"))
      fmt::print("  (default {})", row["default_grid"].get<std::string>());
    if (row.contains("options")) {
      for (const Json& option : row["options"])
        fmt::print("\n{:<28}{}", "", option.get<std::string>());
    }
    fmt::print("\n");
  }
}

int list(const std::string& what, const Common& common) {
  std::vector<const Listing*> all;
  for (const Listing& listing : kListings) all.push_back(&listing);
  const Listing& listing = find_named(all, &Listing::name, what, "list", "list");
  if (common.json) {
    print_json(listing.rows());
  } else if (listing.text != nullptr && !(listing.verbose_rows && common.verbose)) {
    fmt::print("{}", listing.text());
  } else {
    print_rows(listing.rows());
  }
  return 0;
}

}  // namespace

void add_list(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(app, common, "list", "Show what there is", kExamples);
  auto what = std::make_shared<std::string>();
  std::string names;
  for (const Listing& listing : kListings)
    names += (names.empty() ? "" : ", ") + std::string(listing.name);
  sub.add_option("WHAT", *what, names).required();
  sub.callback([what, &common, &run] { run = [what, &common] { return list(*what, common); }; });
}

}  // namespace zp::cli
