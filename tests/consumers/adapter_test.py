"""Adapters that tune writes, beside peft and llama.cpp: what both make of the model and the adapter are the same matrices,
and llama.cpp says of the model and the adapter what it says of the model with the adapter in its matrices.

    python adapter_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import xllamacpp  # noqa: F401  (llama.py needs it)
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import HERE, PROGRAM, SOURCE, quantize
from llama import Llama
from make_random_models import make_random_model

sys.path.insert(0, str(HERE.parent))
from safetensors_file import read_tensors

ORACLES = os.environ.get("ZEROPOINT_ORACLES")
DEMO = SOURCE / "models/demo"
RANK, ALPHA = 4, 6


def matrices(path):
    return {name: np.frombuffer(data, np.float32).reshape(shape) for name, (_, shape, data) in read_tensors(path).items()}


class AdapterTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def tune(self, model, adapter):
        text = self.folder / "text.txt"
        text.write_text((DEMO / "heldout.txt").read_text()[:1500])
        options = ["--rank", RANK, "--alpha", ALPHA, "--rate", 0.01, "--max-tokens", 32, "--passes", 2, "--quiet"]
        command = [PROGRAM, "tune", model, "--data", text, "-o", adapter, *options]
        subprocess.run([*map(str, command)], check=True)

    def tuned(self, model):
        """The adapter's folder, and the model's matrices in FP32 without and with it."""
        adapter = self.folder / "adapter"
        self.tune(model, adapter)
        plain, merged = self.folder / "plain", self.folder / "merged"
        quantize(model, {plain: "hf:fp32"})
        quantize(model, {merged: "hf:fp32"}, "--adapter", adapter)
        return adapter, matrices(plain / "model.safetensors"), matrices(merged / "model.safetensors")

    def check_merged(self, adapter, plain, merged):
        stored = matrices(adapter / "adapter_model.safetensors")
        transposed = json.loads((adapter / "adapter_config.json").read_text())["fan_in_fan_out"]
        changed = 0
        for name, w in plain.items():
            module = f"base_model.model.{name.removesuffix('.weight')}"
            if f"{module}.lora_A.weight" not in stored:
                np.testing.assert_array_equal(merged[name], w, name)
                continue
            changed += 1
            a, b = (stored[f"{module}.lora_{x}.weight"].astype(np.float64) for x in "AB")
            added, magnitude = ALPHA / RANK * (b @ a), ALPHA / RANK * (np.abs(b) @ np.abs(a))
            if transposed:
                added, magnitude = added.T, magnitude.T
            exact = w + added
            # Up to RANK roundings in the sum, that of the product with alpha / r, which FP32 holds, and of the sum with the weight.
            bound = 2**-24 * ((RANK + 2) * magnitude + np.abs(exact)) * (1 + 2**-20)
            self.assertTrue(np.all(np.abs(merged[name] - exact) <= bound), name)
            self.assertGreater(np.abs(added).max(), 100 * bound.max(), name)
        self.assertEqual(2 * changed, len(stored))
        return changed

    def test_merged_matrices_are_numpys(self):
        self.assertEqual(self.check_merged(*self.tuned(DEMO)), 28)

    def test_merged_matrices_of_transposed_weights_are_numpys(self):
        self.assertGreater(self.check_merged(*self.tuned(make_random_model(self.folder / "gpt2", "gpt2"))), 3)

    def test_llama_cpp_takes_the_file(self):
        prompt, steps = list(range(40, 72)), 8
        for name in ("llama", "qwen2", "phi3", "gpt2"):
            model = make_random_model(self.folder / name, name)
            adapter, plain, merged = (self.folder / f"{name}{end}" for end in ("_adapter.gguf", "_plain.gguf", "_merged.gguf"))
            self.tune(model, adapter)
            quantize(model, {plain: "gguf:fp32"})
            quantize(model, {merged: "gguf:fp32"}, "--adapter", adapter)
            without = Llama(plain).go_on_scored(prompt, steps)
            expected = Llama(merged).go_on_scored(prompt, steps)
            found = Llama(plain, adapter=adapter).go_on_scored(prompt, steps)
            self.assertEqual([id for id, _ in found], [id for id, _ in expected], name)
            far = max(abs(a - b) for (_, a), (_, b) in zip(without, expected))
            for (_, a), (_, b) in zip(found, expected):
                self.assertLess(abs(a - b), 0.01 * far, name)

    def test_merged_matrices_are_pefts(self):
        if not ORACLES:
            self.skipTest("ZEROPOINT_ORACLES names no Python with peft")
        adapter, plain, merged = self.tuned(DEMO)
        out = self.folder / "peft.safetensors"
        done = subprocess.run([ORACLES, HERE / "peft_merge.py", DEMO, adapter, out], capture_output=True, text=True)
        if done.returncode == 77:
            self.skipTest(done.stdout)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = matrices(out)
        for name, w in merged.items():
            # Both round the same sum, peft's in another order: each is within RANK + 2 roundings of what is exact.
            bound = 2**-24 * 2 * (RANK + 3) * (np.abs(w) + np.abs(w - plain[name]) + 2**-10)
            self.assertTrue(np.all(np.abs(found[name] - w) <= bound), name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
