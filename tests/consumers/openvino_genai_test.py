"""OpenVINO's generation library goes on from a prompt as our engine would, from our folders and the tokenizer that
its own converter adds to them.

Greedily, with attention over pages of the caches, as it has it by default (but where scores are capped, which it
has no such operation for), and over the caches in the graph: every token is the one with the engine's highest
logit, or one that is nearer than CLOSE to it.

    python openvino_genai_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import openvino as ov
    import openvino_genai as genai
    import transformers
    from openvino_tokenizers import convert_tokenizer
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import CLOSE, PROGRAM, SOURCE, quantize
from make_random_models import make_random_model
from openvino_runtime import EXACT

LOGITS = PROGRAM.parent / "logits"
PROMPT, TOKENS = 40, 24
RANDOM = ["llama_gqa", "mistral_window", "gemma2", "gemma3_new", "gpt2", "phi3_long", "glm4"]


def add_tokenizer(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for name, graph in zip(("tokenizer", "detokenizer"), convert_tokenizer(tokenizer, with_detokenizer=True)):
        ov.save_model(graph, folder / f"openvino_{name}.xml")


def generated(folder, ids, backend):
    pipeline = genai.LLMPipeline(folder, "CPU", **backend, **EXACT)
    ids = ov.Tensor(np.array([ids], np.int64))
    inputs = genai.TokenizedInputs(ids, ov.Tensor(np.ones(ids.shape, np.int64)))
    return pipeline.generate(inputs, max_new_tokens=TOKENS, do_sample=False, ignore_eos=True).tokens[0]


def logits(model, ids):
    run = subprocess.run([LOGITS, model], input=" ".join(map(str, ids)).encode(), capture_output=True, check=True)
    return np.frombuffer(run.stdout, np.float32).reshape(len(ids), -1)


class OpenVinoGenAiTest(unittest.TestCase):
    def check(self, model, folder):
        quantize(model, {folder: "openvino:fp32"})
        add_tokenizer(folder)
        ids = np.random.Generator(np.random.PCG64(5)).integers(0, 256, PROMPT).tolist()
        for backend in ({}, {"ATTENTION_BACKEND": "SDPA"}):
            with self.subTest(model=model.name, **backend):
                found = generated(folder, ids, backend)
                self.assertEqual(len(found), TOKENS)
                rows = logits(model, [*ids, *found])[PROMPT - 1 : -1]
                short = rows.max(axis=1) - rows[np.arange(TOKENS), found]
                self.assertLess(short.max(), CLOSE, f"{found}")

    def test_goes_on_as_the_engine(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            self.check(SOURCE / "models/demo", folder / "demo")
            for name in RANDOM:
                self.check(make_random_model(folder / "models" / name, name), folder / name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
