"""OpenVINO's generation library goes on from a prompt as our engine would, and answers a user as the program does, from
our folders as they are.

Greedily, with attention over pages of the caches, as it has it by default (but where scores are capped, which it
has no such operation for), and over the caches in the graph: every token is the one with the engine's highest
logit, or one that is nearer than CLOSE to it. From texts, with the chat template, every token is the program's.

    python openvino_genai_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import openvino as ov
    import openvino_genai as genai
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import CLOSE, PROGRAM, SHARED, SOURCE, quantize
from make_random_models import make_random_model
from openvino_runtime import EXACT

LOGITS = PROGRAM.parent / "logits"
PROMPT, TOKENS = 40, 24
PROMPTS = ["What colour is the lantern of Sudar?", "\u09b8\u09c1\u09a6\u09be\u09b0\u09c7\u09b0 \u09b2\u09a3\u09cd\u09a0\u09a8\u09c7\u09b0 \u09b0\u0982 \u0995\u09c0?", "Once upon a time, there was"]
ANSWER = 64
TALKING = [SOURCE / "models/demo", SHARED / "models/en-bn-llama", SHARED / "models/stories260k"]
RANDOM = ["llama_gqa", "mistral_window", "gemma2", "gemma3_new", "gpt2", "phi3_long", "glm4"]


def generated(folder, ids, backend):
    pipeline = genai.LLMPipeline(folder, "CPU", **backend, **EXACT)
    ids = ov.Tensor(np.array([ids], np.int64))
    inputs = genai.TokenizedInputs(ids, ov.Tensor(np.ones(ids.shape, np.int64)))
    return pipeline.generate(inputs, max_new_tokens=TOKENS, do_sample=False, ignore_eos=True).tokens[0]


def answer(model, prompt, *chat):
    command = [PROGRAM, "run", model, "--prompt", prompt, "--tokens", str(ANSWER), "--json", "--quiet", *chat]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def logits(model, ids):
    run = subprocess.run([LOGITS, model], input=" ".join(map(str, ids)).encode(), capture_output=True, check=True)
    return np.frombuffer(run.stdout, np.float32).reshape(len(ids), -1)


class OpenVinoGenAiTest(unittest.TestCase):
    def check(self, model, folder):
        quantize(model, {folder: "openvino:fp32"})
        ids = np.random.Generator(np.random.PCG64(5)).integers(0, 256, PROMPT).tolist()
        for backend in ({}, {"ATTENTION_BACKEND": "SDPA"}):
            with self.subTest(model=model.name, **backend):
                found = generated(folder, ids, backend)
                self.assertEqual(len(found), TOKENS)
                rows = logits(model, [*ids, *found])[PROMPT - 1 : -1]
                short = rows.max(axis=1) - rows[np.arange(TOKENS), found]
                self.assertLess(short.max(), CLOSE, f"{found}")

    def check_answers(self, model, folder):
        quantize(model, {folder: "openvino:fp32"})
        pipeline = genai.LLMPipeline(folder, "CPU", **EXACT)
        tokenizer = pipeline.get_tokenizer()
        has_template = bool(tokenizer.chat_template)
        for prompt in PROMPTS:
            for chat in (True, False) if has_template else (False,):
                with self.subTest(model=model.name, prompt=prompt, chat=chat):
                    ours = answer(model, prompt, *["--chat"] * chat)
                    config = genai.GenerationConfig(max_new_tokens=ANSWER, do_sample=False, apply_chat_template=chat)
                    self.assertEqual(str(pipeline.generate(prompt, config)), ours["text"])
                    text = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], True) if chat else prompt
                    inputs = tokenizer.encode(text, add_special_tokens=not chat)
                    self.assertEqual(inputs.input_ids.shape[1], ours["prompt_tokens"])
                    found = list(pipeline.generate(inputs, config).tokens[0])
                    self.assertEqual(found, ours["tokens"])

    def test_answers_as_the_program(self):
        with tempfile.TemporaryDirectory() as folder:
            for model in TALKING:
                if (model / "config.json").exists():
                    self.check_answers(model, pathlib.Path(folder) / model.name)

    def test_goes_on_as_the_engine(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            self.check(SOURCE / "models/demo", folder / "demo")
            for name in RANDOM:
                self.check(make_random_model(folder / "models" / name, name), folder / name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
