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
from make_random_models import make_random_model, random_weights
from random_models import MODELS, save_model
from safetensors_file import write_tensors

NAMES = [name for name, (config, _) in MODELS.items() if "num_experts_per_tok" in config and config.get("num_local_experts") != 0]
ROLES = {"gate": ["gate_proj", "w1"], "up": ["up_proj", "w3"], "down": ["down_proj", "w2"]}
IDS = list(range(40, 60))


def quantize(model, target, path):
    run = subprocess.run([PROGRAM, "quantize", model, "--to", f"{target}={path}", "--json"], capture_output=True, text=True)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    return json.loads(run.stdout)


def single_experts(tensors, turned=True):
    """Names and values, an expert a tensor: those of gpt-oss stand in one, transposed, gate and up in turns, others' as they are."""
    for key, values in tensors.items():
        if not key.endswith((".experts.gate_up_proj", ".experts.down_proj")):
            yield key, values
            continue
        at, role = key.rsplit(".", 1)
        for expert, matrix in enumerate(values.transpose(0, 2, 1) if turned else values):
            half = len(matrix) // 2
            if role == "down_proj":
                yield f"{at}.{expert}.down_proj.weight", matrix
            else:
                yield f"{at}.{expert}.gate_proj.weight", matrix[::2] if turned else matrix[:half]
                yield f"{at}.{expert}.up_proj.weight", matrix[1::2] if turned else matrix[half:]


def make_mxfp4_model(folder):
    """gpt-oss as it is published, its experts random codes under random scales. Returns the folder and these, decoded."""
    config, seed = MODELS["gpt_oss"]
    tensors = random_weights(config, seed)
    random = np.random.Generator(np.random.PCG64(6))
    values = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
    decoded = {}
    for name in [name for name in tensors if name.endswith(("gate_up_proj", "down_proj"))]:
        experts, cols, rows = tensors.pop(name).shape
        blocks = random.integers(0, 256, (experts, rows, cols // 32, 16), np.uint8)
        scales = random.integers(118, 124, (experts, rows, cols // 32), np.uint8)
        tensors |= {name + "_blocks": blocks, name + "_scales": scales}
        codes = np.stack([values[blocks & 15], values[blocks >> 4]], axis=-1).reshape(*scales.shape, 32)
        whole = np.ldexp(codes, scales[..., None].astype(int) - 127).reshape(experts, rows, cols)
        decoded |= dict(single_experts({name: whole.transpose(0, 2, 1)}))
    quantized = {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]}
    save_model(folder, {**config, "quantization_config": quantized}, {})
    kinds = {"uint8": "U8", "float32": "F32"}
    write_tensors(
        folder / "model.safetensors", {name: (kinds[str(t.dtype)], t.shape, t.tobytes()) for name, t in tensors.items()}
    )
    return folder, decoded


class Mxfp4Test(unittest.TestCase):
    """What is published in MXFP4 has the same values in every container that holds them, whatever the method."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.model, self.decoded = make_mxfp4_model(self.folder / "model")

    def tearDown(self):
        self.temporary.cleanup()

    def check(self, found):
        self.assertEqual(found.keys(), self.decoded.keys())
        for name, values in found.items():
            self.assertTrue(np.array_equal(values, self.decoded[name]), name)

    def written(self, target, path, *options):
        command = [PROGRAM, "quantize", self.model, "--to", f"{target}={path}", "--json", *options]
        run = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def test_gguf(self):
        text = self.folder / "text.txt"
        text.write_text("the sea and the old man by the sea " * 60)
        for options in ([], ["--method", "hqq"], ["--calibrate", text, "--tokens", "1024", "--context", "64"]):
            with self.subTest(options=options):
                path = self.folder / "model.gguf"
                self.written("gguf:mxfp4", path, "--force", *options)
                found = {}
                for tensor in gguf.GGUFReader(path).tensors:
                    if "_exps.weight" in tensor.name:
                        self.assertEqual(tensor.tensor_type.name, "MXFP4")
                        layer, role = tensor.name.split(".")[1], tensor.name.split("ffn_")[1].split("_exps")[0]
                        for expert, values in enumerate(gguf.quants.dequantize(tensor.data, tensor.tensor_type)):
                            found[f"model.layers.{layer}.mlp.experts.{expert}.{role}_proj.weight"] = values
                self.check(found)

    def test_mlx(self):
        self.written("mlx:mxfp4", self.folder / "mlx")
        stored, found = mx.load(str(self.folder / "mlx/model.safetensors")), {}
        for name in [name for name in stored if ".experts." in name and name.endswith(".scales")]:
            at, role = name[: -len(".scales")].rsplit(".", 1)
            whole = mx.dequantize(stored[f"{at}.{role}.weight"], stored[name], group_size=32, bits=4, mode="mxfp4")
            for expert, values in enumerate(np.array(whole.astype(mx.float32))):
                found[f"{at}.{expert}.{role}.weight"] = values
        self.check(found)
        load_model(self.folder / "mlx")

    def test_hf(self):
        done = self.written("hf:fp32", self.folder / "hf")
        self.assertEqual(done["outputs"][0]["fidelity"], "exact")
        stored = load_file(self.folder / "hf/model.safetensors")
        self.check({name: values for name, values in single_experts(stored) if ".experts." in name and name.endswith(".weight")})
        self.assertNotIn("quantization_config", json.loads((self.folder / "hf/config.json").read_text()))


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
                    decoded = single_experts(load_file(folder / "decoded/model.safetensors"), name == "gpt_oss")
                    self.check_slices(folder / "model.gguf", dict(decoded))
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
