"""Checkpoints whose codes another container can hold go over with no loss, and so do floats that lie on the grid asked for.

    python3 bridges_test.py PROGRAM        standard library only

Every pair of `zeropoint list bridges --json` that holds whatever the scales are is gone over with a small model: written on the
one grid, then from there on the other; both are read back as FP32, and linear layers have the same values.
"""

import array
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from safetensors_file import read_tensors, write_tensors
from tiny_model import make_tiny_model

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
ROLES = {"query", "key", "value", "attention_output", "gate", "up", "down"}
# Bridges that take zero-points in the middle, which layouts have whose symmetric codes lie beside zero-points.
SYMMETRIC = [
    ("hf-awq:int4:g64:sym", "hf-compressed:int4:g64:sym:s16"),
    ("hf-awq:int4:g64:sym", "openvino:int4:g64:sym:s16"),
    ("hf-gptq:int4:g128:sym", "hf-compressed:int4:g128:sym:s16"),
    ("hf-gptq:int8:g32:restricted", "gguf:q8_0"),
    ("hf-gptq:int4:g32:sym", "gguf:q4_0"),
    ("hf-gptq:int4:g32:sym", "mlx:int4:g32:min:s32"),
]  # fmt: skip


def run(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def layers(path):
    """Matrices of linear layers, of a folder's one file."""
    found = read_tensors(path / "model.safetensors")
    return {n: t for n, t in found.items() if "_proj." in n}


def same(tensors, others):
    """FP32 to the bit, but for the sign of zeros."""
    floats = [{n: array.array("f", data) for n, (_, _, data) in each.items()} for each in (tensors, others)]
    return floats[0] == floats[1]


class BridgesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.model = make_tiny_model(cls.folder / "model", hidden=256, ffn=256, layers=1)
        cls.written, cls.count = {}, 0

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def quantized(self, model, target):
        """Path, and the output of --json. Whole layers are on the target's grid, whatever the container would have of others."""
        path = self.folder / f"{self.count}.gguf"
        type(self).count += 1
        done = json.loads(run("quantize", model, "--to", f"{target}={path}", "--method", "nearest", "--json"))
        return path, done["outputs"][0]

    def plain(self, path):
        return layers(self.quantized(path, "hf:fp32")[0])

    def source(self, target):
        """Written once: its path, and its values."""
        if target not in self.written:
            path, _ = self.quantized(self.model, target)
            self.written[target] = path, self.plain(path)
        return self.written[target]

    def check(self, source, target):
        path, values = self.source(source)
        to, output = self.quantized(path, target)
        for tensor in output["tensors"]:
            if tensor["role"] in ROLES:
                self.assertIsNone(tensor["sqnr_db"], f"{source} -> {target}: {tensor['name']}")
        self.assertTrue([n for n in output["notes"] if "exact, nothing was rounded" in n], f"{source} -> {target}")
        self.assertTrue(same(self.plain(to), values), f"{source} -> {target}")

    def test_every_bridge_that_always_holds(self):
        pairs = 0
        for row in json.loads(run("list", "bridges", "--json")):
            for bridge in row["bridges"]:
                if bridge["where"] or bridge["grid"] == row["name"]:
                    continue
                source = row["containers"][pairs % len(row["containers"])]
                target = bridge["containers"][pairs % len(bridge["containers"])]
                with self.subTest(source=f"{source}:{row['name']}", target=f"{target}:{bridge['grid']}"):
                    self.check(f"{source}:{row['name']}", f"{target}:{bridge['grid']}")
                pairs += 1
        self.assertGreater(pairs, 50)

    def test_symmetric_codes_beside_zero_points(self):
        for source, target in SYMMETRIC:
            with self.subTest(source=source, target=target):
                self.check(source, target)

    def test_the_same_grid_is_copied(self):
        for target in ["gguf:q4_k", "gguf:iq2_xs", "gguf:q6_k", "gguf:q4_1", "mlx:int4:g64:min:s32", "onnx:int4:g32", "openvino:int4:g64"]:
            with self.subTest(target=target):
                self.check(target, target)

    def test_floats_that_lie_on_the_grid_stay_on_it(self):
        _, values = self.source("hf-gptq:int4:g32:sym")
        folder = self.folder / "float"
        make_tiny_model(folder, hidden=256, ffn=256, layers=1)
        tensors = {**read_tensors(folder / "model.safetensors"), **values}
        write_tensors(folder / "model.safetensors", tensors)
        path, output = self.quantized(folder, "gguf:q4_0")
        self.assertTrue([n for n in output["notes"] if "exact, nothing was rounded" in n])
        self.assertTrue(same(self.plain(path), values))
        # As BF16 has rounded them they aren't on it any more, but what was trained is found.
        rounded, output = self.quantized(folder, "hf:bf16")
        path, output = self.quantized(rounded, "gguf:q4_0")
        self.assertTrue([n for n in output["notes"] if "before their type rounded them" in n])
        again, _ = self.quantized(path, "hf:bf16")
        self.assertTrue(layers(again) == layers(rounded))

    def test_what_a_grid_does_not_hold_is_said(self):
        path, _ = self.source("gguf:q4_0")
        done = subprocess.run([PROGRAM, "quantize", path, "--to", f"gguf:q4_k={self.folder / 'x.gguf'}"], capture_output=True, text=True)
        self.assertIn("rounding again adds to it", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
