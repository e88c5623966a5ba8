#!/usr/bin/env python3
"""Writes seed inputs for the fuzz targets: small sound files of each format, and, where a folder
with real models is given, their heads. Standard library only.

    fuzz/make_seeds.py OUT [MODELS]      makes OUT/safetensors, OUT/gguf, OUT/pickle, OUT/json ...
"""
import io
import base64
import json
import pickle
import struct
import sys
import zipfile
from pathlib import Path


# --- safetensors ---------------------------------------------------------------------------------
def safetensors(tensors, metadata=None):
    """tensors: {name: (dtype, shape, bytes)}"""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, value) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(value)]}
        data += value
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def safetensors_seeds():
    sizes = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I64": 8, "I32": 4,
             "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1}
    yield "empty", safetensors({})
    yield "types", safetensors({k: (k, [2, 3], bytes(range(6 * n))) for k, n in sizes.items()}, {"format": "pt"})
    yield "shapes", safetensors({"scalar": ("F32", [], bytes(4)), "none": ("F32", [0, 5], b""),
                                 "cube": ("F16", [2, 1, 3], bytes(12))})


# --- quantized folders: quantization_config, a line, and the file --------------------------------
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 16}
AWQ = {"quant_method": "awq", "bits": 4}
COMPRESSED = {"quant_method": "compressed-tensors", "format": "pack-quantized"}
FP8 = {"quant_method": "fp8", "weight_block_size": [16, 16]}
MODELOPT = {"quant_method": "modelopt"}


def quantized(config, tensors):
    """tensors: {part of the module x: (dtype, shape, bytes)}"""
    return json.dumps(config).encode() + b"\n" + safetensors({"x." + part: value for part, value in tensors.items()})


def filled(dtype, *shape):
    size = {"I64": 8, "I32": 4, "F32": 4, "F16": 2}.get(dtype, 1)
    count = size
    for n in shape:
        count *= n
    return dtype, list(shape), bytes(i * 37 & 63 for i in range(count))


def gptq_module(**changed):
    """8 rows of 32 columns."""
    index = "I32", [32], struct.pack("<32i", *(i % 2 for i in range(32)))
    return {"qweight": filled("I32", 4, 8), "qzeros": filled("I32", 2, 1), "scales": filled("F16", 2, 8), "g_idx": index} | changed


def awq_module(**changed):
    return {"qweight": filled("I32", 32, 1), "qzeros": filled("I32", 2, 1), "scales": filled("F16", 2, 8)} | changed


def packed_module(**changed):
    shape = "I64", [2], struct.pack("<2q", 8, 32)
    return {"weight_packed": filled("I32", 8, 4), "weight_scale": filled("F16", 8, 2), "weight_shape": shape,
            "weight_zero_point": filled("I32", 1, 2)} | changed  # fmt: skip


def fp8_module(**changed):
    return {"weight": filled("F8_E4M3", 20, 32), "weight_scale_inv": filled("F32", 2, 2)} | changed


def nvfp4_module(**changed):
    return {"weight": filled("U8", 2, 16), "weight_scale": filled("F8_E4M3", 2, 2), "weight_scale_2": filled("F32")} | changed


BITSANDBYTES = {"quant_method": "bitsandbytes", "load_in_4bit": True}
NESTED = {"quant_type": "nf4", "blocksize": 16, "shape": [4, 32], "nested_blocksize": 256, "nested_offset": 0.5}


def nf4_module(state=NESTED, **changed):
    text = json.dumps(state).encode()
    return {"weight": filled("U8", 64, 1), "weight.quant_map": filled("F32", 16), "weight.absmax": filled("U8", 8),
            "weight.nested_quant_map": filled("F32", 256), "weight.nested_absmax": filled("F32", 1),
            "weight.quant_state.bitsandbytes__nf4": ("U8", [len(text)], text)} | changed  # fmt: skip


def weight_layout_seeds():
    yield "nf4", quantized(BITSANDBYTES, nf4_module())
    yield "llm-int8", quantized(BITSANDBYTES, {"weight": filled("I8", 4, 8), "SCB": filled("F32", 4)})
    yield "gptq", quantized(GPTQ, gptq_module())
    yield "awq", quantized(AWQ, awq_module())
    yield "autoround", quantized({**GPTQ, "quant_method": "auto-round", "packing_format": "auto_round:auto_gptq"}, gptq_module())
    yield "packed", quantized(COMPRESSED, packed_module())
    yield "int8", quantized(COMPRESSED, {"weight": filled("I8", 4, 8), "weight_scale": filled("F32", 4, 1)})
    yield "fp8", quantized(FP8, fp8_module())
    yield "fp8-experts", quantized(FP8, {"up_proj": filled("F8_E4M3", 2, 16, 32), "up_proj_scale_inv": filled("F32", 2, 1, 2)})
    yield "nvfp4", quantized(MODELOPT, nvfp4_module())


# --- GGUF ----------------------------------------------------------------------------------------
def gguf_string(text):
    return struct.pack("<Q", len(text)) + text.encode()


def gguf(pairs, tensors, version=3, alignment=32):
    """pairs: [(key, type, packed value)]; tensors: [(name, ne, type, bytes)]"""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs))
    for key, kind, value in pairs:
        out += gguf_string(key) + struct.pack("<i", kind) + value
    offset, data = 0, b""
    for name, ne, kind, value in tensors:
        out += gguf_string(name) + struct.pack("<I", len(ne)) + struct.pack("<%dq" % len(ne), *ne)
        out += struct.pack("<iQ", kind, offset)
        data += value + bytes(-len(value) % alignment)
        offset = len(data)
    return out + bytes(-len(out) % alignment) + data


def gguf_seeds():
    scalars = [("u8", 0, b"\1"), ("i8", 1, b"\xff"), ("u16", 2, b"\1\2"), ("i16", 3, b"\1\2"),
               ("u32", 4, bytes(4)), ("i32", 5, bytes(4)), ("f32", 6, struct.pack("<f", 1.5)),
               ("bool", 7, b"\1"), ("general.architecture", 8, gguf_string("llama")),
               ("u64", 10, bytes(8)), ("i64", 11, bytes(8)), ("f64", 12, struct.pack("<d", 0.1))]
    size = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
    arrays = [("array%d" % k, 9, struct.pack("<iQ", k, 3) + bytes(3 * n)) for k, n in size.items()]
    arrays.append(("tokens", 9, struct.pack("<iQ", 8, 2) + gguf_string("<s>") + gguf_string("a")))
    blocks = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
              11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 20: (32, 18), 23: (256, 136),
              24: (1, 1), 28: (1, 8), 30: (1, 2), 34: (256, 54), 39: (32, 17)}
    tensors = [("blk.%d.weight" % k, [b, 2], k, bytes(i % 60 for i in range(2 * n))) for k, (b, n) in blocks.items()]
    yield "values", gguf(scalars + arrays, [])
    yield "types", gguf(scalars[8:9], tensors)
    yield "alignment", gguf([("general.alignment", 4, struct.pack("<I", 64))], tensors[:3], alignment=64)
    yield "version2", gguf([], tensors[:1], version=2)


# --- PyTorch -------------------------------------------------------------------------------------
class Name:
    """Pickles as a global of that name, whatever this machine has."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    def __init__(self, callee, *arguments):
        self.callee, self.arguments = callee, arguments


class Reference:
    def __init__(self, *reference):
        self.reference = reference


class Pickler(pickle._Pickler):
    """Python's own pickler; the three classes above become the opcodes that PyTorch writes."""

    def persistent_id(self, value):
        return value.reference if isinstance(value, Reference) else None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Name):
            if self.proto >= 4:
                self.save(value.module)
                self.save(value.name)
                self.write(pickle.STACK_GLOBAL)
            else:
                self.write(b"c" + value.module.encode() + b"\n" + value.name.encode() + b"\n")
        elif isinstance(value, Call):
            self.save(value.callee)
            self.save(value.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(value, save_persistent_id)


def dumps(value, protocol=2):
    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    return out.getvalue()


def tensor(key, storage, count, shape, strides, offset=0, function="_rebuild_tensor_v2"):
    reference = Reference("storage", Name("torch", storage), key, "cpu", count)
    return Call(Name("torch._utils", function), reference, offset, shape, strides, False,
                Call(Name("collections", "OrderedDict")))


def state():
    half = Reference("storage", Name("torch.storage", "UntypedStorage"), "2", "cpu", 8)
    return {"epoch": 3, "rate": 0.5, "args": [None, True, (1, 2, 3, 4)],
            "state_dict": {
                "a.weight": tensor("0", "FloatStorage", 12, (3, 4), (4, 1)),
                "a.transposed": tensor("0", "FloatStorage", 12, (4, 3), (1, 4)),
                "b": Call(Name("torch._utils", "_rebuild_parameter"), tensor("1", "HalfStorage", 8, (2, 2, 2), (1, 4, 2)), True, {}),
                "c": Call(Name("torch._utils", "_rebuild_tensor_v3"), half, 0, (2, 4), (4, 1), False, {}, Name("torch", "float8_e4m3fn")),
                "steps": tensor("3", "LongStorage", 1, (), ())}}


STORAGES = {"0": bytes(range(48)), "1": bytes(range(16)), "2": bytes(range(8)), "3": bytes(8)}


def zip_form(protocol, pickled=None):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("m/data.pkl", pickled or dumps(state(), protocol))
        archive.writestr("m/byteorder", "little")
        for key, value in STORAGES.items():
            archive.writestr("m/data/" + key, value)
    return out.getvalue()


def old_form(protocol):
    sizes = {"0": 4, "1": 2, "2": 1, "3": 8}
    out = b"".join(dumps(v, protocol) for v in (
        0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}, state(), sorted(STORAGES)))
    for key, value in sorted(STORAGES.items()):
        out += struct.pack("<q", len(value) // sizes[key]) + value
    return out


def pickle_seeds():
    for protocol in (2, 4):
        yield "object%d" % protocol, dumps(state(), protocol)
        yield "zip%d" % protocol, zip_form(protocol)
        yield "old%d" % protocol, old_form(protocol)


# --- JSON ----------------------------------------------------------------------------------------
def json_seeds():
    yield "values", b'{"a": [1, -2.5e3, true, false, null, "\\u00e9\\n"], "b": {"c": {}}}'
    yield "llama", json.dumps({"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 2,
                               "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128,
                               "vocab_size": 256, "rms_norm_eps": 1e-5, "max_position_embeddings": 64,
                               "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
                               "tie_word_embeddings": True, "model_type": "llama"}).encode()


# --- tokenizers and data sets ----------------------------------------------------------------------
def tokenizer_json(kind="BPE", **parts):
    vocab = {"a": 0, "b": 1, "ab": 2, "\u2581": 3, "\u2581a": 4, "<unk>": 5, "<0xC3>": 6, "<0xA9>": 7, "\u0120": 8, "l": 9}
    model = {"type": "BPE", "vocab": vocab, "merges": ["a b", "\u2581 a"], "unk_token": "<unk>", "byte_fallback": True}
    if kind == "Unigram":
        model = {"type": "Unigram", "unk_id": 5, "vocab": [[text, -1.5 - id] for text, id in vocab.items()]}
    return json.dumps({**parts, "model": {**model, **parts.get("model", {})}}).encode()


def regex_splitter(*regexes):
    splits = [{"type": "Split", "pattern": {"Regex": r}, "behavior": "Isolated"} for r in regexes]
    return {"type": "Sequence", "pretokenizers": splits + [{"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]}


def tokenizer_json_seeds():
    added = [{"id": 20 + n, "content": text, flag: True} for n, (text, flag) in enumerate(
        (("<s>", "special"), ("<l>", "lstrip"), ("<r>", "rstrip"), ("word", "single_word"), ("a b", "normalized")))]
    prepend = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
                                                   {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]}
    charsmap = struct.pack("<I", 8) + struct.pack("<2I", 1 << 10, 0) + b"x\0"
    mapped = {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()},
                                                  {"type": "Strip"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}]}
    yield "byte-level", tokenizer_json(pre_tokenizer={"type": "ByteLevel"}, added_tokens=added)
    yield "regex", tokenizer_json(pre_tokenizer=regex_splitter(
        r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*|\s+(?!\S)|\s+", r"\w+|\d", "(?=a)"))
    yield "sentencepiece", tokenizer_json(normalizer=prepend, added_tokens=added)
    yield "metaspace", tokenizer_json(pre_tokenizer={"type": "Metaspace", "prepend_scheme": "first"}, added_tokens=added)
    yield "unigram", tokenizer_json("Unigram", normalizer=mapped, pre_tokenizer={"type": "Metaspace"})
    for form in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase"):
        yield "form-" + form, tokenizer_json(normalizer={"type": form})


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def protobuf_field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def sentencepiece_model(kind, pieces=(), normalizer=b"", trainer=b""):
    normal = [("\u2581", 1), ("a", 1), ("b", 1), ("ab", 1), ("\u2581a", 1), ("\u00e9", 1), *pieces]
    out = b""
    for n, (text, type) in enumerate([("<unk>", 2), ("<s>", 3), ("</s>", 3), *normal]):
        out += protobuf_field(1, protobuf_field(1, text.encode()) + protobuf_field(2, -float(n)) + protobuf_field(3, type))
    return out + protobuf_field(2, protobuf_field(3, kind) + trainer) + protobuf_field(3, normalizer)


def sentencepiece_seeds():
    bytes_of = [("<0x%02X>" % b, 6) for b in (0xC3, 0xA9, 0x61)]
    for kind, name in ((1, "unigram"), (2, "bpe")):
        yield name, sentencepiece_model(kind)
        yield name + "-bytes", sentencepiece_model(kind, bytes_of, trainer=protobuf_field(35, 1))
        yield name + "-symbols", sentencepiece_model(kind, [("Hello", 4), ("  ", 4), ("l", 5)], protobuf_field(4, 0) + protobuf_field(3, 0))
        charsmap = struct.pack("<I", 8) + struct.pack("<2I", 1 << 10, 0) + b"x\0"
        yield name + "-map", sentencepiece_model(kind, normalizer=protobuf_field(2, charsmap))


# --- ONNX ----------------------------------------------------------------------------------------
def onnx_tensor(name, kind, shape, raw=None, place=None):
    """place: {location, offset, length} of data in another file"""
    out = b"".join(protobuf_field(1, n) for n in shape) + protobuf_field(2, kind) + protobuf_field(8, name.encode())
    if raw is not None:
        out += protobuf_field(9, raw)
    for key, value in (place or {}).items():
        out += protobuf_field(13, protobuf_field(1, key.encode()) + protobuf_field(2, str(value).encode()))
    return out + (protobuf_field(14, 1) if place else b"")


def onnx_node(op, inputs, outputs, attributes=(), domain="com.microsoft"):
    out = b"".join(protobuf_field(1, i.encode()) for i in inputs) + b"".join(protobuf_field(2, o.encode()) for o in outputs)
    out += protobuf_field(4, op.encode())
    for name, value in attributes:
        out += protobuf_field(5, protobuf_field(1, name.encode()) + protobuf_field(3, value) + protobuf_field(20, 2))
    return out + protobuf_field(7, domain.encode())


def onnx_model(nodes=(), tensors=(), producer="seed"):
    shape = protobuf_field(1, protobuf_field(2, b"n")) + protobuf_field(1, protobuf_field(1, 32))
    kind = protobuf_field(1, protobuf_field(1, 1) + protobuf_field(2, shape))
    value = protobuf_field(1, b"x") + protobuf_field(2, kind)
    graph = b"".join(protobuf_field(1, n) for n in nodes) + protobuf_field(2, b"g")
    graph += b"".join(protobuf_field(5, t) for t in tensors) + protobuf_field(11, value) + protobuf_field(12, value)
    return (protobuf_field(1, 10) + protobuf_field(2, producer.encode()) + protobuf_field(7, graph)
            + protobuf_field(8, protobuf_field(1, b"") + protobuf_field(2, 21)))


def onnx_codes(bits=4, block=32, codes=None, scales=8, zeros=None, rows=2, shape=None):
    """A matrix of two rows and 32 columns that MatMulNBits multiplies by."""
    size = rows * 32 * bits // 8
    tensors = [onnx_tensor("w", 2, shape or [rows, 1, 32 * bits // 8], bytes(size) if codes is None else codes),
               onnx_tensor("s", 1, [rows, 1], bytes(scales))]
    if zeros is not None:
        tensors.append(onnx_tensor("z", 2, [rows, 1], zeros))
    attributes = [("K", 32), ("N", rows), ("bits", bits), ("block_size", block)]
    return onnx_model([onnx_node("MatMulNBits", ["x", "w", "s"] + (["z"] if zeros is not None else []), ["y"], attributes)], tensors)


def onnx_seeds():
    yield "empty", onnx_model()
    yield "types", onnx_model(tensors=[onnx_tensor(str(kind), kind, [2, 3], bytes(6 * size)) for kind, size in
                                       ((1, 4), (2, 1), (6, 4), (7, 8), (10, 2), (11, 8), (16, 2), (17, 1))])
    yield "codes", onnx_codes()
    yield "codes-zeros", onnx_codes(zeros=bytes(2))
    yield "rows", onnx_model([onnx_node("GatherBlockQuantized", ["w", "i", "s"], ["y"], [("bits", 8), ("block_size", 16)])],
                             [onnx_tensor("w", 2, [2, 16], bytes(32)), onnx_tensor("s", 10, [2, 1], bytes(4))])
    yield "own", onnx_model(tensors=[onnx_tensor("a", 1, [4], bytes(16))], producer="zeropoint")
    yield "external", onnx_model(tensors=[onnx_tensor("a", 1, [4], None, {"location": "a.data", "offset": 0, "length": 16})])


# --- OpenVINO: constants lie in a second file of 4096 bytes ----------------------------------------
def openvino_constant(number, name, kind, shape, size, offset=0):
    shape = ",".join(map(str, shape))
    return (f'<layer id="{number}" name="{name}" type="Const" version="opset1"><data element_type="{kind}" shape="{shape}" '
            f'offset="{offset}" size="{size}"/><output><port id="0" precision="X" names="{name}"/></output></layer>')  # fmt: skip


def openvino_model(layers, edges="", producer="zeropoint"):
    return (f'<?xml version="1.0"?><net name="n" version="11"><layers>{layers}</layers><edges>{edges}</edges>'
            f'<rt_info><producer value="{producer}"/></rt_info></net>').encode()  # fmt: skip


def openvino_codes(kind, shape, size, scale="f16", zeros=0):
    scales = [*shape[:-1], 1]
    count = scales[0] * (scales[1] if len(scales) > 2 else 1)
    width = {"f32": 4, "f16": 2}.get(scale, 1)
    layers = openvino_constant(0, "a.weight", kind, shape, size) + openvino_constant(1, "a.scales", scale, scales, count * width)
    return openvino_model(layers + (openvino_constant(2, "a.zero_points", kind, scales, zeros) if zeros else ""))


def openvino_seeds():
    yield "floats", openvino_model(openvino_constant(0, "a.weight", "f32", [2, 3], 24) + openvino_constant(1, "c", "i64", [], 8))
    yield "codes", openvino_codes("i4", [3, 2, 16], 48)
    yield "zeros", openvino_codes("u4", [3, 3, 16], 72, zeros=5)
    yield "twos", openvino_codes("u2", [3, 3, 16], 36, zeros=3)
    yield "channel", openvino_codes("u8", [2, 16], 32, "f32", 2)
    yield "nf4", openvino_codes("nf4", [2, 2, 16], 32, "f32")
    yield "mxfp4", openvino_codes("f4e2m1", [2, 1, 32], 32, "f8e8m0")
    yield "others", openvino_model(openvino_constant(0, "w", "u4", [3], 2), producer="someone")
    edge = '<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>'
    node = '<layer id="1" name="e" type="Exp" version="opset1"><input><port id="0"/></input><output><port id="1"/></output></layer>'
    yield "node", openvino_model(openvino_constant(0, "c", "f32", [2], 8) + node, edge)


def dataset_seeds():
    yield "plain", "Hello\n\u0995\u09be\n".encode()
    yield "lines", b'{"text":"a"}\n\n{"user":"b","assistant":"c"}\r\n{"instruction":"d","input":"e","output":"f"}\n'
    yield "array", b'[{"messages":[{"role":"user","content":"a"}]},\n{"text":"b"}]'
    yield "object", b'\xef\xbb\xbf{\n"text":"a"\n}'


SEEDS = {"safetensors": safetensors_seeds, "weight_layout": weight_layout_seeds, "gguf": gguf_seeds, "pickle": pickle_seeds, "json": json_seeds,
         "tokenizer_json": tokenizer_json_seeds, "sentencepiece": sentencepiece_seeds, "onnx": onnx_seeds, "openvino": openvino_seeds, "dataset": dataset_seeds}


def real_seeds(models):
    for config in models.rglob("*config.json"):
        yield "json", config.parent.name + "_" + config.name, config.read_bytes()
    for path in models.rglob("*.safetensors"):
        data = path.read_bytes()
        length = 8 + struct.unpack("<Q", data[:8])[0]
        yield "safetensors", path.parent.name, data[:length]


def main():
    out = Path(sys.argv[1])
    seeds = [(target, name, data) for target, make in SEEDS.items() for name, data in make()]
    if len(sys.argv) > 2:
        seeds += real_seeds(Path(sys.argv[2]))
    for target, name, data in seeds:
        (out / target).mkdir(parents=True, exist_ok=True)
        (out / target / name).write_bytes(data)
    print(len(seeds), "seeds")


if __name__ == "__main__":
    main()
