"""Hugging Face folders as the safetensors package and transformers read them.

For every model: the tensors have the source's names and shapes; FP32 to FP16 and BF16 is rounded as
numpy rounds; what was BF16 comes back to the byte through FP32; configuration and tokenizer load.
Where ZEROPOINT_ORACLES names a Python with torch, transformers computes the same of the folder as
of the source.

    python hf_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import filecmp
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import safetensors
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import SOURCE, models, oracle, quantize

TORCH = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
WORDS = {"fp32": "F32", "fp16": "F16", "bf16": "BF16"}
COMPANIONS = [
    "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja",
]  # fmt: skip


def tensors(folder):
    """name -> (type, shape, bytes)"""
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        for name, t in safetensors.deserialize(path.read_bytes()):
            found[name] = (t["dtype"], tuple(t["shape"]), bytes(t["data"]))
    return found


def as_floats(dtype, data):
    if dtype == "BF16":
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, {"F32": np.float32, "F16": np.float16}[dtype]).astype(np.float32)


def rounded(values, grid):
    """Bytes of FP32 values in the grid's type, half to even."""
    if grid == "fp32":
        return values.tobytes()
    if grid == "fp16":
        return values.astype(np.float16).tobytes()
    bits = values.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16).tobytes()


# The new tokens of a chat's answer, as model.generate() ends it.
ANSWER = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
chat = [{"role": "user", "content": "What colour is the lantern of Sudar?"}]
ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
print(json.dumps(model.generate(**ids, max_new_tokens=60, do_sample=False)[0, ids["input_ids"].shape[1]:].tolist()))
"""


class HfTest(unittest.TestCase):
    def test_a_folder_made_from_gguf_stops_where_the_model_stops(self):
        demo = SOURCE / "models/demo"
        own = GenerationConfig.from_pretrained(demo)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            quantize(demo, {folder / "demo.gguf": "gguf:fp32"})
            quantize(folder / "demo.gguf", {folder / "hf": "hf:fp32", folder / "mlx": "mlx:fp32"})
            for path in folder / "hf", folder / "mlx":
                config, generation = AutoConfig.from_pretrained(path), GenerationConfig.from_pretrained(path)
                self.assertEqual(generation.eos_token_id, own.eos_token_id[0])
                for key in "bos_token_id", "pad_token_id":
                    self.assertEqual(getattr(generation, key), getattr(own, key))
                for key in "bos_token_id", "eos_token_id", "pad_token_id":
                    self.assertEqual(getattr(config, key), getattr(generation, key))
            if python := os.environ.get("ZEROPOINT_ORACLES"):
                said = subprocess.run([python, "-c", ANSWER, folder / "hf"], stdout=subprocess.PIPE, check=True)
                answer = json.loads(said.stdout)
                self.assertLess(len(answer), 60)
                self.assertEqual(answer[-1], own.eos_token_id[0])

    def check_tensors(self, folder, grid, source):
        found = tensors(folder)
        tied_twice = {"lm_head.weight", "model.embed_tokens.weight"}
        self.assertEqual(set(found) - tied_twice, set(source) - tied_twice)
        self.assertEqual(len(found), len(source))
        for name, (dtype, shape, data) in found.items():
            # A tied model may store its one matrix under the head's name.
            of = source[name if name in source else "lm_head.weight"]
            self.assertEqual((dtype, shape), (WORDS[grid], of[1]), name)
            self.assertTrue(data == rounded(as_floats(of[0], of[2]), grid), f"{name} in {grid}")

    def check_files(self, folder, model, grid):
        config = AutoConfig.from_pretrained(folder)
        said = json.loads((folder / "config.json").read_text())
        before = json.loads((model / "config.json").read_text())
        self.assertEqual(str(config.dtype).removeprefix("torch."), TORCH[grid])
        changed = {"dtype", "torch_dtype", "tie_word_embeddings"}
        self.assertEqual({k: v for k, v in said.items() if k not in changed},
                         {k: v for k, v in before.items() if k not in changed})  # fmt: skip
        for name in COMPANIONS:
            self.assertEqual((folder / name).exists(), (model / name).exists(), name)
            if (model / name).exists():
                self.assertTrue(filecmp.cmp(folder / name, model / name, shallow=False), name)
        own, found = (AutoTokenizer.from_pretrained(path) for path in (model, folder))
        self.assertEqual(found("Once upon a time")["input_ids"], own("Once upon a time")["input_ids"])

    def test_models(self):
        with tempfile.TemporaryDirectory() as folder:
            exact = {model: self.check_model(model, pathlib.Path(folder) / model.name) for model in models()}
            if computed := oracle([*exact, *exact.values()]):
                for number, model in enumerate(exact):
                    with self.subTest(model=model.name, what="transformers"):
                        self.assertEqual(computed[len(exact) + number], computed[number])

    def check_model(self, model, folder):
        """Returns the model's folder in FP32."""
        folder.mkdir()
        source = tensors(model)
        paths = {grid: folder / grid for grid in TORCH}
        quantize(model, {path: f"hf:{grid}" for grid, path in paths.items()})
        for grid, path in paths.items():
            with self.subTest(model=model.name, grid=grid):
                self.check_tensors(path, grid, source)
                self.check_files(path, model, grid)
        with self.subTest(model=model.name, what="BF16 through FP32"):
            quantize(paths["bf16"], {folder / "again": "hf:fp32"})
            (output,) = quantize(folder / "again", {folder / "back": "hf"}).values()
            self.assertEqual(output["fidelity"], "exact")
            self.assertEqual(tensors(folder / "back"), tensors(paths["bf16"]))
        print(f"{model.name}: {len(source)} tensors in {len(TORCH)} types")
        return paths["fp32"]


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
