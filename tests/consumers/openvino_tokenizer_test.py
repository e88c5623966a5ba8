"""Where the tokenizer graphs that we write give other ids than ours, the folder's notes say so; and only there.

    python openvino_tokenizer_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

One small model with many tokenizers, each written as an OpenVINO folder whose graphs the real runtime runs. Of models
that are there, ids and text of English and Bengali are ours, and those of the graphs that its own converter makes.
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
    import openvino_tokenizers
    import transformers
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import PROGRAM, SHARED, models, quantize
from sample_tokenizers import ENCODE_TEXTS, TEXTS, TOKENIZERS, make_model, ours, write_source

# Wikipedia-like prose, digits, marks and line ends; conjuncts and vowel signs of Bengali.
PROSE = [
    "The city's 1,250 inhabitants didn't leave until 7:45 p.m.\nThen they'd gone -- all of them!",
    "  Two spaces, a tab\tand\n\n\nthree line ends. caf\u00e9, na\u00efve, 100% \u2014 \u201cquoted\u201d \U0001F44D\U0001F3FD",
    "\u0986\u09ae\u09be\u09b0 \u09b8\u09cb\u09a8\u09be\u09b0 \u09ac\u09be\u0982\u09b2\u09be, \u0986\u09ae\u09bf \u09a4\u09cb\u09ae\u09be\u09af\u09bc \u09ad\u09be\u09b2\u09cb\u09ac\u09be\u09b8\u09bf\u0964",
    "\u09b6\u09bf\u0995\u09cd\u09b7\u09be\u09b0\u09cd\u09a5\u09c0\u09b0\u09be \u09e7\u09ef\u09ed\u09e7 \u09b8\u09be\u09b2\u09c7 \u2014 English \u0993 \u09ac\u09be\u0982\u09b2\u09be\u0964\n\u0995\u09cd\u09b7\u09c1\u09a6\u09cd\u09b0!",
]


class Graphs:
    def __init__(self, tokenizer, detokenizer):
        core = ov.Core()
        self.tokenizer = core.compile_model(tokenizer, "CPU")
        self.detokenizer = core.compile_model(detokenizer, "CPU")

    def encode(self, text):
        outputs = self.tokenizer([text])
        return outputs["input_ids"][0].tolist()

    def decode(self, ids):
        return str(self.detokenizer(np.array([ids], np.int64))["string_output"][0])


def written(folder):
    return Graphs(folder / "openvino_tokenizer.xml", folder / "openvino_detokenizer.xml")


def converted(folder):
    """None for what its converter, or transformers before it, does not take."""
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        return Graphs(*openvino_tokenizers.convert_tokenizer(tokenizer, with_detokenizer=True))
    except Exception as error:
        print(f"{folder.name}: not converted: {error}")
        return None


def our_ids(folder, texts):
    asked = "".join(json.dumps(text) + "\n" for text in texts)
    run = subprocess.run([ENCODE_TEXTS, folder, "--special"], input=asked, capture_output=True, text=True, check=True)
    return [[int(i) for i in line.split()] for line in run.stdout.split("\n")[:-1]]


def notes_of(source, out):
    (report,) = quantize(source, {out: "openvino:fp16"}).values()
    return [note for note in report["notes"] if note.startswith("OpenVINO's tokenizer gives other ids")]


class OpenVinoTokenizerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.holder.cleanup)
        cls.folder = pathlib.Path(cls.holder.name)
        cls.model = make_model(cls.folder / "model")

    def test_notes_say_where_ids_differ(self):
        for number, (name, tokenizer) in enumerate(TOKENIZERS.items()):
            with self.subTest(tokenizer=name):
                source = write_source(self.model, self.folder / f"t{number}", tokenizer)
                out = self.folder / f"t{number}-openvino"
                notes = notes_of(source, out)
                graphs = written(out)
                expected, found = ours(source), [graphs.encode(text) for text in TEXTS]
                other = [(t, e, f) for t, e, f in zip(TEXTS, expected, found) if e != f]
                print(f"{name:34} {len(TEXTS) - len(other):3} of {len(TEXTS)} texts the same{''.join(f' | {n[42:90]}' for n in notes)}")
                self.assertEqual(bool(other), bool(notes), (notes, other[:3]))

    def test_ids_and_texts_of_models(self):
        for model in models():
            with self.subTest(model=model.name):
                out = self.folder / f"{model.name}-openvino"
                has_all = not notes_of(model, out)  # else not all characters are tokens
                graphs, other = written(out), converted(model)
                for text, ids in zip(PROSE, our_ids(model, PROSE)):
                    if text == PROSE[0] or has_all:
                        self.assertEqual(graphs.encode(text), ids, text)
                    if other:
                        self.assertEqual(graphs.decode(ids), other.decode(ids), text)
                        # The converter puts no U+2581 in front of spaces.
                        if text == PROSE[0] or has_all and not text.startswith(" "):
                            self.assertEqual(other.encode(text), ids, text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
