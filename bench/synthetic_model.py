"""Synthetic weights (synthetic.cc) with the demo's tokenizer, for benchmarks of the engine."""

import pathlib
import shutil
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parent.parent
TEXT = SOURCE / "models/demo/heldout.txt"


def model_folder(build, folder, layers):
    """Llama-3.2-1B's shapes; most rows of the embedding have no token. Made once for each folder."""
    weights = folder / "model.safetensors"
    if not weights.exists():
        subprocess.run([build / "bench" / "synthetic", folder, str(layers)], check=True, stdout=subprocess.DEVNULL)
    made = folder / "with-tokenizer"
    made.mkdir(exist_ok=True)
    if not (made / weights.name).exists():
        (made / weights.name).symlink_to(weights)
    shutil.copy(folder / "config.json", made)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(SOURCE / "models/demo" / name, made)
    return made
