#include "zeropoint/inspect.h"

#include "api/beside.h"
#include "api/running.h"
#include "api/translated.h"
#include "pipeline/inspect.h"

namespace zeropoint {
namespace {

using Found = std::variant<Inspection, StatisticsInspection>;

struct Translate {
  Found operator()(const zp::Inspection& found) const {
    Inspection out;
    out.container = found.container;
    out.architecture = found.architecture;
    out.parameters = found.parameters;
    out.bits_per_weight = found.bits_per_weight;
    out.bytes = found.bytes;
    out.metadata = found.metadata.dump_repaired();
    for (const zp::InspectedTensor& t : found.tensors)
      out.tensors.push_back({t.name, t.role, t.shape, t.grid, t.bytes});
    out.beside = beside_of(found.beside);
    out.notes = found.notes;
    out.problems = found.problems;
    return out;
  }

  Found operator()(const zp::StatisticsInspection& found) const {
    StatisticsInspection out;
    out.tokens = found.tokens;
    out.context = found.context;
    out.bytes = found.bytes;
    for (const zp::InspectedInput& i : found.inputs) {
      InspectedInput& input = out.inputs.emplace_back(InspectedInput{i.layer,
                                                                     i.role,
                                                                     i.columns,
                                                                     i.rows,
                                                                     i.expert,
                                                                     i.tokens,
                                                                     i.range.lo,
                                                                     i.range.hi,
                                                                     i.outlier_columns,
                                                                     {}});
      for (const zp::ObservedRange& o : i.observed) {
        input.observed.push_back({o.observer, o.grid, o.range.lo, o.range.hi, o.params.scale,
                                  o.params.zero, o.mean_squared_error, o.sqnr_db});
      }
    }
    return out;
  }
};

}  // namespace

Found inspect(const InspectRequest& request, const Work& work) {
  return translated([&] {
    Running running(work);
    return std::visit(Translate(), zp::inspect({request.path, request.values}, running.team(),
                                               running.progress()));
  });
}

}  // namespace zeropoint
