// The main job: a model into files of other runtimes, and what was lost by it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/calibrate.h"
#include "zeropoint/evaluate.h"
#include "zeropoint/export.h"
#include "zeropoint/work.h"

namespace zeropoint {

/// Fields have the names of the command line's options; empty: not asked for.
struct QuantizeRequest {
  std::string model;             ///< a folder or a file of any kind that is read
  std::vector<std::string> to;   ///< CONTAINER[:GRID][=PATH], at least one
  std::string merge;             ///< an adapter that the model holds, into its weights
  std::string adapter;           ///< a folder of PEFT's layout or llama.cpp's GGUF, the same
  std::string method;            ///< NAME[:OPTION=VALUE,...]; empty: gptq with a text, else mse
  std::string rewrite;           ///< NAME[,NAME...], with a text
  std::uint64_t seed = 0;        ///< of a rotation's random signs
  std::vector<std::string> set;  ///< ROLE-OR-PATTERN=GRID, the first match wins
  std::vector<std::string> calibrate;          ///< files, or "own"; see CalibrateRequest
  std::string save_text;                       ///< keeps what the model wrote itself
  std::optional<std::int64_t> tokens = 16384;  ///< of the texts; nothing: 8 for each input of the
                                               ///< widest linear
  std::int64_t context = 512;                  ///< tokens of a window
  std::string statistics;                      ///< a file of calibrate(), or llama.cpp's imatrix
  std::string fit;                             ///< "4.5bpw" or "3.2GB": a grid for each tensor
  std::optional<double> max_kld;               ///< likewise: nats per token, at most
  std::string refine;                          ///< how layers are trained, with a text
  std::string distill;                         ///< what is trained of the outputs, with a text
  std::string resume;                          ///< a folder that keeps finished layers
  std::string judge;                           ///< a text to evaluate the results on
  bool accurate = false;  ///< runtimes shall compute what the weights say, and slower
  std::optional<std::int64_t>
      split_size;             ///< bytes of tensors in a file, at most; nothing: what is usual
  std::string pre_tokenizer;  ///< llama.cpp's name, where the tokenizer's is not known
  std::string report;         ///< an HTML page of what happened, written last
  std::optional<std::int64_t> memory;  ///< bytes; nothing: a quarter of the machine's
  bool dry_run = false;                ///< a plan comes back, and nothing is written
  bool force = false;                  ///< replaces what exists
};

/// Squared errors of linears' outputs on text that was held out of the calibration, and on the rest.
struct HeldOut {
  double times = 0;                ///< the one over the other, relative to the outputs
  double output_sqnr_db = 0;       ///< on what was held out
  double seen_output_sqnr_db = 0;  ///< on the rest
};

/// Signal over noise in dB: infinite where nothing was lost. Nothing: not known.
struct Quality {
  std::optional<double> sqnr_db;           ///< of the weights
  std::optional<double> output_sqnr_db;    ///< of what linears make of their inputs
  std::optional<double> weighted_sqnr_db;  ///< where only the inputs' mean squares are known
  std::optional<HeldOut> held_out;
};

struct QuantizedTensor {
  std::string name;                 ///< in the output
  std::string role;                 ///< as `set` has it; empty: made by the container
  std::int64_t expert = -1;         ///< -1: of none
  std::vector<std::int64_t> shape;  ///< [rows, columns], or [columns]
  std::string grid;                 ///< in full: "int4:g64:min:sbf16"
  std::int64_t bytes = 0;
  Quality quality;  ///< of a plan: not known
};

/// First match wins.
struct Rule {
  std::string roles;  ///< empty: everything else
  std::string grid;
  std::string why;
};

/// Tensors that could not take the grid that was asked for.
struct Fallback {
  std::int64_t tensors = 0;
  std::int64_t of = 0;  ///< tensors that were to be quantized
  double share = 0;     ///< of their weights, 0 to 1
  std::string why;
};

/// What was chosen under `fit` or `max_kld`. Divergences: means in nats per token.
struct Fit {
  struct Tensor {
    std::string name;  ///< as `set` has it: "layers.3.down"
    std::string role;
    std::string grid;
    double bits_per_weight = 0;
    double loss = 0;  ///< the divergence it alone is expected to cost
  };
  bool met = true;          ///< the limits are
  std::int64_t tokens = 0;  ///< of the text that losses were measured on
  double predicted_kl = 0;
  Estimate measured_kl;
  bool of_file = false;  ///< measured of the file; else with all weights coded by mse
  std::vector<Tensor> tensors;
};

/// Training of an output, and how far it is from its source on text held out: `refine` measures what leaves the last
/// layer (the mean over tokens of |difference|^2 / |source's|^2), `distill` answers (KL divergence, nats per token).
struct Trained {
  double before = 0;
  double after = 0;          ///< the same as before: nothing that was learned is better
  std::int64_t trained = 0;  ///< matrices
  std::int64_t left = 0;     ///< matrices that aren't stored by rows of their own
  double seconds = 0;
};

struct QuantizedOutput {
  std::string path;
  std::string container;
  std::string grid;  ///< what was asked for, in full
  std::string
      fidelity;  ///< exact, repacked (the same values in other bytes), quantized; of a plan: empty
  std::int64_t bytes = 0;  ///< of all its files
  double bits_per_weight = 0;
  bool exists = false;  ///< of a plan: something is at `path`
  Quality quality;
  std::vector<QuantizedTensor> tensors;
  std::vector<Rule> rules;  ///< that the container applied, behind `set`
  Fallback fallback;
  std::vector<std::string> notes;   ///< where a runtime computes otherwise, what was too small ...
  std::optional<Evaluation> judge;  ///< with `judge`
  std::optional<Fit> fit;           ///< with `fit` or `max_kld`
  std::optional<Trained> refine;
  std::optional<Trained> distill;
};

struct Rewritten {
  std::string name;
  std::int64_t possible = 0;  ///< inputs that can be scaled, or spaces that can be turned
  std::int64_t changed = 0;
  double loss = 1;  ///< outputs' error as a share of what it was
  std::vector<std::string> notes;
};

/// Wall time. read, calibrate, quantize and write are parts of one pass.
struct QuantizeSeconds {
  double load = 0, own_text = 0, fit = 0, rewrite = 0, read = 0, calibrate = 0, quantize = 0,
         write = 0, refine = 0, distill = 0, judge = 0, total = 0;
};

/// What came of it; of a dry run what is known before: exact sizes, grids, memory.
struct Quantization {
  bool dry_run = false;
  std::vector<QuantizedOutput> outputs;  ///< in the order of `to`
  std::int64_t parameters = 0;
  std::int64_t memory_bytes = 0;       ///< that it takes at most, beside the mapped input
  std::int64_t peak_memory_bytes = 0;  ///< that it took; 0: nothing ran
  QuantizeSeconds seconds;
  std::vector<std::string> notes;  ///< of how the model was read
  std::vector<Rewritten> rewrites;
  std::int64_t calibration_tokens = 0;
  std::optional<OwnText> own_text;
  std::optional<TextReading> text;  ///< how the model finds the calibration text
  bool met = true;                  ///< the limits of `fit` and `max_kld` are
};

/// All outputs appear together when they are complete, or none. The same request gives the same bytes
/// on every machine, with any number of threads. Throws UsageError for what can't be asked for, Error
/// for what files don't allow, Cancelled.
ZEROPOINT_API Quantization quantize(const QuantizeRequest& request, const Work& work = {});

}  // namespace zeropoint
