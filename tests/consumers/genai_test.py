"""onnxruntime-genai loads our folders as they are, and goes on from a prompt as `run` does.

Greedily the same 64 tokens, or where two logits are nearer than CLOSE either of them, from English and
Bengali prompts and through the chat template; the runtime's tokenizer gives our ids, but for tokenizers
that it is known not to have.

    python genai_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import json
import lzma
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import onnxruntime_genai as genai
    import tokenizers
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import CLOSE, PROGRAM, SHARED, SOURCE, models, quantize
from make_random_models import make_random_model

LOGITS = PROGRAM.parent / "logits"
ENCODE_TEXTS = PROGRAM.parent / "encode_texts"
TOKENS = 64
PROMPTS = ["Once upon a time", "\u098f\u0995\u09a6\u09bf\u09a8 \u09b8\u0995\u09be\u09b2\u09c7"]
RANDOM = [
    "llama_yarn", "mistral_window", "qwen3", "gemma2", "gemma3_new", "smollm3", "granite", "olmo3_yarn", "gpt2", "phi", "phi3_long",
    "glm4", "ministral3", "qwen3_moe", "mixtral", "glm4_moe_groups", "phimoe",
]  # fmt: skip
EXPERTS = ["qwen3_moe", "mixtral"]
# What the runtime's tokenizer does otherwise, and why.
OTHER_IDS = {
    "tinystories-656k": "it cuts at spaces first, and this one's tokens reach across",
    "tinystories-656k-phi3": "the same",
    "micro-lm-gpt2": "it doesn't lower case, and has no token for what is unknown",
}


def run_json(*command):
    done = subprocess.run([PROGRAM, *command, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def generate(model, ids, count):
    parameters = genai.GeneratorParams(model)
    parameters.set_search_options(max_length=len(ids) + count, do_sample=False)
    generator = genai.Generator(model, parameters)
    generator.append_tokens(np.array(ids, np.int32))
    found = []
    while not generator.is_done():
        generator.generate_next_token()
        found.append(int(generator.get_next_tokens()[0]))
    return found


def texts():
    lines = (SOURCE / "models/demo/heldout.txt").read_text().split("\n")[:300]
    for name in ("heldout", "heldout_bn", "heldout_tinystories"):
        path = SHARED / f"corpus/{name}.txt.xz"
        if path.exists():
            with lzma.open(path, "rt", encoding="utf-8") as file:
                lines += [line.rstrip("\n") for _, line in zip(range(400), file)]
    return [line for line in lines if line]


class GenAiTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def check_same(self, model, ids, found, expected):
        for step, (a, b) in enumerate(zip(found, expected)):
            if a == b:
                continue
            ids = [*ids, *expected[:step]]
            run = subprocess.run([LOGITS, model], input=" ".join(map(str, ids)).encode(), capture_output=True)
            last = np.frombuffer(run.stdout, np.float32).reshape(len(ids), -1)[-1]
            self.assertLess(abs(last[a] - last[b]), CLOSE, f"step {step}: {a} for {b}")
            return step
        self.assertEqual(len(found), len(expected))
        return len(found)

    def check_continuation(self, out, model, ids, *arguments):
        """out: the folder; ids: the prompt as the runtime is given it."""
        context = json.loads((out / "genai_config.json").read_text())["model"]["context_length"]
        count = min(TOKENS, context - len(ids))
        wanted = run_json("run", out, "--tokens", str(count), *arguments)
        self.assertEqual(wanted["prompt_tokens"], len(ids))
        return self.check_same(out, ids, generate(model, ids, count), wanted["tokens"])

    def exact_quantized(self, source, grid):
        """A genai folder whose graph computes in FP32 as the onnx container's does."""
        out, plain = self.folder / f"exact-genai-{source.name}", self.folder / f"exact-onnx-{source.name}"
        quantize(source, {out: f"genai:{grid}", plain: f"onnx:{grid}"})
        shutil.copy(plain / "model.onnx", out / "model.onnx")
        return out

    def test_goes_on_from_prompts(self):
        for source in models():
            exact = self.folder / f"exact-{source.name}"
            quantize(source, {exact: "genai:fp32"})
            for out in (exact, self.exact_quantized(source, "int4:g32")):
                model = genai.Model(str(out))
                for prompt in PROMPTS:
                    with self.subTest(model=source.name, folder=out.name, prompt=prompt):
                        ids = run_json("tokenize", source, prompt)["ids"]
                        same = self.check_continuation(out, model, ids, "--prompt", prompt)
                        print(f"{out.name:32} {len(ids):3} ids of a prompt, {same} more the same")

    def test_goes_on_with_every_architecture(self):
        for name in RANDOM:
            with self.subTest(model=name):
                source = make_random_model(self.folder / name, name)
                out = self.folder / f"genai-{name}"
                quantize(source, {out: "genai:fp32"})
                ids = run_json("tokenize", source, "to be or not to be")["ids"]
                self.check_continuation(out, genai.Model(str(out)), ids, "--prompt", "to be or not to be")
                if name in EXPERTS:
                    out = self.exact_quantized(source, "int4:g16")
                    self.check_continuation(out, genai.Model(str(out)), ids, "--prompt", "to be or not to be")

    def test_chats(self):
        source = SOURCE / "models/demo"
        out = self.exact_quantized(source, "int8:g32")
        model = genai.Model(str(out))
        tokenizer = genai.Tokenizer(model)
        question = "What colour is the lantern of Sudar?"
        messages = json.dumps([{"role": "user", "content": question}])
        ids = tokenizer.encode(tokenizer.apply_chat_template(messages, add_generation_prompt=True))
        ids = [int(i) for i in ids]
        self.check_continuation(out, model, ids, "--chat", "--prompt", question)
        wanted = run_json("run", out, "--chat", "--prompt", question)
        self.assertEqual(tokenizer.decode(np.array(wanted["tokens"][:-1], np.int32)), wanted["text"])

    def test_tokenizes_what_comes_from_gguf(self):
        """Whose tokenizer becomes tokenizer.json."""
        lines = texts()
        for source in models():
            if source.name in OTHER_IDS:
                continue
            gguf, out = self.folder / f"{source.name}.gguf", self.folder / source.name
            quantize(source, {gguf: "gguf:fp16"})
            quantize(gguf, {out: "genai:fp16"})
            tokenizer = genai.Tokenizer(genai.Model(str(out)))
            own = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
            reference = tokenizers.Tokenizer.from_file(str(source / "tokenizer.json"))
            for line in lines:
                with self.subTest(model=source.name, text=line):
                    ids = reference.encode(line, add_special_tokens=False).ids
                    self.assertEqual([int(i) for i in tokenizer.encode(line)], ids)
                    self.assertEqual(own.encode(line).ids, reference.encode(line).ids)
            question = run_json("run", out, "--prompt", "The", "--tokens", "4")
            self.assertEqual(len(question["tokens"]), 4)

    def test_runs_the_default(self):
        """Which rounds activations, so only that it speaks is shown."""
        out = self.folder / "out"
        quantize(SOURCE / "models/demo", {out: "genai"})
        self.assertIn(b"accuracy_level", (out / "model.onnx").read_bytes())
        ids = run_json("tokenize", out, "The lantern")["ids"]
        self.assertGreater(len(generate(genai.Model(str(out)), ids, TOKENS)), 0)

    def test_tokenizes_as_we_do(self):
        lines = texts()
        for source in models():
            out = self.folder / source.name
            (report,) = quantize(source, {out: "genai:fp16"}).values()
            tokenizer = genai.Tokenizer(genai.Model(str(out)))
            asked = "".join(json.dumps(line) + "\n" for line in lines)
            run = subprocess.run([ENCODE_TEXTS, source], input=asked, capture_output=True, text=True, check=True)
            ours = [[int(i) for i in line.split()] for line in run.stdout.split("\n")]
            same = sum([int(i) for i in tokenizer.encode(line)] == ids for line, ids in zip(lines, ours))
            known = OTHER_IDS.get(source.name)
            print(f"{source.name:24} {same} of {len(lines)} texts the same" + (f" ({known})" if known else ""))
            with self.subTest(model=source.name):
                (self.assertLess if known else self.assertEqual)(same, len(lines))
                noted = any("onnxruntime-genai's tokenizer gives other ids" in note for note in report["notes"])
                self.assertEqual(noted, known is not None, report["notes"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
