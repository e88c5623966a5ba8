"""Quantized mixtures of experts, as their runtimes read them: experts' matrices lie one behind the other in one tensor.

    python experts_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

mlx-lm computes what the engine computes from the same folder, within the engine's bound (engine_test.py). llama.cpp rounds
activations to 8 bits, so of GGUF the weights are compared: what gguf decodes of each expert's slice is what is read back
here, to the bit; and llama.cpp runs the file. FP32 files are compared by their logits in architecture_test.py.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import gguf
    import mlx.core as mx
    import numpy as np
    import xllamacpp  # noqa: F401  (llama.py needs it)
    from mlx_lm.utils import load_model
    from safetensors.numpy import load_file
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from architecture_test import LLAMA_CPP_LEFT_OUT, MLX_LEFT_OUT
from consumer import PROGRAM
from engine_test import LOGITS, bound
from llama import Llama
from make_random_models import make_random_model
from random_models import MODELS

NAMES = [name for name, (config, _) in MODELS.items() if "num_experts_per_tok" in config]
ROLES = {"gate": ["gate_proj", "w1"], "up": ["up_proj", "w3"], "down": ["down_proj", "w2"]}
IDS = list(range(40, 60))


def quantize(model, target, path):
    run = subprocess.run([PROGRAM, "quantize", model, "--to", f"{target}={path}", "--json"], capture_output=True, text=True)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    return json.loads(run.stdout)


class ExpertsTest(unittest.TestCase):
    def test_mlx_lm(self):
        for name in NAMES:
            if name in MLX_LEFT_OUT:
                continue
            for grid in ("int4:g32", "int3:g32", "mxfp4"):
                with self.subTest(model=name, grid=grid), tempfile.TemporaryDirectory() as folder:
                    folder = pathlib.Path(folder)
                    model = make_random_model(folder / name, name)
                    quantize(model, f"mlx:{grid}", folder / "mlx")
                    run = subprocess.run([LOGITS, folder / "mlx"], input=" ".join(map(str, IDS)).encode(), capture_output=True)
                    self.assertEqual(run.returncode, 0, run.stderr)
                    own = np.frombuffer(run.stdout, np.float32).reshape(len(IDS), -1)
                    rows = np.array(load_model(folder / "mlx")[0](mx.array([IDS]))[0])
                    off, limit = np.abs(own - rows).max(), bound(folder / "mlx", len(IDS), np.abs(rows).max())
                    print(f"{name:24} mlx:{grid:10} largest difference {off:.2e}, bound {limit:.2e}")
                    self.assertLess(off, limit)

    def test_llama_cpp(self):
        for name in NAMES:
            if name in LLAMA_CPP_LEFT_OUT:
                continue
            for grid in ("q4_0", "q8_0", "iq4_nl", "mxfp4"):
                with self.subTest(model=name, grid=grid), tempfile.TemporaryDirectory() as folder:
                    folder = pathlib.Path(folder)
                    model = make_random_model(folder / name, name)
                    quantize(model, f"gguf:{grid}", folder / "model.gguf")
                    quantize(folder / "model.gguf", "hf:fp32", folder / "decoded")
                    self.check_slices(folder / "model.gguf", load_file(folder / "decoded/model.safetensors"))
                    scored = Llama(folder / "model.gguf", context=128).go_on_scored(IDS, 5)
                    self.assertTrue(all(np.isfinite(found) for _, found in scored))

    def check_slices(self, path, decoded):
        """decoded: of our own, an expert a tensor."""
        compared = 0
        for tensor in gguf.GGUFReader(path).tensors:
            if "_exps" not in tensor.name or not tensor.name.endswith(".weight"):
                continue
            layer = tensor.name.split(".")[1]
            role = tensor.name.split("ffn_")[1].split("_exps")[0]
            for expert, theirs in enumerate(gguf.quants.dequantize(tensor.data, tensor.tensor_type)):
                ours = [
                    values
                    for key, values in decoded.items()
                    if f"layers.{layer}." in key and f".experts.{expert}." in key and key.split(".")[-2] in ROLES[role]
                ]
                self.assertEqual(len(ours), 1, f"{tensor.name}, expert {expert}")
                self.assertTrue(np.array_equal(ours[0], theirs.reshape(ours[0].shape)), f"{tensor.name}, expert {expert}")
                compared += 1
        self.assertGreater(compared, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
