"""What stands beside a decoder of text: towers, projectors and layers of multi-token prediction travel into Hugging Face folders
as they are, towers and projectors into MLX folders, and adapters go into the weights where --merge names one.

Where ZEROPOINT_ORACLES names a Python with torch, transformers' own classes of whole models read the folders and compute the same
of text, and of an image, as of the sources, and mlx-lm computes what they do of text.

    python beside_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

try:
    import mlx.core as mx
    import numpy as np
    from mlx_lm.utils import load_model
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import HERE, PROGRAM, quantize
from engine_test import bound
from make_random_models import make_random_model

sys.path.insert(0, str(HERE.parent))
from adapted_model import ADAPTED, ALPHAS, RANKS, save_adapted_model
from safetensors_file import read_tensors, write_tensors

mx.set_default_device(mx.cpu)
ORACLES = os.environ.get("ZEROPOINT_ORACLES")


# Whose parts mlx-lm has a module for.
IN_MLX = ["gemma3", "mistral3_ministral3", "mistral3_mistral", "mistral3_tied", "qwen3_5", "qwen3_5_moe"]


def tensors(folder):
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        found |= read_tensors(path)
    return found


def name_in_mlx(key):
    """What mlx-vlm's modules call a tower's tensor."""
    key = key.removeprefix("model.")
    key = re.sub("^visual[.]", "vision_tower.", key)
    return re.sub("^vision_tower[.](?=embeddings|encoder|post_layernorm)", "vision_tower.vision_model.", key)


def said(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def matrices(folder):
    return {name: np.frombuffer(data, np.float32).reshape(shape) for name, (_, shape, data) in tensors(folder).items()}


class BesideTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    @unittest.skipUnless(ORACLES, "ZEROPOINT_ORACLES names no Python with torch and transformers")
    def test_transformers_reads_the_whole_of_what_was_written(self):
        made = self.folder / "made"
        subprocess.run([ORACLES, HERE / "make_text_parts.py", made], check=True, stderr=subprocess.DEVNULL)
        sources = sorted(path.parent for path in made.glob("*/config.json"))
        written = [self.folder / source.name for source in sources]
        for source, path in zip(sources, written, strict=True):
            quantize(source, {path: "hf:fp32"})
            self.assertEqual(tensors(path), tensors(source), source.name)
        out = self.folder / "logits.npz"
        subprocess.run([ORACLES, HERE / "compute_whole.py", out, *sources, *written], check=True, stderr=subprocess.DEVNULL)
        logits = np.load(out)
        compared = [key for key in logits if int(key.split()[0]) < len(sources)]
        self.assertIn("image", " ".join(compared))
        for key in compared:
            number, *image = key.split()
            same = " ".join([str(int(number) + len(sources)), *image])
            np.testing.assert_array_equal(logits[same], logits[key], f"{sources[int(number)].name} {image}")
        print(f"{len(compared)} answers of {len(sources)} models of several parts")

    @unittest.skipUnless(ORACLES, "ZEROPOINT_ORACLES names no Python with torch and transformers")
    def test_towers_travel_into_folders_that_mlx_lm_reads(self):
        made = self.folder / "made"
        subprocess.run([ORACLES, HERE / "make_text_parts.py", made], check=True, stderr=subprocess.DEVNULL)
        expected = np.load(made / "logits.npz")
        for name in IN_MLX:
            source, written = made / name, self.folder / name
            others = {key: t for key, t in tensors(source).items() if re.search(r"\bvision_tower|\bvisual\b|projector", key)}
            self.assertTrue(others, name)
            done = said("quantize", source, "--to", f"mlx:fp32={written}", "--to", f"mlx:int4:g32={self.folder / (name + '-int4')}")
            self.assertIn("copied as it is: ", done.stdout + done.stderr)
            self.assertNotIn("left out", done.stdout + done.stderr)
            whole = json.loads((source / "config.json").read_text())
            for path in [written, self.folder / f"{name}-int4"]:
                found = tensors(path)
                kept = {key: t for key, t in found.items() if not key.startswith("language_model.")}
                self.assertEqual(kept, {name_in_mlx(key): t for key, t in others.items()}, name)
                config = json.loads((path / "config.json").read_text())
                self.assertEqual(config["vision_config"], whole["vision_config"])
                self.assertEqual(config["model_type"], whole["model_type"])
                self.assertEqual(config["text_config"]["model_type"], whole["text_config"]["model_type"])
            model, config = load_model(written)
            answer = np.array(model(mx.array([expected["ids"].tolist()]))[0])
            (self.folder / "config.json").write_text(json.dumps(config["text_config"]))
            limit = bound(self.folder, len(answer), np.abs(expected[name]).max())
            self.assertLess(np.abs(answer - expected[name]).max(), limit, name)
            quantized, _ = load_model(self.folder / f"{name}-int4")
            self.assertTrue(np.isfinite(np.array(quantized(mx.array([[5, 6, 7]])))).all())

    def test_what_predicts_further_tokens_travels_and_is_counted(self):
        source = make_random_model(self.folder / "source", "glm4_moe")
        own = tensors(source)
        last = json.loads((source / "config.json").read_text())["num_hidden_layers"]
        further = {name: t for name, t in own.items() if name.startswith(f"model.layers.{last}.")}
        self.assertTrue(further)
        parameters = sum(int(np.prod(shape)) for _, shape, _ in further.values())
        (counted,) = json.loads(said("plan", source, "--to", "hf:bf16", "--json").stdout)["beside"]
        expected = {"what": "multi-token prediction", "tensors": len(further), "parameters": parameters, "bytes": 4 * parameters}
        self.assertEqual(counted, expected)
        inspected = json.loads(said("inspect", source, "--json").stdout)
        self.assertEqual(inspected["beside"], [expected])
        self.assertIn(f"beside them: multi-token prediction ({len(further)} tensors", said("plan", source).stdout)
        written = self.folder / "hf"
        planned = said("quantize", source, "--to", f"hf:bf16={written}", "--dry-run")
        self.assertIn("copied as it is: multi-token prediction", planned.stdout + planned.stderr)
        (output,) = quantize(source, {written: "hf:bf16"}).values()
        self.assertEqual(output["bytes"], sum(path.stat().st_size for path in written.iterdir()))
        found = tensors(written)
        self.assertEqual(set(found), set(own))
        for name, t in further.items():
            self.assertEqual(found[name], t, name)
        self.assertEqual(json.loads((written / "config.json").read_text())["num_nextn_predict_layers"], 1)
        for target in ["gguf:q8_0", "mlx:int4:g32"]:
            done = said("quantize", source, "--to", f"{target}={self.folder / target.replace(':', '-')}")
            self.assertIn("left out: multi-token prediction", done.stdout + done.stderr)

    def test_a_module_of_multi_token_prediction_travels_as_it_is(self):
        source = make_random_model(self.folder / "source", "qwen3")
        own = tensors(source) | {"mtp.fc.weight": ("BF16", [2, 3], bytes(range(12))), "mtp.ids": ("I64", [1], bytes(8))}
        write_tensors(source / "model.safetensors", own)
        quantize(source, {self.folder / "hf": "hf:fp32"})
        self.assertEqual(tensors(self.folder / "hf"), own)

    def test_merging_an_adapter_gives_what_numpy_gives(self):
        source = self.folder / "source"
        save_adapted_model(source)
        own = matrices(source)
        for adapter, rank in RANKS.items():
            written = self.folder / adapter
            quantize(source, {written: "hf:fp32"}, "--merge", adapter)
            found = matrices(written)
            merged = 0
            for name, w in found.items():
                path = name.removesuffix(".weight")
                if not path.endswith(ADAPTED):
                    np.testing.assert_array_equal(w, own[name], name)
                    continue
                merged += 1
                base, a, b = (own[f"{path}.{part}.weight"].astype(np.float64)
                              for part in ("base_layer", f"lora_A.{adapter}", f"lora_B.{adapter}"))  # fmt: skip
                scale = ALPHAS[adapter] / rank
                exact = base + scale * (b @ a)
                # Of each product up to rank roundings in its sum, then those of the product with alpha / r, which is rounded, too,
                # and of the sum with the weight. 2 covers what roundings do to each other.
                roundings = rank + 2
                bound = 2**-24 * (2 * roundings * scale * (np.abs(b) @ np.abs(a)) + np.abs(exact))
                self.assertTrue(np.all(np.abs(w - exact) <= bound), name)
                self.assertGreater(np.abs(exact - base).max(), 100 * bound.max(), "a merge that leaves the weight is found")
            self.assertEqual(merged, 8)
            self.assertEqual(json.loads((written / "config.json").read_text())["architectures"], ["Phi3ForCausalLM"])

    def test_an_adapter_that_is_not_merged_travels(self):
        source = self.folder / "source"
        save_adapted_model(source)
        quantize(source, {self.folder / "hf": "hf:fp32"})
        self.assertEqual(tensors(self.folder / "hf"), tensors(source))
        done = said("quantize", source, "--to", f"gguf:q8_0={self.folder / 'x.gguf'}")
        self.assertIn("left out: LoRA for images (16 tensors", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
