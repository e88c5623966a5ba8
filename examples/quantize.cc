// Quantizes a model, with progress; Ctrl-C stops it and leaves nothing half-written.
//
//     quantize MODEL TARGET [TEXT]        quantize models/demo gguf:q4_k_m=demo.gguf train.txt
#include <zeropoint/zeropoint.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>

namespace {

zeropoint::Cancellation cancellation;

// A line for each stage, drawn over itself. Threads come here side by side.
class Lines final : public zeropoint::Progress {
 public:
  ~Lines() override { std::fprintf(stderr, begun_ ? "\n" : ""); }

  void stage(std::string_view name, std::int64_t total, std::string_view unit) override {
    const std::lock_guard lock(mutex_);
    if (begun_) std::fprintf(stderr, "\n");
    begun_ = true;
    name_ = std::string(name);
    unit_ = std::string(unit);
    total_ = total;
    done_ = 0;
    draw();
  }

  void advance(std::int64_t units) override {
    const std::lock_guard lock(mutex_);
    done_ += units;
    draw();
  }

  void remark(std::string_view line) override {
    const std::lock_guard lock(mutex_);
    std::fprintf(stderr, "\n%.*s\n", static_cast<int>(line.size()), line.data());
  }

 private:
  void draw() const {
    std::fprintf(stderr, "\r%s: %lld of %lld %s", name_.c_str(), static_cast<long long>(done_),
                 static_cast<long long>(total_), unit_.c_str());
  }

  std::mutex mutex_;
  bool begun_ = false;
  std::string name_;
  std::string unit_;
  std::int64_t total_ = 0;
  std::int64_t done_ = 0;
};

int write(const zeropoint::QuantizeRequest& request) {
  Lines lines;
  const zeropoint::Quantization done = zeropoint::quantize(
      request, {.threads = 0, .progress = &lines, .cancellation = &cancellation});
  for (const zeropoint::QuantizedOutput& output : done.outputs) {
    std::printf("%s  %s:%s  %lld bytes  %.3f bits per weight  SQNR %.2f dB\n", output.path.c_str(),
                output.container.c_str(), output.grid.c_str(), static_cast<long long>(output.bytes),
                output.bits_per_weight, output.quality.sqnr_db.value_or(0));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "quantize MODEL TARGET [TEXT]\n");
    return 2;
  }
  std::signal(SIGINT, [](int) { cancellation.ask(); });
  zeropoint::QuantizeRequest request;
  request.model = argv[1];
  request.to = {argv[2]};
  if (argc > 3) request.calibrate = {argv[3]};
  try {
    return write(request);
  } catch (const zeropoint::Cancelled&) {
    std::fprintf(stderr, "interrupted; nothing was written\n");
    return 130;
  } catch (const zeropoint::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
