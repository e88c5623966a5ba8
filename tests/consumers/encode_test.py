"""Our ids are those of the `tokenizers` package, and of libsentencepiece for a tokenizer.model.

    python encode_test.py PROGRAM SOURCE_DIR [NAME...]        exit code 77: nothing to test with

encode_texts must stand beside PROGRAM. The demo model's tokenizer and what is made from it, and SentencePiece
models trained here, are always tried; the real tokenizers where ../shared is. Texts: corpora, every code
point, mixed scripts, 100,000 random byte strings read as UTF-8. A difference counts as explained only when a
rule that states its cause gives our ids, and those may not become more.
"""

import json
import lzma
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import unicodedata

try:
    import sentencepiece
    import tokenizers
    import transformers
    from tokenizers import Regex, decoders, normalizers, pre_tokenizers

    from tokenizer_test import CL100K, O200K, added_tokens, before_text, only, pieces, recorded, special_texts, unicode_sampler
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

PROGRAM, SOURCE = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
SHARED = SOURCE.parent / "shared" / "data"
ENCODE_TEXTS = PROGRAM.parent / "encode_texts"
DEMO = SOURCE / "models/demo"
RANDOM_TEXTS = 100_000
MARK = "\u2581"

# How many texts at most differ for a cause, by case and corpus; what isn't named here must be equal.
EXPECTED = {
    "the package's Unicode is another": {
        "NFC": {"scripts": 3, "code points": 9, "marks": 421},
        "NFD": {"scripts": 4, "code points": 10, "marks": 423},
        "NFKC": {"scripts": 8, "code points": 17, "marks": 421},
        "NFKD": {"scripts": 9, "code points": 18, "marks": 423},
        "Lowercase": {"code points": 4, "some random": 1},
        "NFD-Lowercase-NFC": {"scripts": 3, "code points": 13, "marks": 421, "some random": 1},
        "gpt-neox-20b": {"scripts": 3, "code points": 9, "marks": 421},
        "qwen2.5": {"scripts": 3, "code points": 9, "marks": 421},
    },
    "control tokens spelled out": {
        "unigram-nmt_nfkc": {"some random": 2},
        "unigram-bytes": {"some random": 2},
        "unigram-identity": {"some random": 2},
        "bpe-nfkc": {"some random": 2},
        "bpe-bytes": {"some random": 2},
        "bpe-symbols": {"some random": 2},
        "llama2": {"random": 11},
        "stories260k-model": {"random": 11},
    },
    "U+2581 at the beginning of the text itself": {
        "unigram-bytes": {"(decoded)": 273},
        "bpe-nfkc": {"(decoded)": 42},
    },
}


# --- both sides ------------------------------------------------------------------------------------


def run(folder, lines, *options):
    done = subprocess.run([ENCODE_TEXTS, folder, *options], input="\n".join(lines) + "\n", capture_output=True, text=True)
    assert done.returncode == 0, f"{folder}: {done.stderr}"
    return done.stdout.split("\n")[:-1]


def encode(folder, texts, *options):
    return [[int(i) for i in line.split()] for line in run(folder, [json.dumps(t) for t in texts], *options)]


def decode(folder, ids):
    return [json.loads(line) for line in run(folder, [" ".join(map(str, i)) for i in ids], "--decode")]


class Package:
    """Hugging Face's tokenizers."""

    def __init__(self, tokenizer, ids=None, decoder=None, cleans_up=False):
        self.tokenizer = tokenizer
        self.ids = ids or {}  # the package numbers new tokens on from the last; holes are mapped back
        self.decoder = decoder or tokenizer
        self.cleans_up = cleans_up

    def encode(self, texts, special=False):
        found = self.tokenizer.encode_batch_fast(texts, add_special_tokens=special)
        return [[self.ids.get(i, i) for i in e.ids] for e in found]

    def decode(self, ids):
        back = {ours: theirs for theirs, ours in self.ids.items()}
        texts = self.decoder.decode_batch([[back.get(i, i) for i in one] for one in ids], skip_special_tokens=False)
        return [transformers.PreTrainedTokenizerBase.clean_up_tokenization(None, t) for t in texts] if self.cleans_up else texts

    def shows(self, ids):
        return True


class SentencePiece:
    def __init__(self, path):
        self.model = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def encode(self, texts, special=False):
        return [([self.model.bos_id()] if special else []) + self.model.encode(t) for t in texts]

    def decode(self, ids):
        return self.model.decode(ids)

    def shows(self, ids):
        """It shows unknown and control tokens in its own way."""
        return not any(self.model.is_unknown(i) or self.model.is_control(i) for i in set(ids))

    def around_controls(self, text):
        """The ids when control tokens that are spelled out stand for themselves; it never takes them for that."""
        controls = {self.model.id_to_piece(i): i for i in (self.model.bos_id(), self.model.eos_id())}
        parts = re.split("(" + "|".join(map(re.escape, controls)) + ")", text)
        return [i for part in parts if part for i in ([controls[part]] if part in controls else self.model.encode(part))]


def from_json(folder):
    text, config = (folder / "tokenizer.json").read_text(), folder / "tokenizer_config.json"
    # The package shows a token that is looked for after normalization as normalization left it ("\u2581<unk>").
    description = json.loads(text)
    for token in description["added_tokens"]:
        token["normalized"] = False
    return Package(tokenizers.Tokenizer.from_str(text), decoder=tokenizers.Tokenizer.from_str(json.dumps(description)),
                   cleans_up=config.exists() and json.loads(config.read_text()).get("clean_up_tokenization_spaces", False))


def from_transformers(folder, name):
    return Package(getattr(transformers, name).from_pretrained(str(folder)).backend_tokenizer)


def add_to(tokenizer, folder):
    ids = {}
    for wanted, token in added_tokens(folder):
        flags = {k: token[k] for k in ("single_word", "lstrip", "rstrip", "normalized")}
        tokenizer.add_tokens([tokenizers.AddedToken(token["content"], special=token["special"], **flags)])
        ids[tokenizer.token_to_id(token["content"])] = wanted
    return Package(tokenizer, ids)


def byte_level(model, split, folder):
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(split), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return add_to(tokenizer, folder)


def from_vocab_merges(folder, split):
    model = tokenizers.models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    return byte_level(model, split, folder)


def from_ranks(path, split):
    """All ways in which two tokens make a third, by the rank of the third: what merging by rank does."""
    import base64
    alphabet = transformers.convert_slow_tokenizer.bytes_to_unicode()
    ranks = {base64.b64decode(t): int(r) for t, r in (l.split() for l in path.read_text().splitlines() if l)}
    spell = lambda token: "".join(alphabet[b] for b in token)
    merges = []
    for token in ranks:
        ways = [(token[:i], token[i:]) for i in range(1, len(token)) if token[:i] in ranks and token[i:] in ranks]
        merges += sorted((ranks[token], ranks[a], ranks[b], a, b) for a, b in ways)
    merges = [(spell(a), spell(b)) for *_, a, b in sorted(merges)]
    model = tokenizers.models.BPE({spell(t): r for t, r in ranks.items()}, merges, ignore_merges=True)
    return byte_level(model, split, path.parent)


# --- texts -----------------------------------------------------------------------------------------


def code_points():
    """Every assigned one in order, and unassigned ones of these planes; of those for private use some."""
    points = [chr(c) for c in [*range(0xD800), *range(0xE000, 0x32400), *range(0xE0000, 0xE0200), *range(0xFFF00, 0x110000, 0x101)]]
    return ["".join(points[i:i + 64]) for i in range(0, len(points), 64)]


def marks(seed=3):
    """Runs of combining marks on letters: what normal forms put in order and join."""
    rng = random.Random(seed)
    combining = [chr(c) for c in range(0x300, 0x20000) if unicodedata.combining(chr(c))]
    letters = "aeiouyAEOUcnsz\u0995\u09a1\u09a2\u09c7\u0915\u1100\uac00\u03b1\u0438\u05d0\u0627\u304b"
    jamo = [chr(c) for c in range(0x1100, 0x1200)]
    texts = ["".join(rng.choice(letters) + "".join(rng.choices(combining, k=rng.randint(0, 4))) for _ in range(6)) for _ in range(1000)]
    return texts + ["".join(rng.choices(jamo, k=9)) for _ in range(100)]


def random_texts(seed=7):
    rng = random.Random(seed)
    lead = bytes([*range(0xC2, 0xF5)])

    def one():
        kind = rng.random()
        if kind < 0.4:
            return rng.randbytes(rng.randint(1, 16))
        if kind < 0.7:  # few kinds of bytes, so that rules about neighbours are met
            return bytes(rng.choices(b"  \t\n\r'aAsStTlLvV019.,;-_<|>/\xc3\xa9", k=rng.randint(1, 24)))
        return b"".join(rng.choice([lead[rng.randrange(len(lead)):][:1] + rng.randbytes(rng.randint(0, 3)), b" ", b"a", b"\xe2\x96\x81",
                                    chr(rng.randrange(0x20, 0xD800)).encode()]) for _ in range(rng.randint(1, 8)))

    return [one().decode("utf-8", "replace") for _ in range(RANDOM_TEXTS)]


def corpora():
    texts = {
        "scripts": unicode_sampler(),
        "code points": code_points(),
        "marks": marks(),
        "random": random_texts(),
        "some random": random_texts(seed=8)[:5000],
        "neighbours": [f"a{chr(c)} {chr(c)}{chr(c)}b" for c in range(0x3100)],
        "demo": pieces((DEMO / "heldout.txt").read_text()),
        "long": ["a" * 100_000, " " * 100_000, "1" * 30_000, "ab" * 50_000, "\u0995\u09be" * 20_000, "\n" * 50_000, ".,;" * 20_000, ""],
    }
    if SHARED.is_dir():
        read = lambda name: lzma.open(SHARED / "corpus" / name, "rt", encoding="utf-8").read()
        texts["wiki"] = pieces((SHARED / "text/wiki.test.raw").read_text(), total=1 << 30)
        texts["english"] = pieces(read("heldout.txt.xz"), total=1 << 30)
        texts["bengali"] = pieces(read("heldout_bn.txt.xz"), total=1 << 30)
    return texts


# --- cases -----------------------------------------------------------------------------------------


ALL = ("scripts", "code points", "neighbours", "marks", "random", "demo", "long", "wiki", "english", "bengali")
FEW = ("scripts", "code points", "marks", "some random", "demo", "long", "bengali")


class Case:
    def __init__(self, name, folder, oracle, causes=None, recording=None, specials=(), decodes=True, texts=ALL):
        self.name = name
        self.folder = folder
        self.oracle = oracle
        self.causes = causes or {}  # by name: text -> ids as they would be if that were the only difference
        self.recording = recording
        self.specials = specials
        self.decodes = decodes
        self.texts = texts          # names of the corpora to try


# Modifier letters of Unicode 15 and what they stand for; Python 3.11 has Unicode 14.
CYRILLIC_15 = dict(zip(range(0x1E030, 0x1E06E), (
    "\u0430\u0431\u0432\u0433\u0434\u0435\u0436\u0437\u0438\u043a\u043b\u043c\u043e\u043f\u0440\u0441\u0442\u0443\u0444\u0445\u0446"
    "\u0447\u0448\u044b\u044d\u044e\ua689\u04d9\u0456\u0458\u04e9\u04af\u04cf\u0430\u0431\u0432\u0433\u0434\u0435\u0436\u0437\u0438"
    "\u043a\u043b\u043e\u043f\u0441\u0443\u0444\u0445\u0446\u0447\u0448\u044a\u044b\u0491\u0456\u0455\u045f\u04ab\ua651\u04b1")))


def as_python(plain, *forms):
    """Normal forms as Unicode 14 has them; the package's marks and compatibility forms are those of Unicode 11."""
    def rule(text):
        for form in forms:
            text = "".join(c.lower() for c in text) if form == "Lowercase" else unicodedata.normalize(form, text)
        if {"NFKC", "NFKD"} & set(forms):
            text = text.translate(CYRILLIC_15)
        # The order of marks of Unicode 15.
        text = text.replace("\U0001E4EC\U0001E4ED\U0001E4EE\U0001E4EF", "\U0001E4EE\U0001E4EF\U0001E4EC\U0001E4ED")
        return plain.encode([text])[0]
    return {"the package's Unicode is another": rule}


def spelled_out(oracle):
    return {"control tokens spelled out": oracle.around_controls}


def real_cases(temporary):
    t, m = SHARED / "tokenizers", SHARED / "models"
    json_added = lambda folder: [a["content"] for a in json.loads((folder / "tokenizer.json").read_text())["added_tokens"]][:12]
    config_added = lambda folder: [token["content"] for _, token in added_tokens(folder)][:12]
    yield Case("gpt2", t / "gpt2", from_transformers(t / "gpt2", "GPT2TokenizerFast"), recording="gpt-2", specials=["<|endoftext|>"])
    yield Case("phi-2", t / "phi-2", from_json(t / "phi-2"), specials=json_added(t / "phi-2"))
    neox = from_json(t / "gpt-neox-20b")
    yield Case("gpt-neox-20b", t / "gpt-neox-20b", neox, as_python(neox, "NFC"), specials=json_added(t / "gpt-neox-20b"))
    llama2 = only(t / "llama2", ["tokenizer.model", "tokenizer_config.json"], temporary)
    model = SentencePiece(llama2 / "tokenizer.model")
    yield Case("llama2", llama2, model, spelled_out(model), recording="llama-spm")
    yield Case("phi-3-mini", t / "phi-3-mini", from_json(t / "phi-3-mini"), recording="phi-3", specials=json_added(t / "phi-3-mini"))
    yield Case("llama3", t / "llama3", from_ranks(t / "llama3/tokenizer.model", CL100K), recording="llama-bpe")
    yield Case("phi-4-base", t / "phi-4-base", from_ranks(t / "phi-4-base/cl100k_base.tiktoken", CL100K), specials=config_added(t / "phi-4-base"))
    yield Case("phi-4-mini", t / "phi-4-mini", from_vocab_merges(t / "phi-4-mini", O200K), specials=config_added(t / "phi-4-mini"))
    qwen = from_transformers(t / "qwen2.5", "Qwen2TokenizerFast")
    yield Case("qwen2.5", t / "qwen2.5", qwen, as_python(qwen, "NFC"), recording="qwen2", specials=config_added(t / "qwen2.5"))
    for name in ("stories260k", "tinystories-656k", "tinystories-656k-phi3", "en-bn-llama"):
        yield Case(name, m / name, from_json(m / name), specials=json_added(m / name))
    micro = m / "micro-lm-gpt2"  # whose "?" tokenizer_config.json alone makes special
    yield Case(micro.name, micro, from_transformers(micro, "PreTrainedTokenizerFast"), specials=["?"], decodes=False)
    stories = only(m / "stories260k", ["tokenizer.model"], temporary)
    model = SentencePiece(stories / "tokenizer.model")
    yield Case("stories260k-model", stories, model, spelled_out(model))


def changed_demo(temporary, name, change):
    folder = pathlib.Path(temporary) / name
    folder.mkdir()
    description = json.loads((DEMO / "tokenizer.json").read_text())
    change(description)
    (folder / "tokenizer.json").write_text(json.dumps(description))
    return folder


def split_by(*regexes):
    def change(description):
        parts = [{"type": "Split", "pattern": {"Regex": r}, "behavior": "Isolated", "invert": False} for r in regexes]
        parts.append({"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False})
        description["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": parts}
    return change


def normalized_by(*names):
    def change(description):
        description["normalizer"] = {"type": "Sequence", "normalizers": [{"type": n} for n in names]}
    return change


def flagged(description):
    flags = ("lstrip", "rstrip", "single_word", "normalized")
    contents = ["<l>", "<r>", "<lr>", "word", "n\u00e9e", "a a", "\u00e9\u00e9"]
    on = [{"lstrip"}, {"rstrip"}, {"lstrip", "rstrip"}, {"single_word"}, {"normalized", "single_word"}, {"normalized"}, {"rstrip", "normalized"}]
    for number, (content, which) in enumerate(zip(contents, on)):
        description["added_tokens"].append(
            {"id": 1536 + number, "content": content, "special": False, **{f: f in which for f in flags}})
    description["normalizer"] = {"type": "NFC"}


FLAGGED_TEXTS = [f"{a}{token}{b}{token}{c}" for token in ("<l>", "<r>", "<lr>", "word", "n\u00e9e", "ne\u0301e", "a a", "e\u0301\u00e9")
                 for a in ("", "x", " ", "x  ", "\u0995", "\u0995\u09be", "_") for b in ("", " ", "  y ", "\u3000\u0085", "-", "\u200d") for c in ("", "z", " ", "\n\t", "\u0301")]


def demo_cases(temporary):
    demo = from_json(DEMO)
    yield Case("demo", DEMO, demo, specials=["<|end|>", "<|user|>"])
    changes = {
        "add_prefix_space": lambda d: d.update(pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}),
        "digits": lambda d: d.update(pre_tokenizer={"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": False}, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}]}),
        "merges": lambda d: d["model"].update(ignore_merges=False),
        "classes": split_by(r"\w+", r"\d", r"[^\s\w]+|\s"),
        "not-classes": split_by(r"\W+|\h+", r"\D", r"[\S&]"),
        "counts": split_by(r"\p{N}{2,3}+|\p{L}{,2}|\s{2}"),
        "empty": split_by(r"(?=\p{Lu})|x*|$"),
        "lines": split_by(r"^.|.$|(?m:a.)"),
        "possessive": split_by(r"\p{L}++(?!\d)|[\p{L}\p{M}]*+\p{N}?+|(?<=\s)\S|\u0995\x{9be}"),
        "o200k": split_by(O200K),
        "nothing-to-split": split_by(),
    }
    for name, change in changes.items():
        folder = changed_demo(temporary, name, change)
        yield Case(name, folder, from_json(folder), texts=FEW)
    for names in (["NFC"], ["NFD"], ["NFKC"], ["NFKD"], ["Lowercase"], ["NFD", "Lowercase", "NFC"]):
        folder = changed_demo(temporary, "-".join(names), normalized_by(*names))
        yield Case("-".join(names), folder, from_json(folder), as_python(demo, *names), texts=FEW)
    folder = changed_demo(temporary, "flags", flagged)
    yield Case("flags", folder, from_json(folder), specials=FLAGGED_TEXTS, texts=())


# --- SentencePiece, trained here -------------------------------------------------------------------


def fields(message):
    """(number, value) of a protocol buffer's message."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or varint()
            yield key >> 3, message[at:at + size]
            at += size


def train(temporary, name, vocab_size=500, **options):
    folder = pathlib.Path(temporary) / name
    folder.mkdir()
    sentencepiece.SentencePieceTrainer.train(
        input=str(DEMO / "heldout.txt"), model_prefix=str(folder / "tokenizer"), minloglevel=2, vocab_size=vocab_size,
        character_coverage=0.99, hard_vocab_limit=False, num_threads=1, max_sentence_length=100_000, **options)
    return folder


def as_json(folder, normalizer, splitter, decoder=None):
    """A unigram tokenizer.json of the pieces of a tokenizer.model."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    size = range(model.get_piece_size())
    out = folder.parent / (folder.name + "-json")
    out.mkdir()
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(
        [(model.id_to_piece(i), model.get_score(i)) for i in size], unk_id=model.unk_id(), byte_fallback=any(map(model.is_byte, size))))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    if decoder:
        tokenizer.decoder = decoder
    tokenizer.save(str(out / "tokenizer.json"))
    return out


def character_map(folder):
    spec = dict(fields((folder / "tokenizer.model").read_bytes()))[3]
    return dict(fields(spec))[2]


def sentencepiece_cases(temporary):
    for name, options in {
        "unigram-nmt_nfkc": dict(model_type="unigram"),
        "unigram-bytes": dict(model_type="unigram", byte_fallback=True, normalization_rule_name="nfkc_cf", vocab_size=800),
        "unigram-identity": dict(model_type="unigram", normalization_rule_name="identity", remove_extra_whitespaces=False,
                                 add_dummy_prefix=False),
        "bpe-nfkc": dict(model_type="bpe", normalization_rule_name="nfkc"),
        "bpe-bytes": dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
                          split_digits=True, vocab_size=800),
        "bpe-symbols": dict(model_type="bpe", user_defined_symbols=["<x>", "  ", "\u00aa\u00aa", "the"], allow_whitespace_only_pieces=True),
    }.items():
        folder = train(temporary, name, **options)
        model = SentencePiece(folder / "tokenizer.model")
        yield Case(name, folder, model, spelled_out(model), specials=["<x>", "the", "  ", "\u00aa\u00aa"], texts=FEW)
        if name == "unigram-nmt_nfkc":
            mapped = normalizers.Sequence([normalizers.Precompiled(character_map(folder)), normalizers.Strip(left=False, right=True),
                                           normalizers.Replace(Regex(" {2,}"), MARK)])
            out = as_json(folder, mapped, pre_tokenizers.Metaspace(prepend_scheme="always"), decoders.Metaspace())
            yield Case("unigram-json", out, from_json(out), texts=FEW)
        if name == "unigram-bytes":
            out = as_json(folder, None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False))
            yield Case("unigram-first", out, from_json(out), decodes=False, texts=FEW)
        if name == "unigram-identity":
            out = as_json(folder, None, pre_tokenizers.Metaspace(prepend_scheme="never"))
            yield Case("unigram-never", out, from_json(out), decodes=False, texts=FEW)


# --- comparison ------------------------------------------------------------------------------------


class Count:
    def __init__(self):
        self.texts = self.tokens = 0
        self.wrong, self.causes = [], {}

    def add(self, text, expected, found, causes):
        self.texts += 1
        self.tokens += len(expected)
        if expected == found:
            return
        for cause, rule in causes.items():
            if rule(text) == found:
                self.causes[cause] = self.causes.get(cause, 0) + 1
                return
        self.wrong.append((text, expected, found))


def show(case, corpus, count, what="equal"):
    differ = "".join(f"; but {n}: {cause}" for cause, n in count.causes.items())
    print(f"{case.name:20} {corpus:12} {count.texts:6} texts {count.tokens:8} tokens  "
          f"{f'WRONG {len(count.wrong)}' if count.wrong else what}{differ}", flush=True)
    for text, expected, found in count.wrong[:3]:
        at = next((i for i, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
        print(f"    {ascii(text[:60])}: at {at} expected {expected[max(0, at - 2):at + 6]!a} found {found[max(0, at - 2):at + 6]!a}")


def record(case, corpus, count, failures):
    show(case, corpus, count)
    failures += count.wrong
    for cause, texts in count.causes.items():
        most = EXPECTED.get(cause, {}).get(case.name, {}).get(corpus, 0)
        if texts > most:
            failures.append((case.name, corpus, cause))
            print(f"    expected at most {most}: {cause}")


def check(case, texts, failures):
    sets = {name: texts[name] for name in case.texts if name in texts}
    if case.specials:
        sets["special"] = special_texts(case.specials)
    if case.recording:
        samples = recorded(case.recording)
        sets["recorded"] = [t for t, _ in samples]
    everything = [t for one in sets.values() for t in one]
    expected, found = case.oracle.encode(everything), encode(case.folder, everything)
    assert len(found) == len(everything), (len(found), len(everything))
    at = 0
    for name, samples_of in sets.items():
        count = Count()
        for text, a, b in zip(samples_of, expected[at:], found[at:]):
            count.add(text, a, b, case.causes)
        at += len(samples_of)
        record(case, name, count, failures)
    if case.recording:
        wrong = [(t, e) for (t, e), b in zip(samples, found[-len(samples):]) if e != b]
        print(f"{case.name:20} {len(samples)} recorded ids of llama.cpp: {'WRONG ' + str(len(wrong)) if wrong else 'equal'}")
        failures += wrong
    if case.decodes:
        check_decoding(case, everything, found, failures)
    check_special(case, failures)


def check_decoding(case, texts, ids, failures):
    shown = [(t, i) for n, (t, i) in enumerate(zip(texts, ids)) if (n % 10 == 0 or len(texts) < 20_000) and case.oracle.shows(i)]
    count = Count()
    expected, found = case.oracle.decode([i for _, i in shown]), decode(case.folder, [i for _, i in shown])
    for (text, _), a, b in zip(shown, expected, found):
        # libsentencepiece drops every one, where it joins spaces.
        marks = {"U+2581 at the beginning of the text itself": lambda t: " " * (len(b) - len(b.lstrip(" "))) + a if MARK in t else None}
        count.add(text, a, b, marks)
    record(case, "(decoded)", count, failures)


def check_special(case, failures):
    """The tokens around every text."""
    expected, found = case.oracle.encode(["One two", ""], special=True), encode(case.folder, ["One two", ""], "--special")
    if expected != found:
        print(f"{case.name}: with the tokens around it expected {expected}, found {found}")
        failures.append((case.name, expected, found))


def cases(temporary):
    yield from demo_cases(temporary)
    yield from sentencepiece_cases(temporary)
    if SHARED.is_dir():
        yield from real_cases(temporary)


def main():
    texts, failures, begin = corpora(), [], time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        for case in cases(temporary):
            if not sys.argv[3:] or case.name in sys.argv[3:]:
                check(case, texts, failures)
    print(f"{len(failures)} differences that nothing explains; {time.monotonic() - begin:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
