"""The tokenizers that we write to GGUF give, in llama.cpp, the ids of the model's own tokenizer.

    python tokenizer_test.py PROGRAM SOURCE_DIR [NAME...]        exit code 77: nothing to test with

vocabulary_gguf must stand beside PROGRAM; the tokenizers and texts are those of ../shared. For every
tokenizer (or those named) a GGUF is written and loaded in llama.cpp's server, and its ids are
compared with those of an oracle made from the same files. A difference counts as llama.cpp's own only when it is shown to be: the text isn't in normal
form C; or the oracle with llama.cpp's regex in place of the model's agrees; or llama.cpp's own
vocabulary file of that model gives the same ids as ours. Anything else fails the test.
"""

import base64
import json
import lzma
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata
import urllib.error
import urllib.request

try:
    import regex
    import sentencepiece
    import tokenizers
    import transformers
    import xllamacpp
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

PROGRAM, SOURCE = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
SHARED = SOURCE.parent / "shared" / "data"
VOCABULARY_GGUF = PROGRAM.parent / "vocabulary_gguf"

CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
# llama.cpp's granite-embed-multi-97m: o200k's, but case only in ASCII (llama-vocab.cpp).
O200K_LLAMA_CPP = (r"[^\r\n\p{L}\p{N}]?((?=[\p{L}\p{M}])([^a-z]))*((?=[\p{L}\p{M}])([^A-Z]))+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                   r"|[^\r\n\p{L}\p{N}]?((?=[\p{L}\p{M}])([^a-z]))+((?=[\p{L}\p{M}])([^A-Z]))*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                   r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


class LlamaCpp:
    """llama.cpp's server around one vocabulary."""

    def __init__(self, path):
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx = 64
        parameters.warmup = False
        parameters.verbosity = -1
        self.server = xllamacpp.Server(parameters)

    def ask(self, path, question):
        body = None if question is None else json.dumps(question).encode()  # None asks by GET
        request = urllib.request.Request(self.server.listening_address + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def encode(self, text, around=False):
        """Ids, or None where llama.cpp gives an error."""
        try:
            return self.ask("/tokenize", {"content": text, "add_special": around, "parse_special": True})["tokens"]
        except urllib.error.HTTPError:
            return None

    def decode(self, ids):
        return self.ask("/detokenize", {"tokens": ids})["content"]


# --- oracles: text -> ids, without the tokens around it ---------------------------------------------


def from_tokenizer_json(folder, normalized=True):
    """normalized=False looks for added tokens in the text as it is, as llama.cpp does."""
    description = json.loads((folder / "tokenizer.json").read_text())
    for token in description["added_tokens"]:
        token["normalized"] = token["normalized"] and normalized
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(description))
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def added_tokens(folder):
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text()) if path.exists() else {}
    return sorted((int(i), t) for i, t in config.get("added_tokens_decoder", {}).items())


def from_vocab_merges(folder, split, strip=True):
    """strip=False leaves the spaces beside added tokens where they are, as llama.cpp does."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.Split(tokenizers.Regex(split), "isolated"),
         tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    ids = {}  # the package numbers new tokens on from the last; where ids have holes they are mapped back
    for wanted, token in added_tokens(folder):
        flags = {k: token[k] and (strip or "strip" not in k) for k in ("single_word", "lstrip", "rstrip", "normalized")}
        tokenizer.add_tokens([tokenizers.AddedToken(token["content"], special=token["special"], **flags)])
        ids[tokenizer.token_to_id(token["content"])] = wanted
    return lambda text: [ids.get(i, i) for i in tokenizer.encode(text, add_special_tokens=False).ids]


def from_transformers(folder, name):
    tokenizer = getattr(transformers, name).from_pretrained(str(folder))
    return lambda text: tokenizer.encode(text, add_special_tokens=False)


def from_ranks(path, split, added=(), strip=True):
    """tiktoken's rule, written down: the best-ranked neighbours merge until none are a token."""
    ranks = {}
    for line in path.read_text().split("\n"):
        if line:
            token, rank = line.split(" ")
            ranks[base64.b64decode(token)] = int(rank)
    words, cache = regex.compile(split), {}
    spaces = lambda flag: r"\s*" if flag and strip else ""
    special = {t["content"]: i for i, t in added}
    around = regex.compile("|".join(f"{spaces(t['lstrip'])}({regex.escape(t['content'])}){spaces(t['rstrip'])}" for _, t in added))

    def merge(word):
        if word in ranks:
            return [ranks[word]]
        parts = [word[i:i + 1] for i in range(len(word))]
        while len(parts) > 1:
            rank, i = min((ranks.get(parts[i] + parts[i + 1], 1 << 40), i) for i in range(len(parts) - 1))
            if rank == 1 << 40:
                break
            parts[i:i + 2] = [parts[i] + parts[i + 1]]
        return [ranks[p] for p in parts]

    def plain(text):
        ids = []
        for match in words.finditer(text):
            word = match.group()
            if word not in cache:
                cache[word] = merge(word.encode())
            ids += cache[word]
        return ids

    def encode(text):
        ids, at = [], 0
        for match in around.finditer(text) if added else []:
            token = next(t for t in match.groups() if t)
            ids += plain(text[at:match.start()]) + [special[token]]
            at = match.end()
        return ids + plain(text[at:])

    return encode


def from_sentencepiece(folder):
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    return lambda text: model.encode(text)


# --- texts -----------------------------------------------------------------------------------------


def pieces(text, characters=1000, total=200_000):
    """Paragraphs up to `total` bytes, put together to about `characters` each."""
    out, part = [], ""
    for line in text.encode()[:total].decode(errors="ignore").splitlines(keepends=True):
        part += line
        if len(part) >= characters:
            out.append(part)
            part = ""
    return out + ([part] if part else [])


def unicode_sampler(seed=0):
    """Every script, whitespace, emoji, digits and code, in short mixed texts."""
    rng = random.Random(seed)
    assigned = [chr(c) for c in range(0x21, 0x30000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co", "Cc")]
    blocks = {}
    for c in assigned:
        blocks.setdefault(ord(c) >> 7, []).append(c)
    spaces = [chr(c) for c in range(1, 0x3001) if chr(c).isspace()]
    texts = []
    for block in blocks.values():
        for _ in range(2):
            word = lambda: "".join(rng.choice(block) for _ in range(rng.randint(1, 6)))
            texts.append(" ".join(word() for _ in range(6)) + rng.choice(["", " ", "\n", "."]))
    for space in spaces:
        texts += [space * n + "a" + space * 2 + "b " + space + "\n" + space for n in (1, 2, 5)]
    texts += [" " * n + "x" + "\n" * (n % 7) + "\t" * (n % 5) + " " * (n % 11) for n in range(1, 70)]
    texts += ["\n" * n for n in range(1, 9)] + ["\r\n" * n for n in range(1, 5)] + [" \n" * 3, "a\r\n \r\nb", " ", "\t"]
    texts += ["1" * n for n in range(1, 12)] + ["3.14159 -2,718e+10 0x1F 1_000_000 \u0967\u0968\u0969\u096a \u2460\u00bd\u00b2\u2167"]
    texts += ["I'm you'RE we'LL IT'S don'T 'tis 's 'S 'VE they\u2019re o'clock 'lll ''s"]
    texts += ["\U0001F468\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466 \U0001F44D\U0001F3FD \U0001F1E7\U0001F1E9 \u2764\ufe0f caf\u00e9 na\u00efve \u01c5ungla HTMLParser iPhone\u00c9COLE \u041f\u0440\u0438\u0432\u0435\u0442\u041c\u0438\u0440"]
    texts += ["\u0421\u0421\u0421\u0420\u0438\u0423\u043a\u0440\u0430\u0438\u043d\u0430 \u0391\u03b8\u03ae\u03bd\u03b1\u0395\u03bb\u03bb\u03ac\u03b4\u03b1 MeinSch\u00f6nes\u00d6sterreich \u00d8rsted\u00c5rhus istanbul\u0130stanbul"]
    texts += ["def f(x: int) -> str:\n\tif x>=0 and not x%2:\n        return f'{x!r}'  # ok\n\n\nclass A(B):\n    pass\n",
              "for(int i=0;i<n;++i){a[i]+=b[i]*c[i];}//done\n#include <vector>\nstd::vector<std::pair<int,int>> v{{1,2}};\n",
              "SELECT * FROM t WHERE a='b''c' AND d<>NULL;\r\n<html><body class=\"x\">&nbsp;</body></html>"]
    return texts


def token_soup(llama_cpp, seed=0):
    """Texts of random tokens, so that every token has its chance."""
    rng = random.Random(seed)
    vocabulary = llama_cpp.ask("/v1/models", None)["data"][0]["meta"]["n_vocab"]
    texts = []
    for _ in range(500):
        try:
            texts.append(llama_cpp.decode([rng.randrange(vocabulary) for _ in range(20)]))
        except urllib.error.HTTPError:
            pass  # the bytes weren't UTF-8
    return texts


def special_texts(tokens):
    texts = []
    for token in tokens:
        texts += [token, f"{token}Hello", f"a{token}b{token}{token}c", f"Hi{token}\nyou {token} there"]
    return texts


def corpora():
    read = lambda name: lzma.open(SHARED / "corpus" / name, "rt", encoding="utf-8").read()
    return {
        "wiki": pieces((SHARED / "text/wiki.test.raw").read_text()),
        "english": pieces(read("heldout.txt.xz")),
        "bengali": pieces(read("heldout_bn.txt.xz")),
        "unicode": unicode_sampler(),
    }


def recorded(name):
    """llama.cpp's own test inputs and the ids expected."""
    base = SHARED / "gguf" / f"ggml-vocab-{name}.gguf"
    texts = pathlib.Path(f"{base}.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
    ids = [[int(i) for i in line.split()] for line in pathlib.Path(f"{base}.out").read_text().split("\n")]
    return list(zip(texts, ids))


# --- comparison ------------------------------------------------------------------------------------


class Case:
    def __init__(self, name, source, oracle, own=None, recording=None, specials=(), rules=None, before=(), unknown=None):
        self.name = name
        self.source = source        # folder of the tokenizer
        self.oracle = oracle
        self.own = own              # llama.cpp's own vocabulary file
        self.recording = recording  # name of .inp and .out
        self.specials = specials    # added tokens to try
        self.rules = rules or {}    # by cause: an oracle that does as llama.cpp does
        self.before = list(before)  # ids before every text
        self.unknown = unknown      # id of the unknown token where there are no byte tokens


def explain(case, text, expected, found, ours, own):
    """Why llama.cpp may differ from the oracle here without our being wrong, or None."""
    if found is None:
        return "no byte tokens, llama.cpp refuses unknown characters" if case.unknown in expected else None
    normal = unicodedata.normalize("NFC", text)
    if normal != text and case.oracle(normal) == ours(normal):
        return "not in normal form C"
    for cause, rule in case.rules.items():
        if rule(text) == found:
            return cause
    if own and own(text) == found:
        return "same in llama.cpp's own vocabulary file"
    return None


def compare(case, texts, ours, own):
    counts = {"texts": 0, "tokens": 0, "differ": {}, "wrong": []}
    for text in texts:
        expected, found = case.oracle(text), ours(text)
        counts["texts"] += 1
        counts["tokens"] += len(expected)
        if expected == found:
            continue
        cause = explain(case, text, expected, found, ours, own)
        if cause:
            counts["differ"][cause] = counts["differ"].get(cause, 0) + 1
        else:
            counts["wrong"].append((text, expected, found or []))
    return counts


def show(case, corpus, counts):
    differ = ", ".join(f"{n} texts: {cause}" for cause, n in counts["differ"].items())
    print(f"{case.name:22} {corpus:9} {counts['texts']:5} texts {counts['tokens']:8} tokens"
          f"  {'WRONG ' + str(len(counts['wrong'])) if counts['wrong'] else 'equal'}{'; but ' + differ if differ else ''}", flush=True)
    for text, expected, found in counts["wrong"][:3]:
        at = next((i for i, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
        print(f"    {text[:60]!r}: at token {at} expected {expected[max(0, at - 2):at + 6]} found {found[max(0, at - 2):at + 6]}")


def run(case, folder, texts, failures):
    path = pathlib.Path(folder) / f"{case.name}.gguf"
    subprocess.run([VOCABULARY_GGUF, case.source, path], check=True, stdout=subprocess.DEVNULL)
    ours, own = LlamaCpp(path), None
    if case.own:
        own_path = pathlib.Path(folder) / f"{case.name}-own.gguf"
        subprocess.run([VOCABULARY_GGUF, case.own[0], own_path, *case.own[1:]], check=True)
        own = LlamaCpp(own_path)
    sets = dict(texts, tokens=token_soup(ours), special=special_texts(case.specials))
    if case.recording:
        pairs = recorded(case.recording)
        wrong = [(t, e, ours.encode(t)) for t, e in pairs if ours.encode(t) != e]
        show(case, "recorded", {"texts": len(pairs), "tokens": sum(len(e) for _, e in pairs), "differ": {}, "wrong": wrong})
        failures += [(case.name, *w) for w in wrong]
    for name, samples in sets.items():
        counts = compare(case, samples, ours.encode, own and own.encode)
        show(case, name, counts)
        failures += [(case.name, *w) for w in counts["wrong"]]
    expected, found = case.before + case.oracle("One two"), ours.encode("One two", around=True)
    if expected != found:
        print(f"{case.name}: with the tokens around it expected {expected}, found {found}")
        failures.append((case.name, "One two", expected, found))


def only(source, files, folder):
    """A copy of a folder with these files alone."""
    path = pathlib.Path(folder) / ("only-" + source.name)
    path.mkdir()
    for file in files:
        (path / file).write_bytes((source / file).read_bytes())
    return path


def cases(temporary):
    t, m = SHARED / "tokenizers", SHARED / "models"
    specials = lambda folder: [token["content"] for _, token in added_tokens(folder)][:12]
    json_added = lambda folder: [a["content"] for a in json.loads((folder / "tokenizer.json").read_text())["added_tokens"]][:12]
    own = lambda name, *pre: (SHARED / "gguf" / f"ggml-vocab-{name}.gguf", *pre)
    spaces, capitals = "spaces beside added tokens", "capitals outside ASCII inside a word"
    yield Case("gpt2", t / "gpt2", from_transformers(t / "gpt2", "GPT2TokenizerFast"), own("gpt-2"), "gpt-2", ["<|endoftext|>"])
    yield Case("phi-2", t / "phi-2", from_tokenizer_json(t / "phi-2"), own("gpt-2"), None, json_added(t / "phi-2"))
    yield Case("gpt-neox-20b", t / "gpt-neox-20b", from_tokenizer_json(t / "gpt-neox-20b"), own("gpt-neox", "gpt-2"), None,
               json_added(t / "gpt-neox-20b"))
    llama2 = only(t / "llama2", ["tokenizer.model", "tokenizer_config.json"], temporary)
    yield Case("llama2", llama2, from_sentencepiece(llama2), own("llama-spm"), "llama-spm", before=[1])
    yield Case("phi-3-mini", t / "phi-3-mini", from_tokenizer_json(t / "phi-3-mini"), own("phi-3"), "phi-3", json_added(t / "phi-3-mini"))
    yield Case("llama3", t / "llama3", from_ranks(t / "llama3/tokenizer.model", CL100K), None, "llama-bpe")
    phi4, ranks = t / "phi-4-base", t / "phi-4-base/cl100k_base.tiktoken"
    yield Case("phi-4-base", phi4, from_ranks(ranks, CL100K, added_tokens(phi4)), None, None, specials(phi4),
               {spaces: from_ranks(ranks, CL100K, added_tokens(phi4), strip=False)})
    mini = t / "phi-4-mini"
    yield Case("phi-4-mini", mini, from_vocab_merges(mini, O200K), None, None, specials(mini),
               {spaces: from_vocab_merges(mini, O200K, strip=False), capitals: from_vocab_merges(mini, O200K_LLAMA_CPP)})
    yield Case("qwen2.5", t / "qwen2.5", from_transformers(t / "qwen2.5", "Qwen2TokenizerFast"), None, "qwen2", specials(t / "qwen2.5"))
    yield Case("stories260k", m / "stories260k", from_tokenizer_json(m / "stories260k"), None, None, json_added(m / "stories260k"), before=[1])
    json_only = only(m / "stories260k", ["tokenizer.json"], temporary)  # scores from the merges alone
    yield Case("stories260k-json", json_only, from_tokenizer_json(json_only), None, None, json_added(json_only), before=[1])
    for name in ("tinystories-656k", "tinystories-656k-phi3"):
        yield Case(name, m / name, from_tokenizer_json(m / name), None, None, json_added(m / name),
                   {"added tokens looked for after normalization": from_tokenizer_json(m / name, normalized=False)},
                   before=[1], unknown=0)
    yield Case("en-bn-llama", m / "en-bn-llama", from_tokenizer_json(m / "en-bn-llama"), None, None, json_added(m / "en-bn-llama"))
    demo = SOURCE / "models/demo"
    if (demo / "tokenizer.json").exists():
        yield Case("demo", demo, from_tokenizer_json(demo), None, None, json_added(demo), before=before_text(demo))


def before_text(folder):
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    with_them, without = tokenizer.encode("One two").ids, tokenizer.encode("One two", add_special_tokens=False).ids
    return with_them[:len(with_them) - len(without)]


def main():
    if not SHARED.is_dir():
        print(f"skipped: no {SHARED}")
        return 77
    texts, failures = corpora(), []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(folder):
            if not sys.argv[3:] or case.name in sys.argv[3:]:
                run(case, folder, texts, failures)
    print(f"{len(failures)} texts with ids that nothing explains")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
