#!/usr/bin/env python3
"""What a calibration text is worth on other text: mean KL divergence from the float model, as a Markdown table.

    bench/texts.py MODEL --text own --text docs.jsonl --text own+docs.jsonl --judge wiki.txt --judge code.txt [TARGET...]

Each --text is what --calibrate gets, parts joined by +; each is measured with every number of --tokens and every --method.
Of each --judge the first --characters are taken. All TARGETs of a row are written by one command. With --keep FILE the
figures are added to it, one JSON object a line, and what it already has is not measured again.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

from calibrated import ROOT, read

TARGETS = ["gguf:q4_k_m", "gguf:q3_k_m"]


def zeropoint(o, *arguments):
    """What it prints, and its processor seconds."""
    command = ["/usr/bin/env", "time", "-f", "%U %S", o.program, *map(str, arguments), "--json", "--quiet"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout), sum(map(float, done.stderr.split()[-2:]))


def measure(o, texts, folder, text, tokens, method):
    calibrate = [word for part in text.split("+") for word in ("--calibrate", part)]
    outputs = {target: folder / target.replace(":", "-") for target in o.targets}
    to = [word for target, path in outputs.items() for word in ("--to", f"{target}={path}")]
    common = ["--context", o.context, "--tokens", tokens, "--method", method, "--force"]
    made, seconds = zeropoint(o, "quantize", o.model, *to, *calibrate, *common)
    row = {"text": text, "tokens": tokens, "method": method, "processor_seconds": seconds, "own_text": made.get("own_text")}
    row["kl"] = {
        target: {
            name: zeropoint(o, "evaluate", path, "--text", judge, "--against", o.model, "--context", o.context)[0]["kl_divergence"]
            for name, judge in texts.items()
        }
        for target, path in outputs.items()
    }
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("targets", nargs="*", default=TARGETS)
    parser.add_argument("--text", action="append", required=True)
    parser.add_argument("--judge", action="append", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=int, nargs="+", default=[16384])
    parser.add_argument("--method", nargs="+", default=["gptq"])
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--characters", type=int, default=26_000)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/zeropoint")
    o = parser.parse_intermixed_args()
    known = {}
    if o.keep and o.keep.exists():
        for line in o.keep.read_text().splitlines():
            row = json.loads(line)
            known[row["text"], row["tokens"], row["method"], tuple(row["kl"])] = row
    print(f"| text | tokens | method | {' | '.join(o.targets)} | processor s |\n|---|---|---|{'---|' * len(o.targets)}---|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        texts = {}
        for path in o.judge:
            # A data set keeps its own suffix: it is read by it.
            texts[path.name] = folder / ("judge-" + path.name.removesuffix(".xz"))
            texts[path.name].write_text(cut(read(path), o.characters, path.suffix))
        for text, tokens, method in ((x, n, m) for x in o.text for n in o.tokens for m in o.method):
            key = text, tokens, method, tuple(o.targets)
            if key not in known:
                known[key] = measure(o, texts, folder, text, tokens, method)
                if o.keep:
                    with o.keep.open("a") as kept:
                        kept.write(json.dumps(known[key]) + "\n")
            row = known[key]
            cells = [" / ".join(f"{kl[judge]['mean']:.4f}" for judge in texts) for kl in row["kl"].values()]
            print(f"| {text} | {tokens} | {method} | {' | '.join(cells)} | {row['processor_seconds']:.0f} |", flush=True)


def cut(text, characters, suffix):
    """The first characters; of JSONL whole lines."""
    if suffix != ".jsonl" or len(text) <= characters:
        return text[:characters]
    return text[: text.rfind("\n", 0, characters) + 1]


if __name__ == "__main__":
    main()
