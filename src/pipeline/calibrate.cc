#include "pipeline/calibrate.h"

#include <chrono>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/memory.h"
#include "calibrate/stored_statistics.h"
#include "calibrate/windows.h"
#include "pipeline/expected_work.h"
#include "pipeline/plan.h"

namespace zp {
namespace {

bool is_imatrix(const std::string& path) { return path.ends_with(".imatrix.gguf"); }

std::int64_t write(const CalibrateRequest& request, const Model& model, Calibration& calibration,
                   Progress& progress) {
  if (!is_imatrix(request.output))
    return write_statistics(model, calibration, request.output, request.force, progress);
  const std::vector<std::byte> bytes =
      write_imatrix(make_imatrix(model, calibration, request.texts, progress));
  AtomicFile file(request.output, std::ssize(bytes), request.force);
  file.write_at(0, bytes);
  file.commit();
  return std::ssize(bytes);
}

void check_memory(const Calibration& calibration, std::int64_t memory) {
  if (calibration.bytes() <= memory) return;
  throw Error(
      "calibrate", "statistics of one layer do not fit the memory budget",
      "`memory` of at least " + std::to_string(calibration.bytes()) + " bytes, or fewer `tokens`",
      std::to_string(memory));
}

// What a token's statistics take is about what it takes to write one.
std::vector<Work> expected(const Model& model, const Calibration& calibration,
                           std::int64_t own_tokens, int threads) {
  const double token = own_text_seconds(model, 1, threads);
  const auto stages = static_cast<double>(calibration.stages());
  return {{"own text", static_cast<double>(own_tokens), token},
          {"calibrate", static_cast<double>(calibration.tokens()) * stages, token / stages}};
}

}  // namespace

CalibrateOutcome calibrate(const CalibrateRequest& request, const Team& team, Progress& progress) {
  const std::int64_t memory = request.memory.value_or(machine_memory_bytes() / 4);
  check_output_path(request.output, request.force);
  CalibrationText text({"`text`",
                        request.texts,
                        request.tokens,
                        request.context,
                        request.save_text,
                        {},
                        request.force});
  const std::unique_ptr<LoadedModel> loaded = load_model(request.model, progress);
  UnreadRemarks remarks;
  text.read(*loaded, request.model, remarks, progress);
  CalibrationOptions options;
  options.feedback = !is_imatrix(request.output);
  options.ranges = options.feedback;
  options.method.upstream = false;
  options.memory_bytes = memory;
  Windows windows;
  const auto over_windows = [&] {
    windows = text.windows();
    Windows seen = windows;
    hold_out(seen);  // as quantize does: the same statistics
    return std::make_unique<Calibration>(loaded->model, std::move(seen), options, team);
  };
  std::unique_ptr<Calibration> calibration = over_windows();
  check_memory(*calibration, memory);
  say_beyond_context(loaded->model.decoder, request.context, "windows", progress);
  progress.expect(expected(loaded->model, *calibration, text.own_tokens(), team.threads()));
  if (text.is_missing()) {
    text.write(memory, team, progress);
    calibration = over_windows();
  }
  const auto begin = std::chrono::steady_clock::now();
  CalibrateOutcome out;
  out.bytes = write(request, loaded->model, *calibration, progress);
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  out.layers = loaded->model.decoder.layers;
  out.tokens = calibration->tokens();
  out.own_text = text.own(memory, team.threads());
  out.text = text.reading(windows, calibration->text_loss());
  return out;
}

}  // namespace zp
