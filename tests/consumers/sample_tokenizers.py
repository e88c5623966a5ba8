"""Many small tokenizers, texts that show where they differ, and a small model around each.

`TOKENIZERS` are contents of tokenizer.json by name.
"""

import itertools
import json
import shutil
import subprocess
import sys

import numpy as np
from consumer import PROGRAM, SOURCE
from safetensors.numpy import save_file

sys.path.insert(0, str(SOURCE / "tests"))
from tiny_model import byte_alphabet, config, shapes

ENCODE_TEXTS = PROGRAM.parent / "encode_texts"
ROWS = 512
MARK = "\u2581"
BYTES = byte_alphabet()
SPACE, LINE_END = BYTES[ord(" ")], BYTES[ord("\n")]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
TEXTS = ["ab ab", "the the  theers", "Hello world there", "a 1234 12345 1 2", "ab\n\nab", "ab !\n\n x", "  ab   ab ", "\tab\t\tx",
         "it's IT'S he'S 're", "\u00e9 caf\u00e9 e\u0301", "\u0995\u09be \u0995\u09bf", "\u4f60\u597d", "\U0001F44D\U0001F3FD x", "a\r\nb \r\n c",
         "x\u00a0y \u3000z", "12\u0967 \u00bd\u2167", "\u0130\u00c4\u00d6", "ab<x>ab", "ab <x> ab", "<x>\u00a0ab<y>", "<y>ab", "xwordx word", "",
         " " * 20 + "x", "\n \n\t \nab", "a/b //\n", "_ab_ a_b", "ab. Ab, (ab)", "x\u200dy"]
TEXTS += ["".join(t) for n in range(1, 5) for t in itertools.product(" \nx", repeat=n)]


def merged(tokens, pairs):
    tokens, merges = list(tokens), []
    for a, b in pairs:
        if a in tokens and b in tokens:
            merges.append(f"{a} {b}")
            tokens += [a + b] if a + b not in tokens else []
    return tokens, merges


def description(tokens, merges, added=(), **others):
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
             "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "merges": merges,
             "vocab": {text: i for i, text in enumerate(tokens)}} | others.pop("model", {})
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    list_of = [{"id": model["vocab"].get(text, len(tokens) + i), "content": text, **flags, **given} for i, (text, given) in enumerate(added)]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list_of, "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, "model": model} | others


def byte_level(prefix=False, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def split(*regexes, behavior="Isolated", regex=False):
    parts = [r if isinstance(r, dict) else
             {"type": "Split", "pattern": {"Regex": r}, "behavior": behavior, "invert": behavior == "Removed"} for r in regexes]
    return {"type": "Sequence", "pretokenizers": [*parts, byte_level(regex=regex)]}


def over_bytes(splitter=None, without="", extra=(), added=(), **others):
    """Merges that show where words begin and end."""
    pairs = [("a", "b"), ("1", "2"), ("3", "4"), ("12", "34"), (SPACE, SPACE), (SPACE, "ab"), (LINE_END, LINE_END), (SPACE, LINE_END),
             (LINE_END, SPACE), ("!", LINE_END), ("'", "s"), ("'", "S"), (SPACE, "'"), ("e", "r"), ("h", "e"), ("t", "he"), (SPACE, "the"), (SPACE, "1")]
    tokens, merges = merged([b for b in BYTES if b not in without], pairs)
    return description([*tokens, *extra], merges, added, pre_tokenizer=splitter or byte_level(), decoder=byte_level(True), **others)


def spaces_as(prefix, scheme=None, cut=False):
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
    prepend = {"type": "Prepend", "prepend": MARK}
    if scheme:
        return {"normalizer": None, "pre_tokenizer": {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": cut}}
    return {"normalizer": {"type": "Sequence", "normalizers": [prepend, replace]} if prefix else replace}


def decoder(strips):
    steps = [{"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    return {"type": "Sequence", "decoders": steps + [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] * strips}


def pieces(prefix=True, strips=None, scheme=None, cut=False, missing="", pairs=(), extra=(), added=(), **others):
    tokens = ["<unk>", *(f"<0x{b:02X}>" for b in range(256) if f"<0x{b:02X}>" != missing), MARK, *map(chr, range(33, 127)), "\n"]
    given = [("a", "b"), (MARK, "ab"), ("t", "h"), ("th", "e"), (MARK, "the"), ("1", "2"), ("e", "r"), ("l", "l"), *((MARK, c) for c in map(chr, range(97, 123)))]
    tokens, merges = merged(tokens, [*pairs, *given])
    model = {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
    strips = prefix if strips is None else strips
    return description([*tokens, *extra], merges, [("<unk>", {}), *added], model=model,
                       **{"decoder": decoder(strips), **spaces_as(prefix, scheme, cut), **others})


TOKENIZERS = {
    "GPT-2's": over_bytes(),
    "GPT-2's as a Split": over_bytes(split(GPT2)),
    "Llama 3's": over_bytes(split(LLAMA3)),
    "one that removes": over_bytes(split(LLAMA3, behavior="Removed")),
    "Qwen 2's": over_bytes(split(LLAMA3.replace("{1,3}", ""))),
    "digits alone": over_bytes(split({"type": "Digits", "individual_digits": True}, regex=True)),
    "a Split and GPT-2's": over_bytes(split(r"\p{N}{1,3}", regex=True)),
    "another regex": over_bytes(split(r"\s?\p{L}+|\p{N}")),
    "a regex of C++": over_bytes(split(r"\w+|\W")),
    "no regex": over_bytes(byte_level(regex=False)),
    "a space in front": over_bytes(byte_level(prefix=True)),
    "NFC": over_bytes(normalizer={"type": "NFC"}),
    "lower case": over_bytes(normalizer={"type": "Lowercase"}),
    "added tokens": over_bytes(added=[("<x>", {}), ("<y>", {"special": False})]),
    "lstrip": over_bytes(added=[("<x>", {"lstrip": True})]),
    "rstrip": over_bytes(added=[("<x>", {"rstrip": True})]),
    "single_word": over_bytes(added=[("word", {"single_word": True})]),
    "a byte without a token": over_bytes(without="H"),
    "bytes that no text has": over_bytes(without=BYTES[0xC0] + BYTES[0xFF]),
    "a word without merges": over_bytes(extra=["there", SPACE + "world"]),
    "a token that is no word": over_bytes(extra=["ab" + SPACE + "ab"]),
    "a word without merges, taken": over_bytes(extra=[SPACE + "world"], model={"ignore_merges": True}),
    "no merges": over_bytes(model={"merges": []}),
    "pieces": pieces(),
    "pieces without a space in front": pieces(prefix=False),
    "a decoder that strips": pieces(prefix=False, strips=True),
    "a decoder that doesn't": pieces(strips=False),
    "Metaspace's decoder": pieces(decoder={"type": "Metaspace", "replacement": MARK, "prepend_scheme": "always", "split": True}),
    "Metaspace, always": pieces(scheme="always"),
    "Metaspace, first": pieces(scheme="first", added=[("<y>", {})]),
    "Metaspace, never": pieces(prefix=False, scheme="never"),
    "Metaspace that cuts": pieces(prefix=False, scheme="never", cut=True, pairs=[(MARK, MARK)]),
    "runs of spaces": pieces(pairs=[(MARK, MARK)]),
    "a piece across spaces": pieces(pairs=[("a", "b"), ("ab", MARK), ("ab" + MARK, "a")]),
    "a byte without a piece": pieces(missing="<0xE4>"),
    "added among pieces": pieces(added=[("<x>", {}), ("<y>", {"special": False})]),
    "normalized among pieces": pieces(added=[("<x>", {"normalized": True})]),
    "a piece without merges": pieces(extra=[MARK + "world"]),
}


def make_model(folder):
    folder.mkdir()
    draw = np.random.default_rng(0)
    size = lambda shape: tuple(ROWS if n == 257 else n for n in shape)
    weights = {name: (draw.standard_normal(size(shape)) / 8).astype(np.float32) for name, shape in shapes(64, 64, 1)}
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config(64, 64, 1) | {"vocab_size": ROWS}))
    return folder


def ours(folder):
    asked = "".join(json.dumps(text) + "\n" for text in TEXTS)
    run = subprocess.run([ENCODE_TEXTS, folder], input=asked, capture_output=True, text=True, check=True)
    return [[int(i) for i in line.split()] for line in run.stdout.split("\n")[:-1]]


def write_source(model, folder, tokenizer, beside=None):
    """The model with another tokenizer."""
    shutil.copytree(model, folder)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"} | (beside or {})))
    return folder
