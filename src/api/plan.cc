#include "zeropoint/plan.h"

#include "api/beside.h"
#include "api/translated.h"
#include "base/progress.h"
#include "base/size.h"
#include "pipeline/plan_sizes.h"

namespace zeropoint {
namespace {

std::vector<PlannedSize> sizes_of(const std::vector<zp::SizeRow>& rows) {
  std::vector<PlannedSize> out;
  for (const zp::SizeRow& r : rows) out.push_back({r.name, r.bits_per_weight, r.bytes, r.fits});
  return out;
}

}  // namespace

std::vector<Beside> beside_of(const std::vector<zp::BesideCount>& counts) {
  std::vector<Beside> out;
  for (const zp::BesideCount& c : counts)
    out.push_back({std::string(c.what), c.tensors, c.parameters, c.bytes});
  return out;
}

Plan plan(const PlanRequest& request) {
  return translated([&] {
    zp::Silent silent;
    const zp::PlanOutcome found = zp::plan_sizes(
        {request.model, request.parameters, request.to, request.fit, request.context}, silent);
    return Plan{found.parameters,        found.active_parameters,
                beside_of(found.beside), sizes_of(found.by_dtype),
                sizes_of(found.outputs), found.memory_bytes,
                found.kv_cache_bytes,    found.context};
  });
}

std::int64_t parse_size(std::string_view text, std::string_view field) {
  return translated([&] { return zp::parse_size(std::string(text), std::string(field)); });
}

std::int64_t parse_parameters(std::string_view text) {
  return translated([&] { return zp::parse_parameters(std::string(text)); });
}

}  // namespace zeropoint
