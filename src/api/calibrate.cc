#include "zeropoint/calibrate.h"

#include "api/running.h"
#include "api/texts.h"
#include "api/translated.h"
#include "pipeline/calibrate.h"

namespace zeropoint {

std::optional<OwnText> own_text_of(const std::optional<zp::OwnTextOutcome>& own) {
  if (!own || !own->text) return std::nullopt;
  const zp::OwnText& text = *own->text;
  return OwnText{std::ssize(text.documents), text.conversations, text.tokens, own->seconds};
}

TextReading reading_of(const zp::TextReading& reading) {
  TextReading out;
  out.tokens = reading.files.tokens + reading.own.tokens;
  const std::int64_t bytes = reading.files.bytes + reading.own.bytes;
  if (out.tokens > 0)
    out.bytes_per_token = static_cast<double>(bytes) / static_cast<double>(out.tokens);
  if (reading.loss) {
    out.perplexity = reading.loss->perplexity();
    out.expected_perplexity = reading.loss->expected_perplexity();
  }
  out.is_foreign = reading.is_foreign();
  return out;
}

Calibration calibrate(const CalibrateRequest& request, const Work& work) {
  return translated([&] {
    Running running(work);
    zp::CalibrateRequest asked;
    asked.model = request.model;
    asked.texts = request.text;
    asked.output = request.output;
    asked.save_text = request.save_text;
    asked.tokens = request.tokens;
    asked.context = request.context;
    asked.memory = request.memory;
    asked.force = request.force;
    const zp::CalibrateOutcome done = zp::calibrate(asked, running.team(), running.progress());
    return Calibration{request.output,       done.layers,  done.tokens,
                       done.bytes,           done.seconds, own_text_of(done.own_text),
                       reading_of(done.text)};
  });
}

}  // namespace zeropoint
