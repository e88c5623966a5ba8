"""models/demo with its first layer alone, a third of its weights, for tests that ask only whether something works. Standard
library only.
"""

import json
import pathlib
import shutil

from safetensors_file import read_tensors, write_tensors

DEMO = pathlib.Path(__file__).resolve().parent.parent / "models/demo"


def save_short_demo(folder):
    folder.mkdir()
    for path in DEMO.iterdir():
        if path.name not in ("config.json", "model.safetensors"):
            shutil.copy(path, folder)
    config = json.loads((DEMO / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 1}, indent=2))
    tensors = read_tensors(DEMO / "model.safetensors")
    kept = {name: t for name, t in tensors.items() if not name.startswith("model.layers.") or name.startswith("model.layers.0.")}
    write_tensors(folder / "model.safetensors", kept)
