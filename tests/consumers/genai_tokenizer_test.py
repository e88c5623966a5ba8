"""Where onnxruntime-genai's tokenizer gives other ids than ours, the folder's notes say so; and only there.

    python genai_tokenizer_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

One small model with many tokenizers, each written as a genai folder whose texts the real runtime tokenizes. The same
model with many generation_config.json: what we write the runtime takes, what it would not we refuse by its field.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import onnxruntime_genai as genai
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import PROGRAM, quantize
from sample_tokenizers import ROWS, TEXTS, TOKENIZERS, make_model, ours, over_bytes, write_source

# Named beside tokenizer.json, or with other ids there: the file that we write says it.
LISTED = {
    "an extra token": (over_bytes(extra=["<x>"]), {"extra_special_tokens": ["<x>"]}),
    "a gap": (over_bytes(added=[("<x>", {"id": 400})]), {}),
    "a class named Llama": (over_bytes(), {"tokenizer_class": "LlamaTokenizer"}),
}

CONFIGS = [
    ({"do_sample": True, "top_k": -1}, {"top_k": 0}),
    ({"do_sample": True, "top_k": 100000}, {"top_k": 0}),
    ({"do_sample": True, "top_k": 50.0}, {"top_k": 50}),
    ({"do_sample": True, "top_p": 1.5}, {"top_p": 1.0}),
    ({"do_sample": 1}, {"do_sample": True}),
    ({"do_sample": True, "temperature": 0.0}, {"temperature": 0.0}),
    ({"do_sample": True, "top_k": None, "temperature": None, "eos_token_id": None}, {"top_k": 50}),
    ({"num_beams": 0, "min_length": -1, "max_length": 100000, "min_p": 0.1}, {"num_beams": 1, "min_length": 0}),
    ({"num_beams": 4, "min_length": 5, "max_length": 24.0}, {"num_beams": 4, "min_length": 5, "max_length": 24}),
    ({"num_beams": 4, "do_sample": True, "top_k": 5}, {"num_beams": 1, "top_k": 5}),
    ({"eos_token_id": [0, 1]}, {}),
    *(({key: value}, None) for key, values in {
        "top_k": [-2, 50.5, "50", [50]], "top_p": [-0.1, "1"], "temperature": [-1, True], "repetition_penalty": [0, -1],
        "do_sample": [2, "true"], "num_beams": [33, 1.5], "min_length": [0.5, "1"], "max_length": [0, 2.5], "eos_token_id": [-1, ROWS, [0, 99999], 0.5, "</s>"]}.items() for value in values),
]


def theirs(out):
    """Ids, or None for what it fails on; nothing but None when it can't make the tokenizer."""
    try:
        tokenizer = genai.Tokenizer(genai.Model(str(out)))
    except Exception:
        return [None] * len(TEXTS)
    found = []
    for text in TEXTS:
        try:
            found.append([int(i) for i in tokenizer.encode(text)])
        except Exception:
            found.append(None)
    return found


class GenAiTokenizerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.holder.cleanup)
        cls.folder = pathlib.Path(cls.holder.name)
        cls.model = make_model(cls.folder / "model")

    def write(self, name, tokenizer, beside=None):
        source = write_source(self.model, self.folder / name, tokenizer, beside)
        out = self.folder / f"{name}-genai"
        (report,) = quantize(source, {out: "genai:fp16"}).values()
        return source, out, [note for note in report["notes"] if note.startswith("onnxruntime-genai's tokenizer gives other ids")]

    def test_notes_say_where_ids_differ(self):
        for number, (name, tokenizer) in enumerate(TOKENIZERS.items()):
            with self.subTest(tokenizer=name):
                source, out, notes = self.write(f"t{number}", tokenizer)
                expected, found = ours(source), theirs(out)
                other = [(t, e, f) for t, e, f in zip(TEXTS, expected, found) if e != f]
                print(f"{name:34} {len(TEXTS) - len(other):3} of {len(TEXTS)} texts the same{''.join(f' | {n[50:90]}' for n in notes)}")
                self.assertEqual(bool(other), bool(notes), (notes, other[:3]))

    def test_added_tokens_are_written_where_it_looks_for_them(self):
        for number, (name, (tokenizer, beside)) in enumerate(LISTED.items()):
            with self.subTest(tokenizer=name):
                source, out, notes = self.write(f"l{number}", copy.deepcopy(tokenizer), beside)
                self.assertEqual((theirs(out), notes), (ours(source), []))

    def test_generation_config_is_one_that_it_takes(self):
        source, out, _ = self.write("g", over_bytes())
        for stated, expected in CONFIGS:
            with self.subTest(generation_config=stated):
                (source / "generation_config.json").write_text(json.dumps(stated))
                run = subprocess.run([PROGRAM, "quantize", source, "--to", f"genai:fp16={out}", "--force", "--quiet"], capture_output=True, text=True)
                if expected is None:
                    self.assertEqual(run.returncode, 1)
                    self.assertIn(f'generation_config.json: "{next(iter(stated))}"', run.stderr)
                    continue
                self.assertEqual(run.returncode, 0, run.stderr)
                search = json.loads((out / "genai_config.json").read_text())["search"]
                self.assertEqual(search, search | expected)
                model = genai.Model(str(out))
                generator = genai.Generator(model, genai.GeneratorParams(model))
                generator.append_tokens(np.array([40, 41], np.int32))
                generator.generate_next_token()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
