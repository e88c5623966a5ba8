// What a checkpoint holds beside its decoder of text: what sees or hears, adapters, layers that
// predict further tokens. Nothing of it is computed; a container may have a place for it as it is.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/architecture.h"

namespace zp {

struct BesideTensor {
  std::string_view what;  ///< "vision tower", "multi-token prediction"; constant data
  const Tensor* tensor = nullptr;
  bool further = false;  ///< predicts further tokens
};

/// What may be copied to where a model of several parts is read. Borrowed.
struct Beside {
  std::vector<BesideTensor> tensors;
  /// config.json of all parts together; nullptr: the decoder has no other than its own.
  const Json* config = nullptr;
  /// What the decoder's tensors are called beside the others, by Hugging Face's names of the decoder
  /// alone; the same where it isn't there.
  const std::map<std::string, std::string>* names = nullptr;

  const std::string& name(const std::string& alone) const;
};

/// What belongs together.
struct BesideCount {
  std::string_view what;
  std::int64_t tensors = 0;
  std::int64_t parameters = 0;
  std::int64_t bytes = 0;
};

/// What a checkpoint's tensor of that name is for, if it stands beside the decoder; else empty.
std::string_view beside_what(const Architecture& architecture, const Decoder& decoder, World world,
                             const std::string& name);
/// Those of a checkpoint.
std::vector<BesideTensor> beside_decoder(const Architecture& architecture, const Decoder& decoder,
                                         std::span<const Tensor> tensors, World world);

/// By the alphabet. Throws Error for shapes beyond all counting.
std::vector<BesideCount> count_beside(std::span<const BesideTensor> tensors);
/// "projector (4 tensors, 1,234 parameters, 2.47 kB); vision tower (...)".
std::string beside_words(std::span<const BesideCount> counts);

}  // namespace zp
