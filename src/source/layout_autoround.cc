// AutoRound's folders, in other programs' layouts: "packing_format" (in older ones "backend") says in
// whose, "auto_round:auto_gptq", "auto_round:auto_awq" or "auto_round:llm_compressor". Source: auto-round,
// export_to_autoround/export.py.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json_fields.h"
#include "source/weight_layout.h"

namespace zp {

extern const WeightLayout layout_gptq;
extern const WeightLayout layout_awq;
extern const WeightLayout layout_compressed_tensors;

namespace {

// By what the name of a packing has in it.
struct Packing {
  std::string_view word;
  const WeightLayout& layout;
};
constexpr std::array kPackings = {
    Packing{"gptq", layout_gptq},
    Packing{"awq", layout_awq},
    Packing{"llm_compressor", layout_compressed_tensors},
};

bool recognizes(const Json& quantization) {
  const Json method = quantization.value("quant_method", Json());
  return method == Json("auto-round") || method == Json("intel/auto-round");
}

void join(Checkpoint& checkpoint, const Json& quantization, const std::string& where) {
  const JsonFields fields(quantization, where);
  const char* key = quantization.contains("packing_format") ? "packing_format" : "backend";
  const std::string stated = fields.text(key, "");
  const auto* packing = std::ranges::find_if(
      kPackings, [&](const Packing& p) { return stated.find(p.word) != std::string::npos; });
  if (packing == kPackings.end()) {
    throw Error(where + ": \"" + key + "\"", "not supported", "one of gptq, awq or llm_compressor",
                "\"" + printable(stated) + "\"");
  }
  packing->layout.join(checkpoint, quantization, where);
}

}  // namespace

extern const WeightLayout layout_autoround;
const WeightLayout layout_autoround = {recognizes, join};

}  // namespace zp
