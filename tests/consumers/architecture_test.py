"""Every architecture, rope scaling and bias, as its runtimes compute it from our FP32 files.

Random models (random_models.py) go to GGUF and MLX; llama.cpp and mlx-lm then choose the same
tokens as transformers did, with the same probabilities. This is what shows that names, row orders,
transposes, rope tensors and metadata are right: any of them wrong moves the logits by far more.

    python architecture_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

What transformers says is stored (expected/architectures.json). Where ZEROPOINT_ORACLES names a Python
with torch and transformers it is computed afresh.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import mlx.core as mx
    import numpy as np
    import xllamacpp  # noqa: F401  (llama.py needs it)
    from mlx_lm.utils import load_model
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from llama import Llama
from make_random_models import make_random_model
from random_models import MODELS

HERE = pathlib.Path(__file__).resolve().parent
# What is stored has four decimals (5e-5). llama.cpp looks GELU up in a table of FP16 values besides, at
# arguments that differ in their last bits from transformers': each rounding may fall to either side, so
# twice what such roundings were measured to move.
TOLERANCE = 2e-4
LLAMA_CPP_LEFT_OUT = {
    "mistral_window": "llama.cpp's graph attends to everything",
    "mixtral_window": "the same",
    "phimoe": "said: its norms are RMS norms and its router a softmax",
    "phimoe_short": "the same",
    "phimoe_long": "the same",
    "lfm2_biases": "refused: llama.cpp's short convolutions have no biases",
    "qwen3_moe_mixed": "refused: llama.cpp's graph has experts in every layer",
    "qwen3_next_mixed": "refused: llama.cpp's graph has experts in every layer",
    "gpt_oss_ramp": "said: YaRN's ramp is at whole pairs of dimensions",
    "deepseek_v2": "refused: llama.cpp knows models whose queries come of the input by their 26 or 27 layers",
    "mistral4_dense": "the same",
    "deepseek_v2_groups": "refused: llama.cpp's graph has no biases",
    "granite_hybrid_experts": "refused: llama.cpp's time steps have no limits",
}
MLX_LEFT_OUT = {
    "phi3_short": "mlx-lm takes the long factors at every length",
    "phimoe_short": "the same",
    "gpt2_untied": "mlx-lm's GPT-2 is always tied",
    "gemma2": "mlx-lm's Gemma 2 attends to everything in every layer",
    "gemma2_scaled": "the same",
    "mistral_window": "mlx-lm's Mistral attends to everything",
    "mixtral_window": "so does its Mixtral",
    "gpt_oss_ramp": "said: YaRN's ramp is at whole pairs of dimensions",
    "granite_hybrid_experts": "refused: mlx-lm norms all heads at once",
    "falcon_h1_normed": "the same",
}


def expected_of_all():
    oracles = os.environ.get("ZEROPOINT_ORACLES")
    if not oracles:
        return json.loads((HERE / "expected/architectures.json").read_text())
    run = subprocess.run([oracles, HERE / "make_architecture_expected.py"], stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


def mlx_scored(folder, prompts):
    model, _ = load_model(folder)
    answers = []
    for prompt in prompts:
        logits = model(mx.array([prompt["ids"] + prompt["continuation"][:-1]]))[0, len(prompt["ids"]) - 1 :]
        logits = np.array(logits.astype(mx.float32)).astype(np.float64)
        best = logits.argmax(axis=1)
        rest = logits - logits.max(axis=1, keepdims=True)
        answers.append(list(zip(best.tolist(), (-np.log(np.exp(rest).sum(axis=1))).tolist())))
    return answers


class ArchitectureTest(unittest.TestCase):
    def check(self, answers, prompts, gelu_table=False):
        for prompt, scored in zip(prompts, answers):
            tolerance = TOLERANCE + 2 * prompt.get("fp16_gelu", 0) * gelu_table
            self.assertEqual([id for id, _ in scored], prompt["continuation"])
            off = max(abs(found - true) for (_, found), true in zip(scored, prompt["logprobs"]))
            self.assertLess(off, tolerance, "logarithms of probabilities")

    def quantize(self, model, target, path):
        command = [PROGRAM, "quantize", model, "--to", f"{target}={path}", "--quiet"]
        run = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_llama_cpp(self):
        for name, prompts in EXPECTED.items():
            if name in LLAMA_CPP_LEFT_OUT:
                continue
            with self.subTest(model=name), tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                model = make_random_model(folder / name, name)
                self.quantize(model, "gguf:fp32", folder / "model.gguf")
                llama = Llama(folder / "model.gguf", context=128)
                answers = [llama.go_on_scored(p["ids"], len(p["continuation"])) for p in prompts]
                self.check(answers, prompts, gelu_table=True)

    def test_mlx_lm(self):
        for name, prompts in EXPECTED.items():
            if name in MLX_LEFT_OUT:
                continue
            with self.subTest(model=name), tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                model = make_random_model(folder / name, name)
                self.quantize(model, "mlx:fp32", folder / "mlx")
                self.check(mlx_scored(folder / "mlx", prompts), prompts)


if __name__ == "__main__":
    PROGRAM = pathlib.Path(sys.argv[1]).resolve()
    EXPECTED = expected_of_all()
    assert EXPECTED.keys() == MODELS.keys(), "expected/architectures.json is of other models"
    unittest.main(argv=sys.argv[:1])
