#!/usr/bin/env python3
"""Hashes of what the program writes: every architecture, container and way to choose codes, on one thread and on three.

    tests/outputs.py --write FILE      the table of what is written now
    tests/outputs.py --compare FILE    which outputs differ from the table; exit code 1 where one does

    --program PROGRAM (build/release/zeropoint)    --all: more models, ways and targets, for a table of one's own

Two and a half minutes of processor time on a loaded machine; --all takes far longer.

The same bytes come from every CPU, so tests/outputs.txt holds on any machine, and the test `outputs` compares with it. A change
that means to write other bytes renews it in the same commit, by --write tests/outputs.txt.

A line is one output: model, way, target, then each file and its hash; `said` is the output's part of --json but for path and
times. Models are models/demo and some with random weights, of one architecture each. Standard library only.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from random_models import MODELS, PlainDraw, draw_model, save_model

PROJECT = pathlib.Path(__file__).resolve().parent.parent
DEMO = PROJECT / "models/demo"
THREADS = (1, 3)

TARGETS = ["gguf:q4_k_m", "gguf:iq2_xs", "gguf:q5_1", "mlx:int4", "mlx:int3", "onnx:int4", "onnx:nf4", "genai:int4", "genai:nf4", "hf",
           "hf-compressed:int4:g32:zero", "hf-compressed:int8:channel", "hf-gptq:int4:g32", "hf-awq:int4:g32", "hf-bnb:fp4:g32"]  # fmt: skip
UNLIKE = ["gguf:q4_k_m", "gguf:iq2_xs", "gguf:q5_1", "mlx:int3", "onnx:int4", "genai:nf4", "openvino:int4:g32"]
FEW = ["gguf:q4_k_m", "mlx:int4"]
ALL = [*TARGETS, "gguf:q8_0", "gguf:q3_k_m", "gguf:iq4_xs", "gguf:iq3_s", "gguf:iq1_m", "gguf:tq2_0", "gguf:mxfp4", "gguf:nvfp4",
       "gguf:bf16", "mlx:int8:g32", "mlx:mxfp4", "onnx:int8", "onnx:int4:g128:sym", "hf:fp16"]  # fmt: skip

WINDOWS = ["--tokens", "1024", "--context", "64"]  # sixteen, of which one is held out
TEXT = ["--calibrate", "text.txt", *WINDOWS]
# Way -> its targets, and its options.
WAYS = {
    "mse": (TARGETS, ["--judge", "judge.txt", "--context", "64"]),
    "importance": (UNLIKE, [*TEXT, "--method", "mse"]),
    "imatrix": (FEW, ["--statistics", "model.imatrix.gguf"]),
    "gptq": (UNLIKE, TEXT),
    "gptq-alone": (FEW, [*TEXT, "--method", "gptq:upstream=off"]),
    "statistics": (FEW, ["--statistics", "model.statistics", "--method", "gptq"]),
    "awq": (FEW, [*TEXT, "--rewrite", "awq"]),
    "rotation": (FEW, [*TEXT, "--rewrite", "rotation"]),
    "fit": (["gguf"], ["--calibrate", "text.txt", "--tokens", "256", "--context", "64", "--fit", "5bpw"]),
}
# What --all adds.
MORE_WAYS = {
    **{way: (ALL, options) for way, (_, options) in WAYS.items() if way != "fit"},
    "nearest": (ALL, ["--method", "nearest"]),
    "hqq": (ALL, ["--method", "hqq"]),
    "observer": (ALL, ["--method", "nearest:observer=entropy"]),
    "gptq-floats": (ALL, [*TEXT, "--method", "gptq:order=on,floats=adjust"]),
    "smoothquant": (ALL, [*TEXT, "--rewrite", "smoothquant"]),
    "own": (FEW, ["--calibrate", "own", *WINDOWS]),
    "max-kld": (["gguf", "mlx", "onnx"], [*TEXT, "--max-kld", "0.5"]),
}
VARYING = {"path", "seconds", "peak_memory_bytes"}
LEFT_OUT = ["gpt2_untied"]  # mlx-lm has no such MLP
# Of the architectures, by random_models.py's names of them; their places are their seeds.
SAMPLED = ["llama", "phi3", "qwen2", "qwen3", "gpt2", "phi", "gemma2", "qwen3_moe"]


def can(config, targets):
    """Those of the targets that a model has: nothing multiplies experts by codes of nf4, nor in OpenVINO by any; and GPT-2 has
    no linear layers."""
    if "n_embd" in config:
        targets = [t for t in targets if not t.startswith("hf-")]
    if "num_experts" not in config:
        return targets
    return [t for t in targets if not t.endswith(":nf4") and not t.startswith("openvino")]


def digest(data):
    return hashlib.sha256(data).hexdigest()[:12]


def digests(path):
    """Of a file, or of each in a folder."""
    if path.is_file():
        return {"file": digest(path.read_bytes())}
    return {p.relative_to(path).as_posix(): digest(p.read_bytes()) for p in sorted(path.rglob("*")) if p.is_file()}


def without(value, keys):
    if isinstance(value, dict):
        return {k: without(v, keys) for k, v in value.items() if k not in keys}
    return [without(v, keys) for v in value] if isinstance(value, list) else value


class Session:
    """The program at work on one model, in a folder of its own, on so many threads."""

    def __init__(self, program, model, threads, folder):
        self.program, self.model, self.threads, self.folder = program, model, threads, folder
        self.config = json.loads((model / "config.json").read_text())
        self.table = {}  # "model way target" -> {file: hash}
        text = "".join(c for c in (DEMO / "heldout.txt").read_text(encoding="utf-8") if ord(c) < 128)
        (folder / "text.txt").write_text(text[:6000])
        (folder / "judge.txt").write_text(text[6000:6600])

    def run(self, *arguments):
        command = [self.program, *arguments, "--threads", str(self.threads)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, done.args))}\n  exit code {done.returncode}: {done.stderr}")
        return done.stdout

    def add(self, way, target, hashes):
        self.table[f"{self.model.name} {way} {target}"] = hashes

    def calibrate(self, name):
        self.run("calibrate", self.model, "--text", "text.txt", *WINDOWS, "-o", name, "--quiet")
        self.add("calibrate", name, digests(self.folder / name))

    def quantize(self, way, targets, options):
        """All targets in one run."""
        targets = can(self.config, targets)
        words = [word for i, target in enumerate(targets) for word in ("--to", f"{target}={way}-{i}")]
        said = json.loads(self.run("quantize", self.model, *words, *options, "--json"))
        for i, (target, output) in enumerate(zip(targets, said["outputs"], strict=True)):
            output = json.dumps(without(output, VARYING)).encode()
            self.add(way, target, {**digests(self.folder / f"{way}-{i}"), "said": digest(output)})


def outputs_of(program, model, threads, ways):
    with tempfile.TemporaryDirectory() as folder:
        session = Session(program, model, threads, pathlib.Path(folder))
        session.calibrate("model.statistics")
        session.calibrate("model.imatrix.gguf")
        for way, (targets, options) in ways.items():
            session.quantize(way, targets, options)
        return session.table


def widened(config):
    """Of two layers, with rows of 256, which every grid has blocks for, but in most MLPs' last matrix."""
    return {**config, "n_embd": 256} if "n_embd" in config else {**config, "hidden_size": 256, "num_hidden_layers": 2}


def make_models(folder, more):
    """The demo and, in the folder, a wide model of each architecture that is sampled; with `more` also every narrow one there is."""
    configs = {name: widened(MODELS[name][0]) for name in SAMPLED}
    if more:
        configs |= {f"{name}-narrow": config for name, (config, _) in MODELS.items() if name not in LEFT_OUT}
    seeds = enumerate(configs.items())
    return [DEMO, *(save_model(folder / name, config, draw_model(PlainDraw(seed), config)) for seed, (name, config) in seeds)]


def differences(old, new, names):
    """A line for each output that is not in both tables, the same: which of its files."""
    for key in dict.fromkeys([*old, *new]):
        if key not in old or key not in new:
            yield f"{key}: only {names[key in new]}"
        elif old[key] != new[key]:
            files = [file for file in dict.fromkeys([*old[key], *new[key]]) if old[key].get(file) != new[key].get(file)]
            yield f"{key}: {' '.join(files)}"


def written(program, more):
    """The table of what the program writes, and what differs between numbers of threads."""
    ways = WAYS | MORE_WAYS if more else WAYS
    tables = {threads: {} for threads in THREADS}
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        models = make_models(pathlib.Path(folder), more)
        jobs = [(threads, pool.submit(outputs_of, program, m, threads, ways)) for m in models for threads in THREADS]
        for threads, job in jobs:
            tables[threads] |= job.result()
    one, several = tables.values()
    return one, list(differences(one, several, [f"on {threads} threads" for threads in THREADS]))


def table_text(table):
    return "".join(f"{key}  {' '.join(f'{file}={hash}' for file, hash in files.items())}\n" for key, files in table.items())


def read_table(path):
    lines = [line.partition("  ") for line in path.read_text().splitlines()]
    return {key: dict(word.split("=") for word in files.split()) for key, _, files in lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=PROJECT / "build/release/zeropoint")
    parser.add_argument("--all", action="store_true")
    does = parser.add_mutually_exclusive_group(required=True)
    does.add_argument("--write", type=pathlib.Path)
    does.add_argument("--compare", type=pathlib.Path)
    options = parser.parse_args()
    table, unlike = written(options.program.resolve(), options.all)
    if unlike:
        print("\n".join(unlike), f"{len(unlike)} outputs depend on the number of threads", sep="\n")
        return 1
    if options.write:
        options.write.write_text(table_text(table))
        return 0
    unlike = list(differences(read_table(options.compare), table, [f"in {options.compare}", "written now"]))
    print(*unlike, f"{len(unlike)} of {len(table)} outputs differ", sep="\n")
    return 1 if unlike else 0


if __name__ == "__main__":
    sys.exit(main())
