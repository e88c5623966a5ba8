"""The engine's logits against those of transformers, for every architecture.

    python engine_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
    python engine_test.py PROGRAM SOURCE_DIR --store      writes expected/logits.npz, needs the oracles

Some positions' logits of random models (random_models.py) are stored. Where ZEROPOINT_ORACLES
names a Python with torch and transformers, every position is computed afresh, of real models too.

The bound. Every sum of K products runs in sixteen lanes (kernel/matmul.h): at most K / 16 + 5
roundings of relative size u = 2^-24 meet one product, and a sum of K products of random signs is
smaller than the sum of their magnitudes by sqrt(K): its error is at most (K / 16 + 5) sqrt(K) u of
its size. The other side's sums are no longer than K in whatever order. Errors of the layers' sums
are independent, so their squares add up; what a norm brings back to size 1 reaches the logits in
proportion to their own size. Rotary angles are FP32 on both sides: position x u each.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

from consumer import HERE, PROGRAM, SHARED, SOURCE
from make_random_models import make_random_model, random_weights
from random_models import MODELS, VOCABULARY, save_model

LOGITS = PROGRAM.parent / "logits"
STORED = HERE / "expected/logits.npz"
KEPT = [0, 40, -1]  # positions that are stored
REAL = [
    SOURCE / "models/demo",
    SHARED / "models/stories260k",
    SHARED / "models/tinystories-656k",
    SHARED / "models/tinystories-656k-phi3",
    SHARED / "models/en-bn-llama",
]
ORACLES = os.environ.get("ZEROPOINT_ORACLES")


def sequences(vocabulary):
    random = np.random.Generator(np.random.PCG64(5))
    return [random.integers(0, vocabulary, size=n).tolist() for n in (1, 100)]


def ours(model, chunk=0, threads=2, cpu=""):
    config = json.loads((model / "config.json").read_text())
    lines = "\n".join(" ".join(map(str, ids)) for ids in sequences(config["vocab_size"]))
    command = [LOGITS, model, str(chunk), str(threads), cpu]
    run = subprocess.run(command, input=lines.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode != 0:
        raise AssertionError(run.stderr.decode())
    rows = np.frombuffer(run.stdout, np.float32).reshape(-1, config["vocab_size"])
    return rows[:1], rows[1:]


def theirs(folders, out):
    requests = {}
    for folder in folders:
        config = json.loads((folder / "config.json").read_text())
        requests[folder.name] = {"model": str(folder), "sequences": sequences(config["vocab_size"])}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(requests))
        file.flush()
        subprocess.run([ORACLES, HERE / "make_logits.py", out, file.name], check=True)
    return np.load(out)


def bound(model, length, size):
    c = json.loads((model / "config.json").read_text())
    c = c.get("text_config", c)
    hidden = c.get("hidden_size") or c["n_embd"]
    layers = c.get("num_hidden_layers") or c["n_layer"]
    heads = c.get("num_attention_heads") or c["n_head"]
    head = c.get("head_dim") or hidden // heads
    ffn = c.get("intermediate_size") or c.get("n_inner") or 4 * hidden
    u = 2.0**-24

    def error(k):
        return 2 * (k / 16 + 5) * k**0.5 * u

    # q, k, v; scores; values; output; gate, up; down; the angles.
    layer = [error(hidden)] * 5 + [error(head), error(length), error(heads * head), error(ffn), 2 * length * u]
    if rank := c.get("kv_lora_rank"):
        # Of latent attention: both vectors, gate, up; what queries, keys and values come of.
        head, values = c["qk_nope_head_dim"] + c["qk_rope_head_dim"], heads * c["v_head_dim"]
        layer = [error(hidden)] * 4 + [error(rank), error(c.get("q_lora_rank") or hidden)] + [
            error(head), error(length), error(values), error(ffn), 2 * length * u
        ]  # fmt: skip
    return size * sum(e * e for e in layers * layer + [error(hidden)]) ** 0.5


class EngineTest(unittest.TestCase):
    def check(self, model, found, expected):
        """found, expected: lists of rows of logits."""
        size = max(np.abs(rows).max() for rows in expected)
        limit = bound(model, 100, size)
        off = max(np.abs(f - e).max() for f, e in zip(found, expected))
        print(f"{model.name:24} largest difference {off:.2e}, bound {limit:.2e}, logits up to {size:.1f}")
        self.assertLess(off, limit)

    def test_random_models(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            models = [make_random_model(folder / name, name) for name in MODELS]
            expected = theirs(models, folder / "all.npz") if ORACLES else np.load(STORED)
            for model in models:
                with self.subTest(model=model.name):
                    found = ours(model)
                    if not ORACLES:
                        found = found[0], found[1][KEPT]
                    self.check(model, found, [expected[f"{model.name}/{i}"] for i in range(2)])

    @unittest.skipUnless(ORACLES, "ZEROPOINT_ORACLES names no Python with torch and transformers")
    def test_real_models(self):
        models = [m for m in REAL if (m / "config.json").exists()]
        with tempfile.TemporaryDirectory() as folder:
            expected = theirs(models, pathlib.Path(folder) / "all.npz")
            for model in models:
                with self.subTest(model=model.name):
                    self.check(model, ours(model), [expected[f"{model.name}/{i}"] for i in range(2)])

    @unittest.skipUnless(ORACLES, "ZEROPOINT_ORACLES names no Python with torch and transformers")
    def test_the_text_s_part_of_models_of_several_parts(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            subprocess.run([ORACLES, HERE / "make_text_parts.py", folder], check=True, stderr=subprocess.DEVNULL)
            stored = np.load(folder / "logits.npz")
            for name in stored.files:
                if name == "ids":
                    continue
                with self.subTest(model=name):
                    expected = stored[name]
                    command = [LOGITS, folder / name, "0", "1"]
                    line = " ".join(map(str, stored["ids"])).encode()
                    run = subprocess.run(command, input=line, capture_output=True, check=True)
                    found = np.frombuffer(run.stdout, np.float32).reshape(expected.shape)
                    config = json.loads((folder / name / "config.json").read_text())
                    (folder / "config.json").write_text(json.dumps(config.get("text_config", config)))
                    limit = bound(folder, len(expected), np.abs(expected).max())
                    off = np.abs(found - expected).max()
                    print(f"{name:24} largest difference {off:.2e}, bound {limit:.2e}")
                    self.assertLess(off, limit)

    @unittest.skipUnless(ORACLES, "ZEROPOINT_ORACLES names no Python with torch and transformers")
    def test_of_experts_with_equal_scores_the_first_is_taken(self):
        """torch.topk takes either: which one, it leaves open. The last layer alone has experts, so that each position's answer is
        that of its own choice."""
        first, second = "model.layers.1.mlp.experts.1.", "model.layers.1.mlp.experts.3."
        config = {**MODELS["qwen3_moe"][0], "mlp_only_layers": [0]}
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            tensors = random_weights(config, 3)
            router = tensors["model.layers.1.mlp.gate.weight"]
            router[3] = router[1]
            save_model(folder / "tied", config, tensors)
            swapped = {name.replace(first, "\0").replace(second, first).replace("\0", second): t for name, t in tensors.items()}
            save_model(folder / "swapped", config, swapped)
            (_, taken), (_, other) = ours(folder / "tied"), ours(folder / "swapped")
            expected = theirs([folder / "tied"], folder / "all.npz")["tied/1"]
            limit = bound(folder / "tied", 100, np.abs(expected).max())
        apart = np.abs(taken - other).max(axis=1) > 2 * limit
        same = np.abs(taken - expected).max(axis=1) < limit
        self.assertGreater(np.count_nonzero(apart), 5, "positions where the choice counts")
        self.assertTrue(np.all(same | (np.abs(other - expected).max(axis=1) < limit)))
        print(f"ties: transformers takes the first at {np.count_nonzero(same & apart)} of {np.count_nonzero(apart)} positions")

    def test_same_bits_however_it_is_computed(self):
        run = subprocess.run([PROGRAM, "list", "instruction-sets", "--json"], stdout=subprocess.PIPE, check=True)
        sets = [entry["name"] for entry in json.loads(run.stdout)]
        self.assertTrue(sets)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("llama_biases", "phi3_long", "gpt2", "qwen3_moe", "lfm2", "qwen3_5", "falcon_h1", "nemotron_h_latent"):
                model = make_random_model(pathlib.Path(folder) / name, name)
                first = [rows.tobytes() for rows in ours(model)]
                ways = [{"threads": n} for n in (1, 2, 7)] + [{"chunk": n} for n in (1, 7, 64)]
                for way in ways + [{"cpu": cpu} for cpu in sets]:
                    with self.subTest(model=name, **way):
                        self.assertEqual([rows.tobytes() for rows in ours(model, **way)], first)

    def test_refuses_what_it_cannot_run(self):
        with tempfile.TemporaryDirectory() as folder:
            model = make_random_model(pathlib.Path(folder) / "gpt2", "gpt2")
            positions = json.loads((model / "config.json").read_text())["n_positions"]
            for ids, said in (([VOCABULARY], "vocabulary"), ([-1], "vocabulary"), ([1] * (positions + 1), "too long")):
                run = subprocess.run([LOGITS, model], input=" ".join(map(str, ids)), capture_output=True, text=True)
                self.assertEqual(run.returncode, 1)
                self.assertIn(said, run.stderr)
                self.assertEqual(run.stderr.count("\n"), 1, run.stderr)


def store():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        models = [make_random_model(folder / name, name) for name in MODELS]
        all_rows = theirs(models, folder / "all.npz")
        kept = {name: rows[KEPT] if len(rows) > 1 else rows for name, rows in all_rows.items()}
    np.savez_compressed(STORED, **kept)


if __name__ == "__main__":
    store() if sys.argv[3:] == ["--store"] else unittest.main(argv=sys.argv[:1])
