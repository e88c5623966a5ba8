"""Where transformers' AutoTokenizer reads a folder we wrote otherwise than we do, its notes say so; and only there.

    python transformers_tokenizer_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

The tokenizers of genai_tokenizer_test.py under the classes and model types that have a say in how transformers reads.
"""

import json
import os
import pathlib
import sys
import tempfile
import unittest

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
try:
    from transformers import AutoTokenizer

    from genai_tokenizer_test import TEXTS, TOKENIZERS, make_model, over_bytes, ours, pieces
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import quantize

QWEN2 = TOKENIZERS["Qwen 2's"] | {"normalizer": {"type": "NFC"}}
AS_WRITTEN = {"tokenizer_class": "PreTrainedTokenizerFast"}
LLAMA = {"tokenizer_class": "LlamaTokenizerFast", "unk_token": "<unk>"}
AS_THEY_ARE = ["Llama 3's", "another regex", "lower case", "a space in front", "a decoder that strips", "Metaspace that cuts", "a byte without a piece"]
# Name: tokenizer.json, tokenizer_config.json, more of config.json.
CASES = {
    **{name: (TOKENIZERS[name], AS_WRITTEN, {}) for name in AS_THEY_ARE},
    "GPT-2's class": (over_bytes(), {"tokenizer_class": "GPT2Tokenizer"}, {}),
    "GPT-2's class, another regex": (TOKENIZERS["Llama 3's"], {"tokenizer_class": "GPT2TokenizerFast"}, {}),
    "GPT-2's class, NFC": (TOKENIZERS["NFC"], {"tokenizer_class": "GPT2Tokenizer"}, {}),
    "Qwen 2's class": (QWEN2, {"tokenizer_class": "Qwen2Tokenizer"}, {}),
    "Qwen 2's class, no NFC": (TOKENIZERS["Qwen 2's"], {"tokenizer_class": "Qwen2Tokenizer"}, {}),
    "Llama's class over bytes": (TOKENIZERS["Llama 3's"], {"tokenizer_class": "LlamaTokenizer"}, {}),
    "Llama's class": (pieces(added=[("<y>", {})]), LLAMA, {}),
    "Llama's class, legacy": (pieces(added=[("<y>", {})]), LLAMA | {"legacy": True}, {}),
    "Llama's class, Metaspace": (pieces(scheme="first", added=[("<y>", {})]), LLAMA, {}),
    "Llama's class, no space": (pieces(prefix=False), LLAMA, {}),
    "Llama's class, a Mistral": (pieces(added=[("<y>", {})]), LLAMA, {"model_type": "mistral", "architectures": ["MistralForCausalLM"]}),
    "Llama's class, no space either": (pieces(prefix=False), LLAMA | {"add_prefix_space": False}, {}),
}


class TransformersTokenizerTest(unittest.TestCase):
    def test_notes_say_where_ids_differ(self):
        with tempfile.TemporaryDirectory() as holder:
            folder = pathlib.Path(holder)
            source = make_model(folder / "model")
            plain = json.loads((source / "config.json").read_text())
            for number, (name, (tokenizer, config, more)) in enumerate(CASES.items()):
                with self.subTest(tokenizer=name):
                    (source / "tokenizer.json").write_text(json.dumps(tokenizer))
                    (source / "tokenizer_config.json").write_text(json.dumps(config))
                    (source / "config.json").write_text(json.dumps(plain | more))
                    out = folder / str(number)
                    (report,) = quantize(source, {out: "hf:fp16"}).values()
                    notes = [note for note in report["notes"] if note.startswith("transformers 5 reads")]
                    found = AutoTokenizer.from_pretrained(out)(TEXTS, add_special_tokens=False)["input_ids"]
                    other = [(t, e, f) for t, e, f in zip(TEXTS, ours(source), found) if e != f]
                    print(f"{name:34} {len(TEXTS) - len(other):3} of {len(TEXTS)} texts the same{''.join(' |' + n[78:130] for n in notes)}")
                    self.assertEqual(bool(other), bool(notes), (notes, other[:3]))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
