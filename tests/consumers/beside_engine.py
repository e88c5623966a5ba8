"""What graphs of a runtime compute, beside our engine.

A comparison is the largest difference of logits, as a share of the bound that engine_test.py derives: below 1.
"""

import json
import subprocess

import numpy as np
from consumer import PROGRAM
from engine_test import LOGITS, bound
from make_random_models import make_random_model

TOKENS, ONE_BY_ONE = 100, 32


def engine(model, ids):
    run = subprocess.run([LOGITS, model], input=" ".join(map(str, ids)).encode(), capture_output=True)
    if run.returncode != 0:
        raise AssertionError(run.stderr.decode())
    return np.frombuffer(run.stdout, np.float32).reshape(len(ids), -1)


def some_ids(model):
    config = json.loads((model / "config.json").read_text())
    count = min(TOKENS, config.get("n_positions", TOKENS))
    return np.random.Generator(np.random.PCG64(5)).integers(0, config["vocab_size"], count).tolist()


def share_of_bound(found, model, ids):
    """found: logits of at most TOKENS ids. model: what the engine computes."""
    return np.abs(engine(model, ids) - found).max() / bound(model, TOKENS, np.abs(found).max())


def share_one_by_one(decoder, model, ids):
    """Of a decoder that has the last ids one by one, with its caches."""
    return share_of_bound(decoder.logits(ids, len(ids) - ONE_BY_ONE), model, ids)


def make_model(folder, name):
    """One of the random models, or odd_heads: llama's matrices as heads of 4, where runtimes know eights."""
    if name != "odd_heads":
        return make_random_model(folder / name, name)
    model = make_random_model(folder / name, "llama")
    config = json.loads((model / "config.json").read_text())
    config.update(num_attention_heads=16, num_key_value_heads=8)
    (model / "config.json").write_text(json.dumps(config))
    return model


def refusal(*arguments):
    run = subprocess.run([PROGRAM, "quantize", *arguments], capture_output=True, text=True)
    return run.returncode, run.stderr
