"""evaluate on GGUF files against llama.cpp, on the same windows.

    python perplexity_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

llama.cpp rounds activations to eight bits before it multiplies by quantized weights; evaluate does not, for
it is to show what the weights lost. So llama.cpp runs each file twice: as it is, and with the same decoded
weights in F32, where nothing is rounded. The second must agree with ours within the FP32 sums' bound
(engine_test.py; both sides' logits may be off by it, and a token's loss is a difference of two); what lies
between the two is what rounded activations cost, and ours may differ from the first by no more.
"""

import json
import lzma
import math
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np  # noqa: F401  (engine_test.py needs it)
    import xllamacpp  # noqa: F401  (llama.py needs it)
    from engine_test import bound
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import PROGRAM, SHARED, SOURCE, quantize
from llama import Llama

CONTEXT = 64
GRIDS = ["fp32", "q8_0", "q4_0"]
OTHERS = """fp16 bf16 q4_1 q5_0 q5_1 q2_k q3_k q4_k q5_k q6_k iq4_nl iq4_xs iq3_s iq3_xxs iq2_s iq2_xs iq2_xxs iq1_s iq1_m
            tq1_0 tq2_0 mxfp4 nvfp4 q4_k_m""".split()


def stories():
    return lzma.open(SHARED / "corpus/heldout_tinystories.txt.xz", "rt", encoding="utf-8").read(1000)


MODELS = {
    SOURCE / "models/demo": lambda: (SOURCE / "models/demo/heldout.txt").read_text(encoding="utf-8")[:1000],
    SHARED / "models/stories260k": stories,
    SHARED / "models/tinystories-656k": stories,
}


def windows_of(ids):
    """As evaluate cuts a text: each window begins with the BOS that the whole text begins with."""
    return [ids[:1] + ids[i + 1 : i + CONTEXT] for i in range(0, len(ids) - CONTEXT + 1, CONTEXT)]


def mean_loss(path, windows, vocabulary):
    llama, losses = Llama(path, context=2 * CONTEXT), []
    for window in windows:
        for at in range(CONTEXT // 2 + 1, CONTEXT):
            losses.append(-llama.logarithm_of_probability(window[:at], window[at], vocabulary))
    return sum(losses) / len(losses)


class PerplexityTest(unittest.TestCase):
    def test_evaluate_agrees_with_llama_cpp(self):
        for model, text_of in MODELS.items():
            if not model.is_dir():
                print(f"no {model}: left out")
                continue
            with self.subTest(model=model.name), tempfile.TemporaryDirectory() as folder:
                self.compare(model, GRIDS, text_of(), Path(folder))

    def test_of_every_type(self):
        model = SOURCE / "models/demo"
        with tempfile.TemporaryDirectory() as folder:
            self.compare(model, OTHERS, MODELS[model]()[:350], Path(folder))

    def compare(self, model, grids, text, folder):
        vocabulary = json.loads((model / "config.json").read_text())["vocab_size"]
        files = {grid: folder / f"{grid}.gguf" for grid in grids}
        for grid, path in files.items():
            quantize(model, {path: f"gguf:{grid}"})
        windows = windows_of(Llama(files[grids[0]]).tokenize(text))
        self.assertGreater(len(windows), 0, "the text is too short")
        (folder / "text.txt").write_text(text, encoding="utf-8")
        limit = 2 * bound(model, CONTEXT, 20)
        for grid, path in files.items():
            said = self.evaluate(path, folder / "text.txt")
            theirs = mean_loss(path, windows, vocabulary)
            exact = theirs
            if grid != "fp32":
                quantize(path, {folder / "decoded.gguf": "gguf:fp32"}, "--force")
                exact = mean_loss(folder / "decoded.gguf", windows, vocabulary)
            print(
                f"{model.name:16} {grid:7} perplexity {math.exp(said):.5f}, llama.cpp on decoded weights {math.exp(exact):.5f}"
                f" (losses differ by {abs(said - exact):.1e}, bound {limit:.1e}), rounding activations {math.exp(theirs):.5f}"
            )
            self.assertLess(abs(said - exact), limit)
            self.assertLessEqual(abs(said - theirs), abs(exact - theirs) + limit)

    def evaluate(self, path, text):
        command = [PROGRAM, "evaluate", path, "--text", text, "--context", CONTEXT, "--json", "--quiet"]
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        return math.log(json.loads(run.stdout)["perplexity"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
