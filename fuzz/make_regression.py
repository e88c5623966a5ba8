#!/usr/bin/env python3
"""Writes the handmade files of fuzz/regression: each sound but for the one thing its name says.

    fuzz/make_regression.py          rewrites them in place; files that fuzzers found stay
"""
import base64
import json
import math
import struct
from pathlib import Path

from make_seeds import (AWQ, BITSANDBYTES, COMPRESSED, FP8, GPTQ, MODELOPT, NESTED, awq_module, filled, fp8_module, gptq_module, nf4_module, nvfp4_module, packed_module,
                        quantized, Call, Name, Reference, STORAGES, dumps, gguf_string, old_form, onnx_codes, onnx_model,
                        onnx_node, onnx_tensor, openvino_codes, openvino_model, protobuf_field, regex_splitter,
                        sentencepiece_model, state, tensor, tokenizer_json, zip_form)

U8, I8, U32, STRING, ARRAY, U64 = 0, 1, 4, 8, 9, 10
MOST = (1 << 63) - 1


# --- GGUF ----------------------------------------------------------------------------------------
def gguf_head(tensors, pairs, rest=b""):
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, pairs) + rest


def tensor_info(name=b"a", ne=(4,), kind=0, offset=0, dims=None):
    out = struct.pack("<Q", len(name)) + name + struct.pack("<I", len(ne) if dims is None else dims)
    return out + struct.pack("<%dq" % len(ne), *ne) + struct.pack("<iQ", kind, offset)


def gguf_of(*infos, data=64):
    head = gguf_head(len(infos), 0, b"".join(infos))
    return head + bytes(-len(head) % 32) + bytes(data)


def gguf_pair(key, kind, value):
    return gguf_head(0, 1, gguf_string(key) + struct.pack("<i", kind) + value) + bytes(64)


def gguf_files():
    yield "tensors-beyond-file", gguf_head(1 << 60, 0, bytes(64))
    yield "pairs-beyond-file", gguf_head(0, (1 << 64) - 1, bytes(64))
    yield "pairs-times-size-wraps", gguf_head(0, (1 << 64) // 13 + 1, bytes(64))
    yield "key-longer-than-file", gguf_head(0, 1, struct.pack("<Q", MOST) + bytes(64))
    yield "key-length-minus-one", gguf_head(0, 1, struct.pack("<q", -1) + bytes(64))
    yield "array-of-bytes-longer-than-file", gguf_pair("k", ARRAY, struct.pack("<iQ", U8, 1 << 40))
    yield "array-times-size-wraps", gguf_pair("k", ARRAY, struct.pack("<iQ", U64, 1 << 61))
    yield "array-of-strings-longer-than-file", gguf_pair("k", ARRAY, struct.pack("<iQ", STRING, 1 << 61))
    yield "array-of-arrays", gguf_pair("k", ARRAY, struct.pack("<iQ", ARRAY, 1) * 1000)
    yield "scores-are-int8", gguf_pair("tokenizer.ggml.scores", ARRAY, struct.pack("<iQ", I8, 3))
    yield "value-type-13", gguf_pair("k", 13, bytes(8))
    yield "boolean-2", gguf_pair("k", 7, b"\2")
    yield "key-twice", gguf_head(0, 2, (gguf_string("k") + struct.pack("<iI", U32, 1)) * 2)
    for alignment in (0, 1, 48, 1 << 31):
        yield "alignment-%d" % alignment, gguf_pair("general.alignment", U32, struct.pack("<I", alignment))
    yield "alignment-is-a-string", gguf_pair("general.alignment", STRING, gguf_string("32"))
    yield "dimension-0", gguf_of(tensor_info(ne=(0,)))
    yield "dimension-minus-1", gguf_of(tensor_info(ne=(4, -1)))
    yield "dimensions-multiply-to-0", gguf_of(tensor_info(ne=(1 << 32, 1 << 32)))
    yield "dimensions-multiply-below-0", gguf_of(tensor_info(ne=(1 << 62, 2)))
    yield "bytes-wrap-quantized", gguf_of(tensor_info(ne=(1 << 62, 1), kind=15))
    yield "row-size-wraps", gguf_of(tensor_info(ne=(MOST - 31, 1), kind=8))
    yield "no-dimensions", gguf_of(tensor_info(ne=()))
    yield "five-dimensions", gguf_of(tensor_info(ne=(1, 1, 1, 1, 1)))
    yield "dimensions-beyond-file", gguf_of(tensor_info(dims=0xFFFFFFFF))
    yield "type-removed", gguf_of(tensor_info(kind=4))
    yield "type-minus-1", gguf_of(tensor_info(kind=-1))
    yield "type-43", gguf_of(tensor_info(kind=43))
    yield "row-not-whole-blocks", gguf_of(tensor_info(ne=(48,), kind=12))
    yield "tensor-larger-than-file", gguf_of(tensor_info(ne=(1 << 20,)))
    yield "offset-overlaps", gguf_of(tensor_info(b"a", (16,)), tensor_info(b"b", (16,), offset=32))
    yield "offset-leaves-gap", gguf_of(tensor_info(b"a"), tensor_info(b"b", offset=64), data=128)
    yield "offset-near-2-63", gguf_of(tensor_info(offset=MOST - 31))
    yield "tensor-twice", gguf_of(tensor_info(b"a"), tensor_info(b"a", offset=32))
    yield "name-of-64", gguf_of(tensor_info(b"n" * 64))
    yield "name-with-newline", gguf_of(tensor_info(b"a\nb"))
    yield "version-1", b"GGUF" + struct.pack("<IQQ", 1, 0, 0)
    yield "big-endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0)
    yield "magic-alone", b"GGUF"


# --- safetensors ---------------------------------------------------------------------------------
def st(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(begin, end, shape=None, dtype="U8", **more):
    return {"dtype": dtype, "shape": [end - begin] if shape is None else shape, "data_offsets": [begin, end], **more}


def safetensors_files():
    yield "length-beyond-file", struct.pack("<Q", 1000) + b"{}"
    yield "length-over-100-mb", struct.pack("<Q", 100_000_001) + b"{}"
    yield "length-2-64", struct.pack("<Q", (1 << 64) - 1) + b"{}"
    yield "length-cut", b"\2\0\0"
    yield "header-is-array", st(b"[]")
    yield "header-ends-at-zero-byte", st(b'{}\0{"hidden":1}')
    yield "header-broken-utf8", st(b'{"\xff":{}}')
    yield "deep-json", st(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}")
    yield "tensor-twice", st(b'{"a":%s,"a":%s}' % ((json.dumps(entry(0, 1)).encode(),) * 2), b"x")
    yield "overlap", st({"a": entry(0, 4), "b": entry(2, 6)}, bytes(6))
    yield "gap", st({"a": entry(0, 2), "b": entry(3, 4)}, bytes(4))
    yield "bytes-behind-last", st({"a": entry(0, 2)}, bytes(3))
    yield "end-before-begin", st({"a": entry(3, 2, [1])}, bytes(4))
    yield "offsets-over-2-63", st({"a": entry(0, (1 << 64) - 1, [1])}, bytes(4))
    yield "offsets-negative", st({"a": entry(-1, 3, [4])}, bytes(4))
    yield "shape-wraps-to-0", st({"a": entry(0, 0, [1 << 32, 1 << 32])})
    yield "shape-wraps-quarter", st({"a": entry(0, 4, [1 << 62, 4, 1], "F32")}, bytes(4))
    yield "shape-too-large", st({"a": entry(0, 4, [2], "F32")}, bytes(4))
    yield "shape-float", st({"a": entry(0, 1, [1.0])}, b"x")
    yield "shape-endless-rows-of-nothing", st({"a": entry(0, 0, [1 << 60, 0], "F32")})
    yield "dtype-unknown", st({"a": entry(0, 1, dtype="F4")}, b"x")
    yield "field-unknown", st({"a": entry(0, 1, extra=1)}, b"x")
    yield "field-missing", st({"a": {"dtype": "U8", "shape": [1]}}, b"x")
    yield "metadata-not-text", st({"__metadata__": {"a": 1}})
    yield "name-with-newline", st({"a\nb": entry(0, 1)}, b"x")


# --- PyTorch -------------------------------------------------------------------------------------
def object_of(value):
    return zip_form(2, dumps({"w": value}))


def patched(data, at, value):
    return data[:at] + value + data[at + len(value):]


def pickle_files():
    yield "os-system-zip", object_of(Call(Name("os", "system"), "true"))
    yield "os-system-bare", dumps(Call(Name("os", "system"), "true"))
    yield "eval-protocol-4", dumps(Call(Name("builtins", "eval"), "1"), 4)
    yield "load-from-bytes", object_of(Call(Name("torch.storage", "_load_from_bytes"), b"x"))
    yield "getattr", object_of(Call(Name("builtins", "getattr"), Name("torch", "Size"), "__class__"))
    yield "reduce-on-storage-name", object_of(Call(Name("torch", "FloatStorage"), 1 << 40))
    yield "tensor-beyond-storage", object_of(tensor("0", "FloatStorage", 12, (4, 4), (4, 1)))
    yield "tensor-strides-beyond-storage", object_of(tensor("0", "FloatStorage", 12, (2, 2), (MOST, 1)))
    yield "tensor-negative-stride", object_of(tensor("0", "FloatStorage", 12, (3, 4), (-4, 1)))
    yield "tensor-negative-offset", object_of(tensor("0", "FloatStorage", 12, (3, 4), (4, 1), -4))
    yield "tensor-expanded-2-40", object_of(tensor("0", "FloatStorage", 12, (1 << 40, 4), (0, 1)))
    yield "tensor-sizes-wrap", object_of(tensor("0", "FloatStorage", 12, (1 << 32, 1 << 32), (0, 0)))
    yield "tensor-shape-without-strides", object_of(tensor("0", "FloatStorage", 12, (3, 4), ()))
    yield "storage-larger-than-entry", object_of(tensor("0", "FloatStorage", 13, (3, 4), (4, 1)))
    yield "storage-elements-wrap", object_of(tensor("0", "DoubleStorage", 1 << 61, (1,), (1,)))
    yield "storage-missing", object_of(tensor("9", "FloatStorage", 12, (3, 4), (4, 1)))
    yield "reference-of-another-kind", object_of(Reference("module", 1, 2, 3, 4))
    yield "parameter-of-itself", object_of(Call(Name("torch._utils", "_rebuild_parameter"), (1, 2)))
    yield "list-inside-itself", b"\x80\x02]q\0h\0a."
    yield "dict-inside-itself", b"\x80\x02}q\0X\5\0\0\0modelh\0s."
    yield "memo-slot-empty", b"\x80\x02h\1."
    yield "stack-empty", b"\x80\x02R."
    yield "mark-missing", b"\x80\x02t."
    yield "string-beyond-file", b"\x80\x02X\xff\xff\xff\xff."
    yield "string-8-beyond-file", b"\x80\x04\x8d" + b"\xff" * 8 + b"."
    yield "frame-beyond-file", b"\x80\x04\x95" + b"\xff" * 8 + b"N."
    yield "protocol-0", b"(dp0\n."
    yield "opcode-inst", b"\x80\x02(ios\nsystem\n."
    yield "name-without-end", b"\x80\x02c" + b"a" * 1000
    pairs = b"\x80\x02](" + b"NN\x86" * 100 + b"e\x85q\1ccollections\nOrderedDict\nq\2"
    yield "list-copied-again-and-again", pairs + b"](" + b"h\2h\1R" * 500 + b"e\x87."
    whole = zip_form(2)
    directory, second, end = whole.index(b"PK\1\2"), whole.rindex(b"PK\1\2"), len(whole) - 22
    yield "zip-end-cut", whole[:end]
    yield "zip-directory-beyond-file", patched(whole, end + 16, struct.pack("<I", 1 << 30))
    yield "zip-more-entries-than-directory", patched(whole, end + 8, struct.pack("<HH", 9999, 9999))
    yield "zip-entry-beyond-file", patched(whole, second + 20, struct.pack("<II", 1 << 30, 1 << 30))
    yield "zip-entry-at-another", patched(whole, second + 42, bytes(4))
    yield "zip-entry-deflated", patched(whole, directory + 10, struct.pack("<H", 8))
    yield "zip-entry-encrypted", patched(whole, directory + 8, struct.pack("<H", 1))
    yield "zip-local-header-beyond-file", patched(whole, second + 42, struct.pack("<I", 1 << 31))
    yield "zip64-field-missing", patched(whole, second + 20, b"\xff" * 8)
    old = old_form(2)
    yield "old-storages-cut", old[:-1]
    yield "old-storage-beyond-file", patched(old, len(old) - 16, struct.pack("<q", MOST))
    yield "old-storage-minus-1", patched(old, len(old) - 16, struct.pack("<q", -1))
    yield "old-magic-alone", old[:15]
    yield "old-big-endian", b"".join(dumps(v) for v in (
        0x1950A86A20F9469CFC6C, 1001, {"little_endian": False}, state(), sorted(STORAGES)))


# --- JSON ----------------------------------------------------------------------------------------
def json_files():
    yield "deep-arrays", b"[" * 5000
    yield "deep-objects", b'{"a":' * 1000
    yield "key-twice", b'{"a":1,"a":2}'
    yield "zero-byte", b"{}\0{}"
    yield "broken-utf8", b'"\xc3"'
    yield "lone-surrogate", b'"\\ud800"'
    yield "number-too-large", b"1e999"
    yield "end-missing", b'{"a":'
    llama = {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 128, "vocab_size": 256, "rms_norm_eps": 1e-5}
    for name, change in {"heads-0": {"num_attention_heads": 0}, "layers-2-62": {"num_hidden_layers": 1 << 62},
                         "hidden-negative": {"hidden_size": -64}, "kv-heads-0": {"num_key_value_heads": 0},
                         "vocabulary-text": {"vocab_size": "256"}, "hidden-over-2-63": {"hidden_size": 1 << 63},
                         "rope-factor-0": {"rope_scaling": {"rope_type": "linear", "factor": 0}},
                         "classes-empty": {"architectures": []}, "classes-number": {"architectures": 1}}.items():
        yield "config-" + name, json.dumps({**llama, **change}).encode()


def tokenizer_json_files():
    yield "regex-without-end", tokenizer_json(pre_tokenizer=regex_splitter("(a+)+[bc]"))
    yield "regex-nested-counts", tokenizer_json(pre_tokenizer=regex_splitter("((((a{900}){900}){900}){900})"))
    yield "regex-nested-groups", tokenizer_json(pre_tokenizer=regex_splitter("(" * 5000 + ")" * 5000))
    yield "regex-open-set", tokenizer_json(pre_tokenizer=regex_splitter("[^]"))
    yield "regex-backslash-k", tokenizer_json(pre_tokenizer=regex_splitter("(?=a\\K)|b"))
    yield "regex-recursion", tokenizer_json(pre_tokenizer=regex_splitter("(?R)?a|(a?(?1))"))
    yield "regexes-many", tokenizer_json(pre_tokenizer=regex_splitter(*["a"] * 5000))
    yield "added-token-long", tokenizer_json(added_tokens=[{"id": 20, "content": "a" * 5000}])
    yield "added-token-space", tokenizer_json(added_tokens=[{"id": 20, "content": " ", "rstrip": True, "lstrip": True}])
    yield "unigram-scores-huge", tokenizer_json("Unigram", model={"vocab": [["a", 1e308], ["aa", 1e308], ["aaa", -1e308]], "unk_id": 0})
    for name, charsmap in {"cut": b"\x08\0", "trie-beyond-end": struct.pack("<I", 1 << 30) + b"\0", "trie-of-one-byte": b"\1\0\0\0a\0",
                           "no-zero": struct.pack("<3I", 8, 1 << 10, 0) + b"x",
                           "offset-beyond-end": struct.pack("<3I", 8, 0x7FFFFFFF, 0x7FFFFFFF) + b"\0"}.items():
        normalizer = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()}
        yield "character-map-" + name, tokenizer_json("Unigram", normalizer=normalizer)


def sentencepiece_files():
    yield "piece-longer-than-file", b"\x0a\x7f\x0a\x01a"
    yield "piece-empty", b"\x0a\x02\x0a\x00"
    yield "piece-broken-utf8", b"\x0a\x03\x0a\x01\xc3"
    yield "score-not-a-number", b"\x0a\x08\x0a\x01a\x15\0\0\xc0\x7f"
    yield "unknown-beyond-end", sentencepiece_model(2, trainer=protobuf_field(40, 100))
    yield "words-end-with-spaces", sentencepiece_model(2, trainer=protobuf_field(24, 1))
    yield "varint-without-end", b"\xff" * 20


def dataset_files():
    yield "zero-byte", b'{"text":"a\0"}'
    yield "broken-utf8", b"a\xf0\x9f"
    yield "deep-messages", b'{"messages":' + b"[" * 1000
    yield "message-is-text", b'{"messages":["a"]}'
    yield "second-line-cut", b'{"text":"a"}\n{"text":"'
    yield "only-a-mark", b"\xef\xbb\xbf"


def jinja_files():
    yield "nested-lists", b"{{ " + b"[" * 5000 + b"]" * 5000 + b" }}"
    yield "nested-ifs", b"{% if x %}" * 5000
    yield "macro-calls-itself", b"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"
    yield "macro-doubles", b"{% macro m(n) %}{{ m(n - 1) ~ m(n - 1) if n }}{% endmacro %}{{ m(60) }}"
    yield "text-doubles", b"{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}"
    yield "list-in-itself", b"{% set l = [] %}{% set _ = l.append(l) %}{{ l }}{{ l == l }}"
    yield "range-2-62", b"{% for i in range(4611686018427387904) %}{% endfor %}"
    yield "power-wraps", b"{{ (0 - 9223372036854775807 - 1) // (0 - 1) }}{{ 10 ** 400 }}"
    yield "replace-grows", b"{{ ('a' * 100000).replace('a', 'a' * 100000) }}"
    yield "slice-ends-wrap", b"{{ 'abc'[0 - 9223372036854775807:9223372036854775807:9223372036854775807] }}"
    yield "tag-without-end", b"{% for m in messages"
    yield "broken-utf8", b"{{ '\xff' }}\xff{{ '\xe0\xa6' | upper }}"


def imatrix_dat(*entries, end=b""):
    out = struct.pack("<i", len(entries))
    for name, calls, values in entries:
        out += struct.pack("<i", len(name)) + name + struct.pack("<ii", calls, len(values)) + struct.pack("<%df" % len(values), *values)
    return out + end


def imatrix_files():
    one = (b"blk.0.attn_q.weight", 2, [1.0, 2.0])
    yield "dat", imatrix_dat(one, (b"output.weight", 1, [0.5]), end=struct.pack("<ii", 2, 5) + b"a.txt")
    yield "dat-entries-beyond-file", struct.pack("<i", 1 << 30) + imatrix_dat(one)[4:]
    yield "dat-entries-minus-1", struct.pack("<i", -1) + imatrix_dat(one)[4:]
    yield "dat-name-beyond-file", struct.pack("<ii", 1, 4096) + bytes(64)
    yield "dat-name-minus-1", struct.pack("<ii", 1, -1) + bytes(64)
    yield "dat-values-beyond-file", imatrix_dat((b"a", 1, []))[:-4] + struct.pack("<i", (1 << 31) - 1) + bytes(64)
    yield "dat-values-0", imatrix_dat((b"a", 1, []), end=bytes(64))
    yield "dat-value-not-a-number", imatrix_dat((b"a", 1, [math.nan]))
    yield "dat-entry-twice", imatrix_dat(one, one)
    yield "dat-dataset-beyond-file", imatrix_dat(one, end=struct.pack("<ii", 2, 4096) + b"a.txt")
    kind = gguf_string("general.type") + struct.pack("<i", STRING) + gguf_string("imatrix")

    def form(*infos, data=64):
        head = gguf_head(len(infos), 1, kind + b"".join(infos))
        return head + bytes(-len(head) % 32) + bytes(data)

    yield "gguf", form(tensor_info(b"a.in_sum2", (4, 2)), tensor_info(b"a.counts", (1, 2), offset=32))
    yield "gguf-counts-missing", form(tensor_info(b"a.in_sum2", (4, 2)))
    yield "gguf-counts-do-not-divide", form(tensor_info(b"a.in_sum2", (4, 2)), tensor_info(b"a.counts", (3,), offset=32))
    yield "gguf-sums-are-f16", form(tensor_info(b"a.in_sum2", (4, 2), kind=1), tensor_info(b"a.counts", (1, 2), offset=32))
    yield "gguf-of-a-model", gguf_of(tensor_info(b"a.in_sum2"))


def grid_files():
    halves = struct.pack("<8e", 1, math.inf, math.nan, 6e-8, -1, 65504, 0, -0.0)
    huge = struct.pack("<4f", 1e30, -1e30, 1e-40, -0.0)
    yield "nothing", b"\0\0\0"
    for family in range(8):
        yield f"ones-{family}", bytes([family, 0, 255]) + b"\xff" * 64
        yield f"halves-{family}", bytes([family, 1, 255]) + halves
        yield f"huge-{family}", bytes([family, 2, 31]) + huge
    # int3:g64:min:s16 with 30000 and -30000: a scale that decoding in FP16 makes infinite
    yield "fp16-overflow", bytes.fromhex("7105c2caf14d1e3ff2ff47651146fdfa01")
    # tq2_0 with a weight so small that the inverse of its scale nears the largest float
    yield "inverse-overflow", bytes([45, 246, 255]) + b"\xff" * 96 + bytes(4) + b"\xff" * 19 + b"\0\x80\2"


def onnx_files():
    yield "bits-minus-4", onnx_codes(bits=-4, codes=bytes(16), shape=[2, 8])
    yield "bits-0", onnx_codes(bits=0, codes=bytes(16), shape=[2, 8])
    yield "block-0", onnx_codes(block=0)
    for name, rows, cols, block in (("negative", -2, 32, 32), ("block-0", 2, 32, 0), ("wraps", 1 << 62, 32, 32), ("short", 2, 64, 32)):
        attributes = [("K", cols), ("N", rows), ("block_size", block), ("quant_type", 1)]
        yield "codebook-" + name, onnx_model([onnx_node("MatMulBnb4", ["x", "w", "s"], ["y"], attributes)],
                                             [onnx_tensor("w", 2, [32], bytes(32)), onnx_tensor("s", 1, [2], bytes(8))])
    yield "block-2-62", onnx_codes(block=1 << 62)
    yield "codes-short", onnx_codes(codes=bytes(31))
    yield "codes-without-rows", onnx_codes(codes=b"", shape=[0, 1 << 62])
    yield "codes-without-shape", onnx_model([onnx_node("MatMulNBits", ["x", "w", "s"], ["y"])],
                                            [onnx_tensor("w", 2, [], b"x"), onnx_tensor("s", 1, [], bytes(4))])
    yield "scales-short", onnx_codes(scales=4)
    yield "zeros-long", onnx_codes(zeros=bytes(3))
    yield "dimensions-multiply-to-0", onnx_model(tensors=[onnx_tensor("a", 1, [1 << 32, 1 << 32], b"")])
    yield "dimensions-multiply-below-0", onnx_model(tensors=[onnx_tensor("a", 1, [1 << 62, 4], bytes(16))])
    yield "dimension-minus-1", onnx_model(tensors=[onnx_tensor("a", 1, [(1 << 64) - 1], bytes(16))])
    yield "type-99", onnx_model(tensors=[onnx_tensor("a", 99, [4], bytes(16))])
    yield "tensor-twice", onnx_model(tensors=[onnx_tensor("a", 1, [4], bytes(16))] * 2)
    yield "name-with-newline", onnx_model(tensors=[onnx_tensor("a\nb", 1, [4], bytes(16))])
    yield "field-beyond-message", b"\x08\x0a\x3a\xff\xff\xff\xff\x07" + bytes(8)
    for location in ("../a", "/etc/hostname", "", ".", "a\0b"):
        name = "outside-" + (location.replace("/", "-").replace("\0", "0") or "nothing")
        yield name, onnx_model(tensors=[onnx_tensor("a", 1, [4], None, {"location": location, "offset": 0})])
    for offset in (-1, MOST, "x", ""):
        place = {"location": "a.data", "offset": offset, "length": MOST}
        yield "offset-%s" % (offset or "nothing"), onnx_model(tensors=[onnx_tensor("a", 1, [4], None, place)])


def openvino_files():
    codes = openvino_codes("i4", [3, 2, 16], 48).decode()
    for name, found, put in (("offset-minus-1", 'offset="0"', 'offset="-1"'), ("offset-2-63", 'offset="0"', 'offset="9223372036854775808"'),
                             ("past-the-end", 'offset="0"', 'offset="4095"'), ("size-short", 'size="48"', 'size="47"'),
                             ("group-0", "3,2,16", "3,2,0"), ("groups-wrap", "3,2,16", "3,4611686018427387904,16"),
                             ("no-rows", "3,2,16", "0,2,16"), ("rows-minus-1", "3,2,16", "-1,2,16"), ("one-dimension", "3,2,16", "96"),
                             ("four-dimensions", "3,2,16", "3,1,2,16"), ("scales-of-whole-numbers", '"f16"', '"i16"'),
                             ("type-unknown", '"i4"', '"q4"'), ("no-type", 'element_type="i4"', ""), ("stands-twice", "a.scales", "a.weight"),
                             ("name-of-a-line-end", "a.scales", "a&#10;b"), ("id-of-words", 'id="0"', 'id="x"')):  # fmt: skip
        assert found in codes
        yield name, codes.replace(found, put).encode()
    yield "scales-fewer", openvino_codes("i4", [3, 2, 16], 48).replace(b"3,2,1\"", b"3,1,1\"").replace(b'size="12"', b'size="6"')
    yield "group-2-40", openvino_codes("i4", [0, 2, 1 << 40], 0)
    yield "mxfp4-groups-of-16", openvino_codes("f4e2m1", [2, 2, 16], 32, "f8e8m0")
    yield "entities", b'<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><net version="11">&c;</net>'
    yield "nested", b'<?xml version="1.0"?><net version="11">' + b"<a>" * 5000
    edge = '<edge from-layer="0" from-port="0" to-layer="0" to-port="0"/>'
    own = '<layer id="0" name="e" type="Exp"><input><port id="0"/></input><output><port id="0"/><port id="0"/></output></layer>'
    yield "output-twice", openvino_model(own, edge)
    yield "value-of-nothing", openvino_model(own.replace('<output><port id="0"/><port id="0"/></output>', ""), edge)
    yield "no-net", b'<?xml version="1.0"?><graph/>'
    yield "version-9", b'<?xml version="1.0"?><net version="9"/>'


def statistics_of(*entries, version=2, count=None, data=None, tokens=640, bins=None, low=-1.0):
    """Checksums are the fuzz target's own. data: bytes in place of the entries' data."""
    head = b"zpstats\n" + struct.pack("<IIQQQQ", version, len(entries) if count is None else count, 1, tokens, 64, 0)
    heads = b"".join(struct.pack("<24sqQQ", role, layer, columns, 640) for role, layer, columns in entries)
    if data is not None:
        return head + heads + data
    data = b""
    for _, _, columns in entries:
        data += struct.pack("<f", 1.0) * (columns * (columns + 1) // 2)
        data += struct.pack("<f", low) * columns + struct.pack("<f", 1.0) * columns
        data += struct.pack("<ff", -1.0, 1.0) * (tokens // 64)
        held = [(0x8000, 640 * columns)] if bins is None else bins
        data += struct.pack("<Q", len(held)) + b"".join(struct.pack("<Q", b << 48 | n) for b, n in held)
    return head + heads + data


def statistics_files():
    two = [(b"query", 0, 3), (b"head", -1, 2)]
    one = (b"query", 0, 1)
    yield "two-entries", statistics_of(*two)
    yield "none", statistics_of()
    yield "version-1", statistics_of(*two, version=1)
    yield "version-3", statistics_of(*two, version=3)
    yield "entries-beyond-file", statistics_of(*two, count=(1 << 32) - 1)
    yield "columns-beyond-file", statistics_of((b"query", 0, 1 << 20), data=bytes(16))
    yield "columns-2-63", statistics_of((b"query", 0, 1 << 63), data=bytes(16))
    yield "windows-beyond-file", statistics_of(one, tokens=1 << 40, data=bytes(400))
    yield "windows-2-56", statistics_of(one, tokens=1 << 62, data=bytes(400))
    yield "bins-beyond-file", statistics_of(one)[:-16] + struct.pack("<QQ", 1 << 16, 1)
    yield "bins-2-63", statistics_of(one)[:-16] + struct.pack("<QQ", 1 << 63, 1)
    yield "bins-fall", statistics_of(one, bins=[(0x8001, 320), (0x8000, 320)])
    yield "bins-not-finite", statistics_of(one, bins=[(0x8000 + 0x7F80, 640)])
    yield "bins-of-fewer-values", statistics_of(one, bins=[(0x8000, 639)])
    yield "no-bins", statistics_of(one, bins=[])
    yield "range-not-a-number", statistics_of(one, low=float("nan"))
    yield "range-upside-down", statistics_of(one, low=2.0)
    yield "data-cut", statistics_of(*two)[:-2]
    yield "data-behind", statistics_of(*two) + b"x"
    yield "role-without-end", statistics_of((b"r" * 24, 0, 1))
    yield "head-alone", statistics_of()[:20]


def weight_layout_files():
    two = struct.pack("<32i", *([0] * 31 + [2]))
    shape = lambda *sizes: ("I64", [2], struct.pack("<2q", *sizes))
    yield "gptq-column-of-no-group", quantized(GPTQ, gptq_module(g_idx=("I32", [32], two)))
    yield "gptq-index-of-other-columns", quantized(GPTQ, gptq_module(g_idx=("I32", [31], bytes(124))))
    yield "gptq-index-empty", quantized(GPTQ, gptq_module(g_idx=("I32", [0], b"")))
    yield "gptq-bits-0", quantized(GPTQ | {"bits": 0}, {k: v for k, v in gptq_module().items() if k != "g_idx"})
    yield "gptq-bits-2-62", quantized(GPTQ | {"bits": 1 << 62}, {k: v for k, v in gptq_module().items() if k != "g_idx"})
    yield "gptq-group-0", quantized(GPTQ | {"group_size": 0}, gptq_module())
    yield "gptq-codes-of-nothing", quantized(GPTQ, gptq_module(qweight=("I32", [0, 8], b"")))
    yield "gptq-scales-of-integers", quantized(GPTQ, gptq_module(scales=filled("I32", 2, 8)))
    yield "gptq-zeros-missing", quantized(GPTQ, {"qweight": filled("I32", 4, 8), "scales": filled("F16", 2, 8)})
    yield "gptq-zeros-of-fewer-rows", quantized(GPTQ, gptq_module(qzeros=filled("I32", 1, 1)))
    yield "gptq-weight-beside", quantized(GPTQ, gptq_module(weight=filled("F32", 8, 32)))
    yield "awq-more-groups-than-columns", quantized(AWQ, awq_module(scales=filled("F16", 64, 8)))
    yield "awq-no-rows", quantized(AWQ, awq_module(qweight=("I32", [32, 0], b"")))
    yield "awq-codes-of-floats", quantized(AWQ, awq_module(qweight=filled("F32", 32, 1)))
    yield "packed-columns-2-62", quantized(COMPRESSED, packed_module(weight_shape=shape(8, 1 << 62)))
    yield "packed-columns-0", quantized(COMPRESSED, packed_module(weight_shape=shape(8, 0)))
    yield "packed-rows-minus-1", quantized(COMPRESSED, packed_module(weight_shape=shape(-1, 32)))
    yield "packed-shape-of-one", quantized(COMPRESSED, packed_module(weight_shape=("I64", [1], bytes(8))))
    yield "packed-shape-of-floats", quantized(COMPRESSED, packed_module(weight_shape=filled("F32", 2)))
    yield "packed-groups-do-not-divide", quantized(COMPRESSED, packed_module(weight_scale=filled("F16", 8, 3)))
    yield "packed-no-scales", quantized(COMPRESSED, packed_module(weight_scale=("F16", [8, 0], b"")))
    yield "packed-zeros-of-other-groups", quantized(COMPRESSED, packed_module(weight_zero_point=filled("I32", 1, 3)))
    yield "fp8-scales-of-other-blocks", quantized(FP8, fp8_module(weight_scale_inv=filled("F32", 3, 2)))
    yield "fp8-scales-of-integers", quantized(FP8, fp8_module(weight_scale_inv=filled("I32", 2, 2)))
    yield "fp8-blocks-of-0", quantized(FP8 | {"weight_block_size": [0, 16]}, fp8_module())
    yield "fp8-one-block-size", quantized(FP8 | {"weight_block_size": [16]}, fp8_module())
    yield "fp8-weight-of-one-dimension", quantized(FP8, fp8_module(weight=filled("F8_E4M3", 32)))
    yield "nvfp4-scales-of-fewer-rows", quantized(MODELOPT, nvfp4_module(weight_scale=filled("F8_E4M3", 1, 2)))
    yield "nvfp4-two-scales-of-all", quantized(MODELOPT, nvfp4_module(weight_scale_2=filled("F32", 2)))
    yield "nvfp4-codes-of-words", quantized(MODELOPT, nvfp4_module(weight=filled("I32", 2, 4)))
    absmax, codes = "weight.absmax", "weight.quant_map"
    yield "nf4-columns-of-no-whole-block", quantized(BITSANDBYTES, nf4_module(NESTED | {"shape": [4, 30]}))
    yield "nf4-rows-2-62", quantized(BITSANDBYTES, nf4_module(NESTED | {"shape": [1 << 62, 32]}))
    yield "nf4-shape-of-one", quantized(BITSANDBYTES, nf4_module(NESTED | {"shape": [128]}))
    yield "nf4-blocks-of-0", quantized(BITSANDBYTES, nf4_module(NESTED | {"blocksize": 0}))
    yield "nf4-nested-blocks-of-0", quantized(BITSANDBYTES, nf4_module(NESTED | {"nested_blocksize": 0}))
    yield "nf4-more-rows-than-codes", quantized(BITSANDBYTES, nf4_module(NESTED | {"shape": [5, 32]}))
    yield "nf4-state-is-no-json", quantized(BITSANDBYTES, nf4_module() | {"weight.quant_state.bitsandbytes__nf4": filled("U8", 9)})
    yield "nf4-fewer-scales-than-blocks", quantized(BITSANDBYTES, nf4_module() | {absmax: filled("U8", 7)})
    yield "nf4-scales-of-floats-nested", quantized(BITSANDBYTES, nf4_module() | {absmax: filled("F32", 8)})
    yield "nf4-fifteen-values", quantized(BITSANDBYTES, nf4_module() | {codes: filled("F32", 15)})
    yield "int8-scales-of-fewer-rows", quantized(BITSANDBYTES, {"weight": filled("I8", 4, 8), "SCB": filled("F32", 3)})
    yield "no-scales-at-all", quantized(MODELOPT, {"weight": filled("U8", 2, 16)})
    yield "config-is-an-array", b"[]\n" + quantized(GPTQ, gptq_module()).split(b"\n", 1)[1]


# --- adapters ------------------------------------------------------------------------------------
def gguf_lora(*tensors, kind="adapter", alpha=struct.pack("<if", 6, 2.0)):
    """tensors: name, ne, type."""
    pairs = b"".join(gguf_string(key) + struct.pack("<i", STRING) + gguf_string(value)
                     for key, value in (("general.type", kind), ("general.architecture", "llama"), ("adapter.type", "lora")))
    infos = b"".join(tensor_info(name, ne, type, 32 * i) for i, (name, ne, type) in enumerate(tensors))
    head = gguf_head(len(tensors), 4, pairs + gguf_string("adapter.lora.alpha") + alpha + infos)
    return head + bytes(-len(head) % 32) + bytes(32 * len(tensors))


def gguf_lora_files():
    a, b = (b"w.lora_a", (2, 1), 0), (b"w.lora_b", (1, 3), 0)
    yield "sound", gguf_lora(a, b)
    yield "halves", gguf_lora((*a[:2], 1), (*b[:2], 30))
    yield "a-model", gguf_lora(a, b, kind="model")
    yield "alpha-is-a-string", gguf_lora(a, b, alpha=struct.pack("<i", STRING) + gguf_string("2"))
    yield "b-missing", gguf_lora(a)
    yield "ranks-differ", gguf_lora(a, (b"w.lora_b", (2, 3), 0))
    yield "rank-of-three-dimensions", gguf_lora((b"w.lora_a", (2, 1, 1), 0), b)
    yield "one-dimension", gguf_lora((b"w.lora_a", (2,), 0), b)
    yield "whole-numbers", gguf_lora((b"w.lora_a", (2, 1), 26), b)
    yield "blocks", gguf_lora((b"w.lora_a", (32, 1), 2), b)
    yield "no-matrix-of-an-adapter", gguf_lora((b"w", (2, 1), 0), b)
    yield "name-of-the-end-alone", gguf_lora((b".lora_a", (2, 1), 0), (b".lora_b", (1, 3), 0))
    yield "nothing", gguf_lora()


def peft_files():
    begin = "base_model.model."
    sound = {"peft_type": "LORA", "r": 1, "lora_alpha": 2}
    a, b = entry(0, 8, [1, 2], "F32"), entry(8, 20, [3, 1], "F32")

    def file(config=sound, **tensors):
        return dumps(config) + b"\n" + st({begin + "w.lora_%s.weight" % x: t for x, t in (tensors or {"A": a, "B": b}).items()}, bytes(20))

    yield "sound", file()
    yield "rank-0", file({**sound, "r": 0})
    yield "rank-2", file({**sound, "r": 2})
    yield "rank-is-a-word", file({**sound, "r": "one"})
    yield "alpha-is-huge", file({**sound, "lora_alpha": 1e308})
    yield "weights-decomposed", file({**sound, "use_dora": True})
    yield "another-kind", file({**sound, "peft_type": "IA3"})
    yield "b-missing", file(A=entry(0, 20, [1, 5], "F32"))
    yield "whole-numbers", file(A=entry(0, 8, [1, 2], "I32"), B=b)
    yield "one-dimension", file(A=entry(0, 8, [2], "F32"), B=b)
    yield "columns-0", file(A=entry(0, 0, [1, 0], "F32"), B=entry(0, 20, [5, 1], "F32"))
    yield "no-module", dumps(sound) + b"\n" + st({begin + ".lora_A.weight": a, "b": b}, bytes(20))
    yield "config-is-a-list", file([])


FILES = {"weight_layout": weight_layout_files, "grid": grid_files, "statistics": statistics_files, "imatrix": imatrix_files, "jinja": jinja_files, "tokenizer_json": tokenizer_json_files, "sentencepiece": sentencepiece_files, "onnx": onnx_files, "openvino": openvino_files, "dataset": dataset_files,
         "gguf": gguf_files, "gguf_lora": gguf_lora_files, "peft": peft_files, "safetensors": safetensors_files, "pickle": pickle_files, "json": json_files}


def main():
    root = Path(__file__).parent / "regression"
    for target, make in FILES.items():
        (root / target).mkdir(parents=True, exist_ok=True)
        for name, data in make():
            (root / target / name).write_bytes(data)


if __name__ == "__main__":
    main()
