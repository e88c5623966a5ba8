"""Second half of scripts/demo: quantizes models/demo and shows what that cost.

Run from the repository's root after the build, by a Python that has xllamacpp.
"""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, "tests/consumers")
from llama import Llama  # noqa: E402

MODEL = pathlib.Path("models/demo")
FOLDER = pathlib.Path("build/demo")
GRIDS = ["q8_0", "q4_0"]


def quantize(grid):
    path = FOLDER / f"demo-{grid}.gguf"
    command = ["build/release/zeropoint", "quantize", MODEL, "--to", f"gguf:{grid}={path}"]
    run = subprocess.run([*command, "--json", "--quiet", "--force"], stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(run.returncode)
    (output,) = json.loads(run.stdout)["outputs"]
    return output


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    outputs = {grid: quantize(grid) for grid in ["fp32", *GRIDS]}
    stored = sum(path.stat().st_size for path in MODEL.glob("*.safetensors"))

    print(f"\n{'':24}{'bytes':>12}{'bits a weight':>16}{'signal to noise':>18}")
    print(f"{str(MODEL):24}{stored:>12,}")
    for grid in GRIDS:
        output = outputs[grid]
        bits, noise = f"{output['bits_per_weight']:.2f}", f"{output['sqnr_db']:.1f} dB"
        print(f"{pathlib.Path(output['path']).name:24}{output['bytes']:>12,}{bits:>16}{noise:>18}")

    models = {"before": outputs["fp32"], **{grid: outputs[grid] for grid in GRIDS}}
    models = {name: Llama(output["path"]) for name, output in models.items()}
    print("\nWhat it says, run by llama.cpp:")
    for prompt in json.loads((MODEL / "expected.json").read_text())["prompts"]:
        print(f"\n  {prompt['messages'][-1]['content']}")
        for name, llama in models.items():
            print(f"    {name:8}{llama.chat(prompt['messages'])}")
    print(f"\nThe files are in {FOLDER}.")


if __name__ == "__main__":
    main()
