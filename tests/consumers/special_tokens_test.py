"""Which tokens are special, and their ids, are those of transformers' AutoTokenizer.

    python special_tokens_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with

Folders with one small tokenizer.json and every way to name a token beside it, one by one and 150 times a few
drawn together. Compared are the ids of a text with all of the names in it, with the tokens around it.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
try:
    from transformers import AutoTokenizer
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
ENCODE_TEXTS = PROGRAM.parent / "encode_texts"
TEXTS = ["ab <k>a <l> b<x>ab<y> a<z>b<w>!", "<x><y><z><k><l>", " <x> <y> <z> <k> <l> ab"]
PLAIN = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "!"}


def token(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


def added(id, content, **flags):
    return {"id": id, **token(content, **flags)}


def base():
    """Bytes of ASCII, a merge, and two tokens that nothing calls special: <k> and <l>."""
    vocabulary = [chr(c) for c in range(0x21, 0x7F)] + ["\u0120", "ab", "<k>", "<l>"]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [added(0, "!")], "normalizer": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                      "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": {text: i for i, text in enumerate(vocabulary)}, "merges": ["a b"]}}


def ends_with(content, id):
    part = {"SpecialToken": {"id": content, "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, part],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}, part],
            "special_tokens": {content: {"id": content, "ids": [id], "tokens": [content]}}}


WRITTEN = {"__type": "AddedToken"}
LAST = len(base()["model"]["vocab"])
# Each changes one of the files: tokenizer.json, its added tokens, tokenizer_config.json, special_tokens_map.json, added_tokens.json.
PARTS = {
    "a gap": ("added", [added(LAST + 5, "<x>")]),
    "out of order": ("added", [added(LAST + 1, "<x>"), added(LAST, "<y>")]),
    "an id of the vocabulary's": ("added", [added(3, "<z>")]),
    "another id than the vocabulary's": ("added", [added(LAST + 2, "<k>", rstrip=True)]),
    "one that isn't special": ("added", [added(LAST, "<y>", special=False, lstrip=True)]),
    "a list": ("config", {"extra_special_tokens": ["<x>", "<l>"]}),
    "a list with flags": ("config", {"extra_special_tokens": [WRITTEN | token("<k>", lstrip=True), "<y>"]}),
    "a map": ("config", {"extra_special_tokens": {"image_token": "<z>", "audio": "<k>"}}),
    "additional": ("config", {"additional_special_tokens": ["<l>", "<z>"]}),
    "sep, cls and mask": ("config", {"sep_token": "<k>", "cls_token": "<x>", "mask_token": "<l>"}),
    "pad and unknown": ("config", {"pad_token": "<z>", "unk_token": "<l>"}),
    "null": ("config", {"pad_token": None, "unk_token": None, "extra_special_tokens": None}),
    "image_token": ("config", {"image_token": "<k>", "eoi_token": "<x>"}),
    "image_token with flags": ("config", {"image_token": WRITTEN | token("<l>", rstrip=True)}),
    "image_token without a type": ("config", {"image_token": token("<l>", rstrip=True)}),
    "a decoder": ("config", {"added_tokens_decoder": {str(LAST + 3): token("<y>", lstrip=True), str(LAST): token("<x>")}}),
    "a decoder with other flags": ("config", {"added_tokens_decoder": {"0": token("!"), str(LAST - 1): {"content": "<l>"}}}),
    "add_bos_token": ("config", {"add_bos_token": True, "add_eos_token": False, "bos_token": "<k>"}),
    "the map's list": ("map", {"additional_special_tokens": ["<k>"], "sep_token": token("<y>", rstrip=True)}),
    "the map's extra": ("map", {"extra_special_tokens": ["<z>"], "image_token": "<l>"}),
    "the map's eos": ("map", {"eos_token": "<k>", "pad_token": "<x>"}),
    "added_tokens.json": ("added_tokens", {"<w>": LAST + 4, "<l>": LAST - 1}),
    "a template": ("json", {"post_processor": ends_with("<l>", LAST - 1)}),
}


def write(folder, parts):
    files = {"json": base(), "added": [], "config": dict(PLAIN), "map": {}, "added_tokens": {}}
    for name in parts:
        file, change = PARTS[name]
        files[file] = files[file] + change if file == "added" else files[file] | change
    files["json"]["added_tokens"] += files["added"]
    folder.mkdir()
    for name, file in (("tokenizer", "json"), ("tokenizer_config", "config"), ("special_tokens_map", "map"), ("added_tokens", "added_tokens")):
        if files[file]:
            (folder / f"{name}.json").write_text(json.dumps(files[file]))
    return folder


def ours(folder):
    lines = "".join(json.dumps(text) + "\n" for text in TEXTS)
    run = subprocess.run([ENCODE_TEXTS, folder, "--special"], input=lines, capture_output=True, text=True)
    return [[int(i) for i in line.split()] for line in run.stdout.split("\n")[:-1]] if run.returncode == 0 else run.stderr


def main():
    rng, wrong = random.Random(0), 0
    tries = [[name] for name in PARTS] + [rng.sample(list(PARTS), rng.randint(2, 5)) for _ in range(150)]
    with tempfile.TemporaryDirectory() as temporary:
        for number, parts in enumerate(tries):
            folder = write(pathlib.Path(temporary) / str(number), parts)
            expected = AutoTokenizer.from_pretrained(folder)(TEXTS)["input_ids"]
            found = ours(folder)
            if found != expected:
                wrong += 1
                print(f"{', '.join(parts)}: expected {expected}, found {found}")
    print(f"{len(tries)} folders, {wrong} read otherwise")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
