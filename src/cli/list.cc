// zeropoint list: what there is, read from the registries.
#include <fmt/format.h>

#include <array>

#include "base/cpu.h"
#include "cli/command.h"
#include "container/container.h"
#include "grid/grid.h"
#include "method/method.h"
#include "method/rewrite.h"
#include "model/architecture.h"
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
  matrix.role = Role::up;
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

Rows list_methods() {
  Rows rows = Json::array();
  for (const Method* m : methods()) rows.push_back({{"name", m->name}, {"summary", m->summary}});
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
  for (const Rewrite* r : rewrites()) rows.push_back({{"name", r->name}, {"summary", r->summary}});
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

// What later versions add is listed as empty, so that scripts can ask.
Rows none() { return Json::array(); }

// Data types have a table of their own shape.
Rows list_dtypes() { return to_json(dtype_rows()); }
std::string dtypes_text() { return to_text(dtype_rows()); }

struct Listing {
  std::string_view name;
  Rows (*rows)();
  std::string (*text)() = nullptr;  ///< nullptr: one line for each row
};
constexpr std::array kListings = {
    Listing{"dtypes", list_dtypes, dtypes_text},
    Listing{"grids", list_grids},
    Listing{"mixtures", list_mixtures},
    Listing{"methods", list_methods},
    Listing{"rewrites", list_rewrites},
    Listing{"containers", list_containers},
    Listing{"sources", list_sources},
    Listing{"architectures", list_architectures},
    Listing{"observers", list_observers},
    Listing{"judges", none},
    Listing{"instruction-sets", list_instruction_sets},
};

void print_rows(const Rows& rows) {
  if (rows.empty()) fmt::print("none yet\n");
  for (const Json& row : rows) {
    fmt::print("{:<26}", row["name"].get<std::string>());
    if (row.contains("bits_per_weight"))
      fmt::print(" {:7.4f} bits", row["bits_per_weight"].get<double>());
    fmt::print("  {}", row["summary"].get<std::string>());
    if (row.contains("containers")) {
      std::string held;
      for (const Json& c : row["containers"])
        held += (held.empty() ? "" : " ") + c.get<std::string>();
      fmt::print("  [{}]", held);
    }
    if (row.contains("default_grid"))
      fmt::print("  (default {})", row["default_grid"].get<std::string>());
    fmt::print("\n");
  }
}

int list(const std::string& what, const Common& common) {
  for (const Listing& listing : kListings) {
    if (listing.name != what) continue;
    if (common.json) {
      print_json(listing.rows());
    } else if (listing.text != nullptr) {
      fmt::print("{}", listing.text());
    } else {
      print_rows(listing.rows());
    }
  }
  return 0;
}

}  // namespace

void add_list(CLI::App& app, Common& common, std::function<int()>& run) {
  CLI::App* sub = add_subcommand(app, common, "list", "Show what there is", kExamples);
  auto what = std::make_shared<std::string>();
  std::vector<std::string> names;
  for (const Listing& listing : kListings) names.emplace_back(listing.name);
  sub->add_option("WHAT", *what, "What to list")->required()->check(CLI::IsMember(names));
  sub->callback([what, &common, &run] { run = [what, &common] { return list(*what, common); }; });
}

}  // namespace zp::cli
