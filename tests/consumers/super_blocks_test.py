"""Blocks of 256 (and IQ4_NL's of 32) decode to the bits of the gguf package's decoder.

    super_blocks_test.py ZEROPOINT SOURCE_DIR

Bytes: random ones; random codes under every kind of FP16 scale (subnormal, largest, both zeros,
infinities, NaN); all bits clear and all set; and what the program itself writes for weights with
heavy tails, constant, zero and tiny ones. And the squared error of what is written is less than
that of llama.cpp's quantizer (xllamacpp), with importance and without.
"""

import ctypes
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import gguf
    import numpy as np
    from safetensors.numpy import save_file
except ImportError as missing:
    print(f"skipped: {missing}; scripts/make-venv .venv requirements/consumers.txt installs it")
    sys.exit(77)

# Where the FP16 scales of a block are.
HALVES = {"q2_k": [80, 82], "q3_k": [108], "q4_k": [0, 2], "q5_k": [0, 2], "q6_k": [208], "iq4_nl": [0], "iq4_xs": [0]}
HALVES.update({"tq1_0": [52], "tq2_0": [64], "mxfp4:blocks": [], "nvfp4:blocks": []})
HALVES.update({"iq3_s": [0], "iq3_xxs": [0], "iq2_s": [0], "iq2_xs": [0], "iq2_xxs": [0], "iq1_m": [], "iq1_s": [0]})
SPECIAL = np.array(
    [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x7E00, 0xFE01], np.uint16
)
COLUMNS = 1024


def kind(grid):
    return gguf.GGMLQuantizationType[grid.split(":")[0].upper()]


def blocks(grid, random):
    block, size = gguf.GGML_QUANT_SIZES[kind(grid)]
    data = random.integers(0, 256, size=(4096, size), dtype=np.uint8)
    halves = HALVES[grid]
    for number, at in enumerate(halves):  # every pair of special scales
        codes = SPECIAL[np.arange(1024) // len(SPECIAL) ** number % len(SPECIAL)]
        data[:1024, at : at + 2] = codes.view(np.uint8).reshape(-1, 2)
    data[-2] = 0
    data[-1] = 0xFF
    return data.reshape(-1, COLUMNS // block * size)


def weights(random):
    w = (random.standard_t(4, size=(64, COLUMNS)) * 0.02).astype(np.float32)
    w[0] = 0
    w[1] = 0.37
    w[2] = -0.37
    w[3] *= 1e-5  # scales below FP16's normal numbers
    w[4] *= 1e-30
    w[5] = np.abs(w[5])
    w[6, ::77] = 1000
    w[7, 300:700] = 0
    return w


def bits(values):
    """Bits of floats; one value for all NaN."""
    values = np.ascontiguousarray(values, np.float32).reshape(-1)
    return np.where(np.isnan(values), np.uint32(0x7FC00000), values.view(np.uint32))


def decode(folder, data):
    """data: name -> (grid, rows of blocks); our values of each."""
    path = folder / "blocks.safetensors"
    save_file({name: rows for name, (_, rows) in data.items()}, path)
    requests = "".join(f"{grid} {COLUMNS} {name}\n" for name, (grid, _) in data.items())
    run = subprocess.run([DECODE, path], input=requests.encode(), capture_output=True, check=True)
    values = np.frombuffer(run.stdout, np.float32)
    counts = [len(rows) * COLUMNS for _, rows in data.values()]
    return dict(zip(data, np.split(values, np.cumsum(counts)[:-1])))


def code(grid, w, fit, h=None):
    """Our blocks of these weights; h: importance of the columns."""
    text = (b"" if h is None else h.tobytes()) + w.tobytes()
    run = subprocess.run([CODE, grid, str(COLUMNS), fit], input=text, capture_output=True, check=True)
    return np.frombuffer(run.stdout, np.uint8).reshape(len(w), -1).copy()


def llama_quantizer():
    """llama.cpp's own: (grid, weights, importance or None) -> blocks. None where xllamacpp isn't."""
    try:
        import xllamacpp
    except ImportError:
        return None
    (library,) = pathlib.Path(xllamacpp.__file__).parent.glob("xllamacpp*.so")
    chunk = ctypes.CDLL(str(library)).ggml_quantize_chunk
    insists = ctypes.CDLL(str(library)).ggml_quantize_requires_imatrix
    insists.restype = ctypes.c_bool
    chunk.restype = ctypes.c_size_t
    int64, pointer = ctypes.c_int64, ctypes.c_void_p
    chunk.argtypes = [ctypes.c_int, pointer, pointer, int64, int64, int64, pointer]

    def quantize(grid, w, h):
        block, size = gguf.GGML_QUANT_SIZES[kind(grid)]
        out = np.zeros((len(w), COLUMNS // block * size), np.uint8)
        if h is None and insists(int(kind(grid))):
            h = np.ones(COLUMNS, np.float32)
        importance = None if h is None else h.ctypes.data
        chunk(int(kind(grid)), w.ctypes.data, out.ctypes.data, 0, len(w), COLUMNS, importance)
        return out

    return quantize


class SuperBlocks(unittest.TestCase):
    def check_decoding(self, data):
        with np.errstate(all="ignore"), tempfile.TemporaryDirectory() as folder:
            found = decode(pathlib.Path(folder), data)
            for name, (grid, rows) in data.items():
                expected = gguf.quants.dequantize(rows, kind(grid))
                differing = int((bits(found[name]) != bits(expected)).sum())
                self.assertEqual(differing, 0, f"{name}: {differing} of {expected.size} values differ")
        print(f"{len(data)} tensors, {sum(v.size for v in found.values())} values: the same bits")

    def test_any_bytes_decode_to_the_same_bits(self):
        random = np.random.default_rng(17)
        self.check_decoding({grid: (grid, blocks(grid, random)) for grid in HALVES})

    def test_what_is_written_decodes_to_the_same_bits(self):
        w = weights(np.random.default_rng(19))
        h = np.exp(np.random.default_rng(23).standard_normal(COLUMNS)).astype(np.float32)
        data = {}
        for grid in HALVES:
            for fit in ("nearest", "mse", "weighted"):
                data[f"{grid}-{fit}"] = (grid, code(grid, w, fit, h if fit == "weighted" else None))
        self.check_decoding(data)

    def test_search_has_less_error_than_llama_cpps_own(self):
        quantize = llama_quantizer()
        if quantize is None:
            self.skipTest("xllamacpp isn't there")
        random = np.random.default_rng(29)
        w = (random.standard_t(5, size=(256, COLUMNS)) * 0.02).astype(np.float32)
        importance = np.exp(random.standard_normal(COLUMNS)).astype(np.float32)
        for grid in HALVES:
            for h in (None, importance):

                def error(rows):
                    e = gguf.quants.dequantize(rows, kind(grid)).astype(np.float64) - w
                    return float(np.sum(e**2 if h is None else h * e**2))

                ours = error(code(grid, w, "mse" if h is None else "weighted", h))
                theirs = error(quantize(grid, w, h))
                print(f"{grid}{'' if h is None else ', weighted'}: RMSE {math.sqrt(ours / theirs):.4f} of llama.cpp's")
                self.assertLess(ours, theirs, grid)


if __name__ == "__main__":
    DECODE, CODE = (pathlib.Path(sys.argv[1]).resolve().parent / name for name in ("decode_planes", "code_blocks"))
    unittest.main(argv=sys.argv[:1])
