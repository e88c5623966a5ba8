"""GGUF files as llama.cpp and the gguf package read them.

For every model and grid: llama.cpp loads the file, tokenizes held-out text to the ids of the model's
own tokenizer, and at FP32 continues prompts as transformers does; the gguf package decodes every
tensor, and agrees with what the program said of sizes, bits per weight and SQNR.

    python gguf_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

The continuations are stored (expected/, models/demo/expected.json). Where ZEROPOINT_ORACLES names a
Python with torch and transformers they are computed afresh.
"""

import json
import lzma
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import gguf
    import numpy as np
    import tokenizers
    import xllamacpp  # noqa: F401  (llama.py needs it)
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import CLOSE, PROGRAM, SOURCE, continuations
from llama import Llama

GRIDS = ["fp32", "fp16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1"]
GRIDS += ["q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs"]
GRIDS += ["q4_k_m", "q3_k_l", "iq3_m", "iq3_xxs", "iq2_m", "iq2_xs", "iq2_xxs", "iq1_m", "iq1_s", "tq1_0", "tq2_0", "mxfp4", "nvfp4"]
PIECES = 20
PIECE_CHARACTERS = 2000
SHARED = SOURCE.parent / "shared" / "data"

# Model folder -> texts it has not seen.
MODELS = {
    SOURCE / "models/demo": [SOURCE / "models/demo/heldout.txt"],
    SHARED / "models/stories260k": [SHARED / "text/tinystories.txt"],
    SHARED / "models/tinystories-656k": [SHARED / "text/tinystories.txt"],
    SHARED / "models/tinystories-656k-phi3": [SHARED / "text/tinystories.txt"],
    SHARED / "models/en-bn-llama": [SHARED / "corpus/heldout.txt.xz", SHARED / "corpus/heldout_bn.txt.xz"],
}


def pieces(path):
    with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8") as file:
        return [file.read(PIECE_CHARACTERS) for _ in range(PIECES)]


def quantize(model, grid, path):
    command = [PROGRAM, "quantize", model, "--to", f"gguf:{grid}={path}", "--json", "--quiet"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise AssertionError(f"{model.name}, {grid}: exit code {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)


def tensors(path):
    reader = gguf.GGUFReader(path)
    return {
        t.name: (t.n_bytes, gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float64).reshape(-1))
        for t in reader.tensors
    }


def common_prefix(ids, others):
    return next((k for k, (a, b) in enumerate(zip(ids, others)) if a != b), min(len(ids), len(others)))


class GgufTest(unittest.TestCase):
    def check_tokens(self, llama, model, texts):
        own = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
        for number, piece in enumerate(piece for text in texts for piece in pieces(text)):
            ids, expected = llama.tokenize(piece), own.encode(piece).ids
            at = common_prefix(ids, expected)
            message = f"piece {number} from token {at}: {ids[at:at + 5]} for {expected[at:at + 5]}"
            self.assertTrue(ids == expected, message)

    def check_continuations(self, llama, prompts):
        steps = 0
        for prompt in prompts:
            found = llama.go_on(prompt["ids"], len(prompt["continuation"]))
            same = common_prefix(found, prompt["continuation"])
            if same == len(found):  # llama.cpp stops at the end of a text, the oracle does not
                steps += same
                continue
            self.assertLess(prompt["margins"][same], CLOSE, f"step {same}: {found} for {prompt['continuation']}")
            steps += same
        self.assertGreaterEqual(steps, 30, "too few steps were compared")

    def check_sizes(self, result, path, exact):
        (output,) = result["outputs"]
        found = tensors(path)
        self.assertEqual(output["bytes"], path.stat().st_size)
        self.assertEqual({t["name"]: t["bytes"] for t in output["tensors"]}, {n: t[0] for n, t in found.items()})
        weights = sum(values.size for _, values in found.values())
        self.assertEqual(result["parameters"], weights)
        bits = 8 * sum(count for count, _ in found.values()) / weights
        self.assertAlmostEqual(output["bits_per_weight"], bits, places=2)
        noise = signal = 0.0
        for name, (_, values) in found.items():
            self.assertTrue(np.isfinite(values).all(), name)
            noise += float(np.sum((values - exact[name][1]) ** 2))
            signal += float(np.sum(exact[name][1] ** 2))
        if noise == 0:
            self.assertEqual(output["fidelity"], "exact")
        else:
            self.assertAlmostEqual(output["sqnr_db"], 10 * math.log10(signal / noise), delta=0.02)

    def check_model(self, model, texts, prompts, folder):
        exact = None
        for grid in GRIDS:
            with self.subTest(model=model.name, grid=grid):
                path = pathlib.Path(folder) / f"{grid}.gguf"
                result = quantize(model, grid, path)
                exact = exact or tensors(path)  # fp32 comes first
                self.check_sizes(result, path, exact)
                llama = Llama(path)
                self.check_tokens(llama, model, texts)
                if grid == "fp32":
                    self.check_continuations(llama, prompts)

    def test_models(self):
        expected = continuations(list(here))
        for model, texts in here.items():
            with tempfile.TemporaryDirectory() as folder:
                self.check_model(model, texts, expected[model], folder)


    def test_grids_of_a_small_budget(self):
        """llama.cpp loads what one chose, and goes on as the engine does."""
        model = SOURCE / "models/demo"
        text = ["--calibrate", model / "heldout.txt", "--tokens", "512", "--context", "128"]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "small.gguf"
            command = [PROGRAM, "quantize", model, "--to", f"gguf={path}", "--fit", "2.5bpw", "--json", "--quiet", *text]
            run = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, run.stderr)
            (output,) = json.loads(run.stdout)["outputs"]
            self.assertLessEqual(output["bits_per_weight"], 2.5)
            self.assertTrue(any(t["grid"].startswith("iq") for t in output["fit"]["tensors"]))
            self.assertEqual({t["name"]: t["bytes"] for t in output["tensors"]}, {n: t[0] for n, t in tensors(path).items()})
            self.assertEqual(len(Llama(path).go_on("The lantern", 8)), 8)

    def test_files_of_a_split_model(self):
        """llama.cpp finds all from the first, and computes what it does from one file; so does the program."""
        model = SOURCE / "models/demo"
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            quantize(model, "q8_0", folder / "whole.gguf")
            command = [PROGRAM, "quantize", model, "--to", f"gguf:q8_0={folder / 'x.gguf'}", "--split-size", "600K", "--json", "--quiet"]
            (output,) = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["outputs"]
            files = sorted(folder.glob("x-*.gguf"))
            self.assertGreater(len(files), 2)
            self.assertEqual([f.name for f in files], [f"x-{i + 1:05d}-of-{len(files):05d}.gguf" for i in range(len(files))])
            self.assertEqual(output["path"], str(files[0]))
            self.assertEqual(output["bytes"], sum(f.stat().st_size for f in files))
            whole, found = tensors(folder / "whole.gguf"), {}
            for number, file in enumerate(files):
                reader = gguf.GGUFReader(file)
                stated = {key: reader.get_field(f"split.{key}").contents() for key in ("no", "count", "tensors.count")}
                self.assertEqual(stated, {"no": number, "count": len(files), "tensors.count": len(whole)})
                parts = tensors(file)
                self.assertLessEqual(sum(bytes for bytes, _ in parts.values()), 600 * 1024)
                found.update(parts)
            self.assertEqual(list(found), list(whole))
            for name, (_, values) in whole.items():
                np.testing.assert_array_equal(found[name][1], values)
            llamas = [Llama(folder / "whole.gguf"), Llama(files[0])]
            steps = [llama.go_on_scored("The lantern", 16) for llama in llamas]
            self.assertEqual(steps[0], steps[1])
            back = [folder / "back-whole", folder / "back-split"]
            for source, to in zip([folder / "whole.gguf", files[0]], back):
                subprocess.run([PROGRAM, "quantize", source, "--to", f"hf:fp32={to}", "--quiet"], check=True)
            self.assertEqual(*[(b / "model.safetensors").read_bytes() for b in back])

    def test_sampling_of_the_model(self):
        """llama.cpp's server takes from the file what generation_config.json says, and hf gets it back."""
        stated = {"temperature": 0.35, "top_k": 17, "top_p": 0.85, "min_p": 0.01, "repetition_penalty": 1.05, "do_sample": True}
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shutil.copytree(SOURCE / "models/demo", folder / "model")
            config = json.loads((folder / "model/generation_config.json").read_text())
            (folder / "model/generation_config.json").write_text(json.dumps({**config, **stated}))
            quantize(folder / "model", "q8_0", folder / "x.gguf")
            found = Llama(folder / "x.gguf").sampling()
            for field, name in {"temperature": "temperature", "top_k": "top_k", "top_p": "top_p", "min_p": "min_p",
                                "repetition_penalty": "repeat_penalty"}.items():  # fmt: skip
                self.assertAlmostEqual(found[name], stated[field], places=6, msg=name)
            self.assertIn(found["repeat_last_n"], (-1, 512))
            quantize(folder / "x.gguf", "q4_0", folder / "y.gguf")
            self.assertEqual(Llama(folder / "y.gguf").sampling(), found)
            for path in ("x.gguf", "y.gguf"):
                back = folder / f"{path}-hf"
                subprocess.run([PROGRAM, "quantize", folder / path, "--to", f"hf:fp16={back}", "--quiet"], check=True)
                said = json.loads((back / "generation_config.json").read_text())
                self.assertEqual({field: said[field] for field in stated}, stated)


if __name__ == "__main__":
    here = {model: texts for model, texts in MODELS.items() if (model / "config.json").exists()}
    if not here:
        print("skipped: no model to quantize")
        sys.exit(77)
    for model in MODELS.keys() - here.keys():
        print(f"left out, not there: {model}")
    print(f"{len(here)} models in {len(GRIDS)} grids each")
    unittest.main(argv=sys.argv[:1])
