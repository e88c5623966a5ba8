// JSON, and config.json of every architecture: accepted text must read back equal.
#include <cstdlib>

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"

namespace {

template <class Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const zp::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const std::string_view text(reinterpret_cast<const char*>(data), bytes);
  attempt([&] {
    const zp::Json json = zp::parse_json(text, "input");
    if (zp::parse_json(json.dump(), "copy") != json) std::abort();
    attempt([&] { zp::find_architecture(json, "input"); });
    for (const zp::Architecture* architecture : zp::architectures()) {
      attempt([&] { architecture->read_config(json, "input"); });
    }
  });
  return 0;
}
