"""Folders in other programs' layouts, as their own code decodes them.

models/demo is written in each layout, on grids of every kind that it holds. The program reads back what it coded: the noise of
every tensor is the one it reported. The layout's owner decodes the same values to the bit, in the type that the folder's config
says: what is read back, rounded to that type. compressed-tensors and bitsandbytes do so themselves, and a model of the former
computes the same logits to the bit as transformers does of these values in a plain folder, where it doesn't round what linears
read. GPTQ's and AWQ's words are
taken apart here as their programs' files say, for these want a GPU.

    python written_layouts_test.py PROGRAM SOURCE_DIR        exit code 77: nothing to test with
"""

import json
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
    print("skipped: ZEROPOINT_ORACLES names no Python with torch, transformers, compressed-tensors and bitsandbytes")
    sys.exit(77)

from consumer import HERE, PROGRAM, SOURCE, quantize

sys.path.insert(0, str(HERE.parent))
from safetensors_file import read_tensors

DEMO = SOURCE / "models/demo"
PLAIN = {"bfloat16": "hf:bf16", "float32": "hf:fp32", "float16": "hf:fp16"}
OWNERS = {  # name: target, exceptions; decoded by their own code
    "int4": ("hf-compressed", []),
    "int4-fp32": ("hf-compressed:int4:g32:restricted:s32", []),
    "zeros": ("hf-compressed:int4:g64:zero", []),
    "unsigned-zeros-fp32": ("hf-compressed:uint4:g32:zero:s32", []),
    "int2": ("hf-compressed:int2:g32", []),
    "int3-zeros": ("hf-compressed:int3:g32:zero", []),
    "int5": ("hf-compressed:int5:g32:sym:s32", []),
    "int8": ("hf-compressed:int8:g128", []),
    "uint8": ("hf-compressed:uint8:channel:sym:s32", []),
    "int8-zeros": ("hf-compressed:int8:channel:zero:s32", []),
    "w8a8": ("hf-compressed:int8:channel", []),
    "fp8": ("hf-compressed:fp8_e4m3:channel", []),
    "fp8-fp32": ("hf-compressed:fp8_e4m3:channel:s32", []),
    "mxfp4": ("hf-compressed:mxfp4", []),
    "mxfp8": ("hf-compressed:mxfp8", []),
    "nvfp4": ("hf-compressed:nvfp4", []),
    "mixed": ("hf-compressed", ["*.down=mxfp4", "layers.0.*=int8:g32", "layers.1.query=bf16", "layers.3.up=int8:channel"]),
}  # fmt: skip
BITSANDBYTES = {
    "nf4": ("hf-bnb", []),
    "nf4-g128": ("hf-bnb:nf4:g128", []),
    "fp4": ("hf-bnb:fp4", []),
    "llm-int8": ("hf-bnb:llm_int8", []),
    "bnb-mixed": ("hf-bnb", ["*.down=fp4:g32", "layers.1.key=bf16"]),
}
ROUNDS_INPUTS = {"uint8", "w8a8", "fp8", "fp8-fp32", "mixed"}
BY_RULE = {  # name: target, exceptions; decoded here
    "gptq": ("hf-gptq", []),
    "gptq-zeros": ("hf-gptq:int4", []),
    "gptq-unsigned": ("hf-gptq:uint4:g32:zero", []),
    "gptq-int2": ("hf-gptq:int2:g32:zero", []),
    "gptq-int3": ("hf-gptq:int3:g64", []),
    "gptq-int3-sym": ("hf-gptq:int3:channel:sym", []),
    "gptq-int8": ("hf-gptq:int8:channel:zero:sbf16", []),
    "gptq-mixed": ("hf-gptq", ["*.down=int8:g32", "layers.0.query=fp16"]),
    "awq": ("hf-awq", []),
    "awq-unsigned": ("hf-awq:uint4:g32", []),
    "awq-sym": ("hf-awq:int4:g64:sym", []),
    "awq-mixed": ("hf-awq:int4:g64:zero:sbf16", ["layers.2.*=bf16"]),
}  # fmt: skip
REFUSED = {  # of each container grids that it can't hold, and how the line begins that says so
    "hf-compressed": ["q4_0", "int4:g32:min", "int8:tensor", "int16:channel", "nf4"],
    "hf-gptq": ["int5:g32", "int4:g48", "int4:g32:zero:s32", "mxfp4"],
    "hf-bnb": ["nf4:g48", "mxfp4", "int8:channel:sym:s32"],
    "hf-awq": ["int3:g32", "int4:channel", "int4:g16", "int4:g32:min:s16"],
}
# The program squares and adds 64 values at a time in FP32: 68 roundings in each of two sums, in dB. One code
# that is off by one changes ten times as much.
SUM_ERROR_DB = 2 * 68 * 2.0**-24 * 10 / np.log(10)
FLOATS = ("bf16", "fp16", "fp32")


def values_of(path):
    """Its tensors by name, floats as FP32."""
    types = {"F32": np.float32, "BF16": np.uint16, "F16": np.float16, "I8": np.int8, "F8_E4M3": np.uint8, "I32": np.uint32, "U8": np.uint8}
    found = {}
    for name, (type, shape, data) in read_tensors(path).items():
        values = np.frombuffer(data, types[type]).reshape(shape)
        if type == "BF16":
            values = (values.astype(np.uint32) << 16).view(np.float32)
        found[name] = values if type == "I32" else values.astype(np.float32)
    return found


def stream(words, bits, axis):
    """Numbers of so many bits that lie one behind the other in words along the axis, from the lowest bit on."""
    words = np.moveaxis(words, axis, -1)
    each = (words[..., None] >> np.arange(32, dtype=np.uint32) & 1).reshape(*words.shape[:-1], -1, bits)
    return np.moveaxis((each << np.arange(bits, dtype=np.uint32)).sum(-1).astype(np.int64), -1, axis)


def gptq(parts, stated):
    bits = 32 * parts["qweight"].shape[0] // parts["g_idx"].shape[0]
    codes, zeros = stream(parts["qweight"], bits, 0), stream(parts["qzeros"], bits, 1)
    of = parts["g_idx"].astype(np.int64)
    zeros = (zeros + 1) % 2**bits  # version 1; what wrapped is 0
    return (parts["scales"][of] * (codes - zeros[of])).T


def awq(parts, stated):
    place = [0, 4, 1, 5, 2, 6, 3, 7]  # of each eight numbers in a word
    codes, zeros = (
        stream(parts[name], 4, 1).reshape(len(parts[name]), -1, 8)[..., place].reshape(len(parts[name]), -1)
        for name in ("qweight", "qzeros")
    )
    group = stated["group_size"]
    return (parts["scales"].repeat(group, 0) * (codes - zeros.repeat(group, 0))).T


def decoded_by_rule(folder):
    """The weights of its quantized modules."""
    stated = json.loads((folder / "config.json").read_text())["quantization_config"]
    tensors = values_of(folder / "model.safetensors")
    paths = [name.removesuffix(".qweight") for name in tensors if name.endswith(".qweight")]
    parts = {path: {name.removeprefix(f"{path}."): t for name, t in tensors.items() if name.startswith(f"{path}.")} for path in paths}
    rule = {"gptq": gptq, "awq": awq}[stated["quant_method"]]
    return {f"{path}.weight": rule(parts[path], stated).astype(np.float32) for path in paths}


class WrittenLayoutsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.outputs, pairs = {}, {}
        for name, (target, exceptions) in (OWNERS | BITSANDBYTES | BY_RULE).items():
            written, back, plain = (cls.folder / f"{name}{end}" for end in ("", "-back", "-plain"))
            options = [word for exception in exceptions for word in ("--set", exception)]
            (cls.outputs[name],) = quantize(DEMO, {written: target}, *options).values()
            type = json.loads((written / "config.json").read_text())["dtype"]
            quantize(written, {back: "hf:fp32", plain: PLAIN[type]})
            pairs[name] = f"{written}={plain}"
        cls.decoded = cls.folder / "decoded"
        command = [ORACLES, HERE / "read_layouts.py", cls.decoded, *(pairs[name] for name in OWNERS | BITSANDBYTES)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    def test_what_is_read_back_is_what_was_coded(self):
        source = values_of(DEMO / "model.safetensors")
        for name, output in self.outputs.items():
            found = values_of(self.folder / f"{name}-back/model.safetensors")
            coded = [tensor for tensor in output["tensors"] if tensor["grid"] not in FLOATS]
            self.assertGreater(len(coded), 20)
            for tensor in coded:
                with self.subTest(name, tensor=tensor["name"]):
                    key = f"{tensor['name'].rpartition('.')[0]}.weight"
                    signal = np.square(source[key], dtype=np.float64).sum()
                    noise = np.square(source[key].astype(np.float64) - found[key]).sum()
                    self.assertAlmostEqual(10 * np.log10(signal / noise), tensor["sqnr_db"], delta=SUM_ERROR_DB)

    def test_its_owner_decodes_the_same_values(self):
        for name in OWNERS | BITSANDBYTES:
            expected = values_of(self.folder / f"{name}-plain/model.safetensors")
            found = values_of(self.decoded / f"{name}.safetensors")
            self.assertGreater(len(found), 4 * 7 - 2)
            for key, values in found.items():
                with self.subTest(name, tensor=key):
                    np.testing.assert_array_equal(values, expected[key])

    def test_its_owner_computes_with_them(self):
        for name in OWNERS:
            with self.subTest(name):
                said = json.loads((self.decoded / f"{name}.json").read_text())
                self.assertTrue(said["same"])
                self.assertEqual(said["same_as_computed"], name not in ROUNDS_INPUTS)

    def test_its_rule_gives_the_same_values(self):
        for name in BY_RULE:
            expected = values_of(self.folder / f"{name}-back/model.safetensors")
            found = decoded_by_rule(self.folder / name)
            self.assertEqual(len(found), sum(tensor["grid"] not in FLOATS for tensor in self.outputs[name]["tensors"]))
            for key, values in found.items():
                with self.subTest(name, tensor=key):
                    np.testing.assert_array_equal(values, expected[key])

    def test_modules_with_other_bits_or_none_are_named(self):
        stated = json.loads((self.folder / "gptq-mixed/config.json").read_text())["quantization_config"]
        downs = {rf"+:^model\.layers\.{layer}\.mlp\.down_proj$": {"bits": 8, "group_size": 32, "sym": False} for layer in range(4)}
        self.assertEqual(stated["dynamic"], {**downs, r"-:^model\.layers\.0\.self_attn\.q_proj$": {}})
        self.assertEqual((stated["bits"], stated["group_size"], stated["sym"]), (4, 128, True))
        stated = json.loads((self.folder / "awq-mixed/config.json").read_text())["quantization_config"]
        layer = [name for name in stated["modules_to_not_convert"] if name.startswith("model.layers.2.")]
        self.assertEqual((len(layer), len(stated["modules_to_not_convert"])), (7, 8))
        self.assertIn("lm_head", stated["modules_to_not_convert"])

    def refused(self, *words):
        out = self.folder / "refused"
        command = [PROGRAM, "quantize", DEMO, "--to", *(word.replace("OUT", str(out)) for word in words)]
        run = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr.count("\n")), (1, 1), run.stderr)
        self.assertFalse(out.exists())
        return run.stderr

    def test_what_is_not_held_is_refused_in_one_line(self):
        for container, grids in REFUSED.items():
            for grid in grids:
                self.assertIn(f"{container} holds fp32, fp16, bf16", self.refused(f"{container}:{grid}=OUT"))
        self.assertIn("4 bits and 8 in one folder", self.refused("hf-bnb=OUT", "--set", "*.down=llm_int8"))
        self.assertIn("groups of another size", self.refused("hf-awq:int4:g64=OUT", "--set", "*.down=int4:g32"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
