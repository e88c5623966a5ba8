"""Folders that other programs quantized, read as their own code decodes them.

compressed-tensors and bitsandbytes quantize models/demo in each of their formats, and FP8 in blocks is made as DeepSeek
publishes it. What the
program makes of such a folder in FP32 are the values of that code: the same to the bit, but for NVFP4, which that code
decodes in BF16, rounding the scale and the product. What is read goes on to GGUF, where MXFP4 keeps its values.

    python layouts_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ORACLES = os.environ.get("ZEROPOINT_ORACLES")
try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)
if not ORACLES:
    print("skipped: ZEROPOINT_ORACLES names no Python with torch, compressed-tensors and bitsandbytes")
    sys.exit(77)

from consumer import HERE, SOURCE, quantize

sys.path.insert(0, str(HERE.parent))
from safetensors_file import read_tensors

BF16_ROUNDING = 2.0**-9  # relative, half of the last place
ROUNDINGS = {"nvfp4": (1 + BF16_ROUNDING) ** 2 * (1 + 2.0**-22) - 1}  # FP32's roundings are in the last factor


def matrices(path):
    return {name: np.frombuffer(data, np.float32).reshape(shape) for name, (_, shape, data) in read_tensors(path).items()}


class LayoutsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.made, cls.written = (pathlib.Path(temporary.name) / name for name in ("made", "written"))
        cls.written.mkdir()
        command = [ORACLES, HERE / "make_layouts.py", SOURCE / "models/demo", cls.made]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    def test_weights_are_those_that_their_owner_decodes(self):
        folders = sorted(path.parent for path in self.made.glob("*/config.json"))
        self.assertGreater(len(folders), 8)
        for folder in folders:
            with self.subTest(folder.name):
                out = self.written / folder.name
                quantize(folder, {out: "hf:fp32"})
                found = matrices(out / "model.safetensors")
                expected = matrices(self.made / f"{folder.name}.safetensors")
                self.assertEqual(len(expected), 4 * 7)
                for name, values in expected.items():
                    error = np.abs(found[name] - values)
                    self.assertTrue((error <= ROUNDINGS.get(folder.name, 0) * np.abs(values)).all(), f"{name}: {error.max()}")

    def test_mxfp4_keeps_its_values_in_gguf(self):
        path, back = self.written / "mxfp4.gguf", self.written / "mxfp4-back"
        quantize(self.made / "mxfp4", {path: "gguf:mxfp4"})
        quantize(path, {back: "hf:fp32"})
        found = matrices(back / "model.safetensors")
        for name, values in matrices(self.made / "mxfp4.safetensors").items():
            np.testing.assert_array_equal(found[name], values, name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
