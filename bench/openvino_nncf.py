#!/usr/bin/env python3
"""Our int4 beside NNCF's, on the same graph in the same runtime.

    bench/openvino_nncf.py quality MODEL --calibrate TRAIN --judge TEXT... [--tokens N] [--context N] [--characters N]
    bench/openvino_nncf.py runtime MODEL [--rounds N] [--count N]
    bench/openvino_nncf.py seconds MODEL

Each prints a Markdown table. Every linear has 4 bits in groups with FP16 scales and zero-points of 4 bits, embedding and head
have 8 bits, a scale and a zero-point for each row: NNCF's int4_asym, and what openvino:int4:g64 is.

quality: mean KL divergence from the FP32 graph, nats a token, computed by OpenVINO in FP32 (activations not rounded);
processor seconds and own memory (the most anonymous memory seen) of the whole command, of NNCF from the FP32 graph on the
disk to the folder on the disk. Both are calibrated on the same text, in windows of the same size.
runtime: what the runtime makes of either folder: linears by the type of their weights, the largest constant that became
FP32, memory of a process that loads the model, tokens a second one by one, turn and turn about.
seconds: quantizing without a text, nothing but the model; of NNCF from the FP16 graph on the disk on.

Needs nncf beside requirements/consumers.txt.
"""

import argparse
import collections
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from calibrated import PIECES, ROOT, read

sys.path.append(str(ROOT / "tests/consumers"))
OURS = {"nearest": ["--method", "nearest"], "mse": ["--method", "mse"], "gptq": ["--method", "gptq"]}
THEIRS = {
    "default": {},
    "awq, scale estimation": {"awq": True, "scale_estimation": True},
    "awq, scale estimation, gptq": {"awq": True, "scale_estimation": True, "gptq": True},
}


def anonymous_memory(pid):
    """Bytes; 0 when the process has ended."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("RssAnon")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


def processor_time():
    """Of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(command):
    """What it prints, seconds, processor seconds, and the most anonymous memory seen."""
    begin, before = time.monotonic(), processor_time()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    most = [0]

    def watch():
        while process.poll() is None:
            most[0] = max(most[0], anonymous_memory(process.pid))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    said = process.communicate()[0]
    watcher.join()
    if process.returncode != 0:
        sys.exit(f"failed: {command}")
    return said, time.monotonic() - begin, processor_time() - before, most[0]


def ours(o, out, options):
    command = [o.program, "quantize", o.model, "--to", f"openvino:int4:g{o.group}={out}", "--json", "--quiet", *options]
    return measured(command)[1:]


def theirs(o, source, out, options, windows):
    """In a process of its own, which says what it took from the graph on the disk on."""
    asked = json.dumps({"source": str(source), "out": str(out), "group": o.group, "options": options, "windows": str(windows)})
    said, _, _, memory = measured([sys.executable, __file__, "nncf", asked])
    seconds, processor = map(float, said.splitlines()[-1].split())
    return seconds, processor, memory


def feed(ids, before=0):
    """What a decoder graph takes: one sequence, behind so many tokens."""
    import numpy as np

    end = before + len(ids)
    return {
        "input_ids": np.array([ids], np.int64),
        "attention_mask": np.ones((1, end), np.int64),
        "position_ids": np.arange(before, end, dtype=np.int64)[None],
        "beam_idx": np.zeros(1, np.int32),
    }


def compress(asked):
    import nncf
    import openvino as ov

    windows = json.loads(pathlib.Path(asked["windows"]).read_text()) if asked["options"] else []
    begin, before = time.monotonic(), time.process_time()
    model = ov.Core().read_model(pathlib.Path(asked["source"]) / "openvino_model.xml")
    dataset = {"dataset": nncf.Dataset(windows, feed), "subset_size": len(windows)} if windows else {}
    mode = nncf.CompressWeightsMode.INT4_ASYM
    model = nncf.compress_weights(model, mode=mode, group_size=asked["group"], **asked["options"], **dataset)
    out = pathlib.Path(asked["out"])
    out.mkdir()
    ov.save_model(model, out / "openvino_model.xml", compress_to_fp16=False)
    print(time.monotonic() - begin, time.process_time() - before)


# ---- quality


def tokens_of(o, text, folder):
    (folder / "text").write_text(text)
    done = subprocess.run([o.program, "tokenize", o.model, "--file", folder / "text", "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["ids"]


def windows_of(o, text, folder):
    ids = tokens_of(o, text, folder)
    return [ids[i : i + o.context] for i in range(0, len(ids) - o.context + 1, o.context)]


def calibration_text(o, folder):
    """Pieces spread evenly over the text, of which both take all: some tokens more than are asked for."""
    text = read(o.calibrate)
    step = len(text) // PIECES
    size = 1000
    for _ in range(3):  # to the size that gives so many tokens
        taken = "\n".join(text[i * step : i * step + min(size, step)] for i in range(PIECES))
        size = int(size * 1.02 * o.tokens / len(tokens_of(o, taken, folder)))
    return taken


def log_probabilities(decoder, window):
    """Of the second half, where there is a next token to judge."""
    import numpy as np

    decoder.start()
    logits = decoder.step(np.array([window]))[0, len(window) // 2 : -1].astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def decoder_of(folder):
    from openvino_runtime import EXACT, Decoder

    return Decoder(folder, EXACT | {"INFERENCE_NUM_THREADS": str(os.cpu_count())})


def divergence(decoder, windows, exact):
    """Mean and standard error."""
    import numpy as np

    each = []
    for window, kept in zip(windows, exact):
        p = kept.astype(np.float64)
        each.append((np.exp(p) * (p - log_probabilities(decoder, window))).sum(axis=1))
    each = np.concatenate(each)
    return f"{each.mean():.5f} +- {each.std() / np.sqrt(len(each)):.5f}"


def quality(o, folder):
    train = folder / "train"
    train.write_text(calibration_text(o, folder))
    calibrated = windows_of(o, train.read_text(), folder)[: o.tokens // o.context]
    (folder / "windows").write_text(json.dumps(calibrated))
    judged = {path.name: windows_of(o, read(path)[: o.characters], folder) for path in o.judge}
    source = folder / "fp32"
    subprocess.run([o.program, "quantize", o.model, "--to", f"openvino:fp32={source}", "--quiet"], check=True)
    decoder = decoder_of(source)
    exact = {name: [log_probabilities(decoder, w).astype("f4") for w in windows] for name, windows in judged.items()}
    print(f"| quantizer | bytes of weights | {' | '.join(judged)} | processor s | own memory, MiB |\n|---|---|{'---|' * len(judged)}---|---|", flush=True)
    for name in [*o.ours, *o.theirs]:
        out = folder / "out"
        if name in OURS:
            text = ["--calibrate", train, "--tokens", o.tokens, "--context", o.context] if name == "gptq" else []
            _, seconds, memory = ours(o, out, [*OURS[name], *text])
        else:
            _, seconds, memory = theirs(o, source, out, THEIRS[name], folder / "windows")
        decoder = decoder_of(out)
        cells = " | ".join(divergence(decoder, windows, exact[text]) for text, windows in judged.items())
        size = (out / "openvino_model.bin").stat().st_size
        who = "zeropoint" if name in OURS else "nncf"
        print(f"| {who} {name} | {size} | {cells} | {seconds:.1f} | {memory / 2**20:.0f} |", flush=True)
        shutil.rmtree(out)


# ---- what the runtime makes of it


def in_runtime(folder, count):
    """Compiles the model, says what became of its weights, then goes on token by token from lines on standard input."""
    import openvino as ov

    bare = anonymous_memory("self")
    begin = time.monotonic()
    compiled = ov.Core().compile_model(folder / "openvino_model.xml", "CPU", {"INFERENCE_NUM_THREADS": str(os.cpu_count())})
    seconds = time.monotonic() - begin
    linears, largest, smallest = collections.Counter(), 0, None
    for node in compiled.get_runtime_model().get_ordered_ops():
        said = {key: value.astype(str) for key, value in node.get_rt_info().items()}
        if said["layerType"] == "FullyConnected":
            linears[said["runtimePrecision"]] += 1
        if said["layerType"] == "Const" and said["outputPrecisions"] == "f32":
            elements = 1
            for size in node.get_output_shape(0):
                elements *= size
            largest = max(largest, elements)
    print(json.dumps({"linears": linears, "largest": largest, "seconds": seconds, "memory": anonymous_memory("self") - bare}), flush=True)
    request = compiled.create_infer_request()
    for _ in sys.stdin:
        request.reset_state()
        ids, seen = list(range(1, 17)), 0
        for step in range(count + 1):
            if step == 1:
                begin = time.monotonic()
            logits = request.infer(feed(ids, seen))["logits"]
            seen += len(ids)
            ids = [int(logits[0, -1].argmax())]
        print(count / (time.monotonic() - begin), flush=True)


def runtime(o, folder):
    source, own, other = folder / "fp32", folder / "zeropoint", folder / "nncf"
    subprocess.run([o.program, "quantize", o.model, "--to", f"openvino:fp32={source}", "--quiet"], check=True)
    ours(o, own, OURS["nearest"])
    theirs(o, source, other, {}, "")
    processes, said, peaks = {}, {}, {}
    for path in (own, other):
        command = [sys.executable, __file__, "in-runtime", path, str(o.count)]
        process = processes[path] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said[path] = json.loads(process.stdout.readline())
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        peaks[path] = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    rates = {path: [] for path in processes}
    for _ in range(o.rounds):
        for path, process in processes.items():
            process.stdin.write("\n")
            process.stdin.flush()
            rates[path].append(float(process.stdout.readline()))
    print("| folder | linears by type | largest FP32 constant, elements | seconds to load | anonymous memory, MiB | peak, MiB | tokens/s |")
    print("|---|---|---|---|---|---|---|")
    for path, process in processes.items():
        process.communicate()
        found = said[path]
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found["linears"].items()))
        rate = statistics.median(rates[path])
        memory = f"{found['memory'] / 2**20:.0f} | {peaks[path] / 2**20:.0f}"
        print(f"| {path.name} | {kinds} | {found['largest']} | {found['seconds']:.2f} | {memory} | {rate:.2f} |")


# ---- seconds


def seconds(o, folder):
    half = folder / "fp16"
    subprocess.run([o.program, "quantize", o.model, "--to", f"openvino:fp16={half}", "--quiet"], check=True)
    print("| quantizer | seconds | processor s | own memory, MiB |\n|---|---|---|---|")
    for name in [*o.ours, "nncf"]:
        runs = []
        for _ in range(o.rounds if name in OURS else 1):
            out = folder / "out"
            os.sync()
            runs.append(ours(o, out, OURS[name]) if name in OURS else theirs(o, half, out, {}, ""))
            shutil.rmtree(out)
        spent, processor, memory = map(statistics.median, zip(*runs))
        who = "zeropoint " if name in OURS else ""
        print(f"| {who}{name} | {spent:.2f} | {processor:.2f} | {memory / 2**20:.0f} |", flush=True)


def main():
    if sys.argv[1:2] == ["nncf"]:
        return compress(json.loads(sys.argv[2]))
    if sys.argv[1:2] == ["in-runtime"]:
        return in_runtime(pathlib.Path(sys.argv[2]), int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["quality", "runtime", "seconds"])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--calibrate", type=pathlib.Path)
    parser.add_argument("--judge", type=pathlib.Path, nargs="+")
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--characters", type=int, default=26_000)
    parser.add_argument("--group", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=64, help="tokens of a round")
    parser.add_argument("--ours", nargs="*", choices=OURS)
    parser.add_argument("--theirs", nargs="*", choices=THEIRS, default=list(THEIRS))
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/zeropoint")
    o = parser.parse_args()
    if o.ours is None:
        o.ours = ["nearest", "mse"] if o.what == "seconds" else list(OURS)
    with tempfile.TemporaryDirectory() as name:
        {"quality": quality, "runtime": runtime, "seconds": seconds}[o.what](o, pathlib.Path(name))


if __name__ == "__main__":
    main()
