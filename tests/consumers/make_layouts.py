"""models/demo as other programs quantize it, by their own code: folders, and what that code makes of them.

GPTQ's and AWQ's words are packed here as their files have them, for their programs want a GPU.

    python make_layouts.py DEMO OUT        needs torch, transformers, compressed-tensors, bitsandbytes

OUT/NAME is a folder, OUT/NAME.safetensors the weights of its linears that the layout's owner decodes, FP32.
"""

import json
import pathlib
import shutil
import sys

import bitsandbytes.functional as bnb
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from safetensors.torch import load_file, save_file

COMPRESSED = {  # name: its format, what its weights' arguments are
    "int4": ("pack-quantized", {"num_bits": 4, "strategy": "group", "group_size": 32, "symmetric": True}),
    "int4-zeros": ("pack-quantized", {"num_bits": 4, "strategy": "group", "group_size": 64, "symmetric": False}),
    "int3": ("pack-quantized", {"num_bits": 3, "strategy": "group", "group_size": 32, "symmetric": False}),
    "int8": ("pack-quantized", {"num_bits": 8, "strategy": "channel", "symmetric": True}),
    "w8a8": ("int-quantized", {"num_bits": 8, "strategy": "channel", "symmetric": True}),
    "fp8": ("float-quantized", {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True}),
    "nvfp4": ("nvfp4-pack-quantized",
              {"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16, "symmetric": True}),
    "mxfp4": ("mxfp4-pack-quantized", {"num_bits": 4, "type": "float", "strategy": "group", "group_size": 32, "symmetric": True}),
}  # fmt: skip
MX_STORED_AS_FLOAT = {"mxfp4"}  # scales that compress() turns into exponents itself


def scales_of(weight, args):
    """Scales, and zero-points where the arguments have some, of the largest magnitudes or the range."""
    group = args.get("group_size", weight.shape[1])
    groups = weight.reshape(weight.shape[0], -1, group)
    if args.get("type") == "float":
        largest = groups.abs().amax(-1).clamp_min(1e-6)
        return largest / (448 if args["num_bits"] == 8 else 6), None
    if args["symmetric"]:
        return groups.abs().amax(-1).clamp_min(1e-6) / (2 ** (args["num_bits"] - 1) - 1), None
    low, high = groups.amin(-1).clamp_max(0), groups.amax(-1).clamp_min(0)
    scale = ((high - low) / (2 ** args["num_bits"] - 1)).clamp_min(1e-6)
    zero = torch.round(-low / scale) - 2 ** (args["num_bits"] - 1)
    return scale, zero.to(torch.int8)


def compressed(weight, name):
    """Tensors of a module, and the weight that its compressor decodes."""
    format, args = COMPRESSED[name]
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**args), format=format)
    compressor = BaseCompressor.get_value_from_registry(format)
    scale, zero = scales_of(weight, args)
    state = {"weight": weight, "weight_scale": scale}
    if zero is not None:
        state["weight_zero_point"] = zero
    if name == "nvfp4":
        state["weight_global_scale"] = torch.tensor([448 * 6 / weight.abs().max()])
        state["weight_scale"] = (scale * state["weight_global_scale"]).to(torch.float8_e4m3fn).to(torch.float32)
    if name in MX_STORED_AS_FLOAT:
        state["weight_scale"] = 2 ** torch.ceil(torch.log2(scale))
    parts = compressor.compress(state, scheme)
    return parts, compressor.decompress(parts, scheme)["weight"].to(torch.float32)


def fp8_blocks(weight, block):
    rows, cols = weight.shape
    tall, wide = -(-rows // block), -(-cols // block)
    padded = torch.zeros(tall * block, wide * block)
    padded[:rows, :cols] = weight
    scale = padded.reshape(tall, block, wide, block).abs().amax((1, 3)).clamp_min(1e-6) / 448
    spread = scale.repeat_interleave(block, 0).repeat_interleave(block, 1)[:rows, :cols]
    stored = (weight / spread).to(torch.float8_e4m3fn)
    return {"weight": stored, "weight_scale_inv": scale}, stored.to(torch.float32) * spread


def four_bits(weight, kind, nested):
    codes, state = bnb.quantize_4bit(weight, quant_type=kind, blocksize=64, compress_statistics=nested)
    parts = {f"weight.{part}": value for part, value in state.as_dict(packed=True).items()}
    return {"weight": codes, **parts}, bnb.dequantize_4bit(codes, state)


def llm_int8(weight):
    codes, scales, _ = bnb.int8_vectorwise_quant(weight.to(torch.float16))
    parts = {"weight": codes, "SCB": scales, "weight_format": torch.zeros((), dtype=torch.uint8)}
    return parts, bnb.int8_vectorwise_dequant(codes, scales)


def packed(codes, order=range(8)):
    """Words of eight 4-bit codes along the first dimension."""
    words = sum(codes[place::8].to(torch.int64) << 4 * position for position, place in enumerate(order))
    return (words - ((words >> 31) << 32)).to(torch.int32)


def four_bit_words(weight, awq):
    """4 bits with zero-points in groups of 32: GPTQ's first version, or AWQ's."""
    groups = weight.reshape(weight.shape[0], -1, 32)
    low, high = groups.amin(-1).clamp_max(-1e-3), groups.amax(-1).clamp_min(1e-3)
    scale = ((high - low) / 15).to(torch.float16)
    zero = (-low / scale.to(torch.float32)).round().clamp(1, 15)
    codes = (groups / scale.to(torch.float32)[..., None] + zero[..., None]).round().clamp(0, 15)
    decoded = (scale.to(torch.float32)[..., None] * (codes - zero[..., None])).reshape(weight.shape)
    codes = codes.reshape(weight.shape)
    parts = {"scales": scale.T}
    if awq:
        order = (0, 2, 4, 6, 1, 3, 5, 7)
        parts |= {"qweight": packed(codes, order).T, "qzeros": packed(zero, order).T}
    else:
        parts |= {"qweight": packed(codes.T), "qzeros": packed(zero - 1).T}
        parts["g_idx"] = torch.arange(weight.shape[1], dtype=torch.int32) // 32
    return parts, decoded


def write(out, name, demo, tensors, expected, quantization):
    folder = out / name
    shutil.copytree(demo, folder, ignore=shutil.ignore_patterns("*.safetensors", "*.py", "*.jsonl", "*.txt"))
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = quantization
    (folder / "config.json").write_text(json.dumps(config))
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    save_file({key: value.contiguous() for key, value in expected.items()}, out / f"{name}.safetensors")


def make(out, name, demo, source, quantization, quantize):
    tensors, expected = {}, {}
    for key, value in source.items():
        if not (key.startswith("model.layers.") and value.dim() == 2):
            tensors[key] = value
            continue
        parts, expected[key] = quantize(value.to(torch.float32))
        tensors |= {f"{key.removesuffix('weight')}{part}": tensor for part, tensor in parts.items()}
    write(out, name, demo, tensors, expected, quantization)


def main(demo, out):
    out.mkdir(parents=True)
    source = load_file(demo / "model.safetensors")
    for name, (format, args) in COMPRESSED.items():
        groups = {"group_0": {"targets": ["Linear"], "weights": args}}
        stated = {"quant_method": "compressed-tensors", "format": format, "config_groups": groups, "ignore": ["lm_head"]}
        make(out, name, demo, source, stated, lambda weight, name=name: compressed(weight, name))
    stated = {"quant_method": "fp8", "weight_block_size": [128, 128], "activation_scheme": "dynamic"}
    make(out, "fp8-blocks", demo, source, stated, lambda weight: fp8_blocks(weight, 128))
    stated = {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"}
    make(out, "awq", demo, source, stated, lambda weight: four_bit_words(weight, awq=True))
    stated = {"bits": 4, "group_size": 32, "desc_act": False, "sym": False}
    make(out, "gptq", demo, source, {"quant_method": "gptq", **stated}, lambda weight: four_bit_words(weight, awq=False))
    older = out / "gptq-older"  # says it in a file of its own
    shutil.copytree(out / "gptq", older)
    shutil.copy(demo / "config.json", older)
    (older / "quantize_config.json").write_text(json.dumps(stated))
    shutil.copy(out / "gptq.safetensors", out / "gptq-older.safetensors")
    stated = {"quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": False}
    for kind in ("nf4", "fp4"):
        for nested in (False, True):
            name = kind + "-nested" * nested
            make(out, name, demo, source, stated, lambda weight, kind=kind, nested=nested: four_bits(weight, kind, nested))
    stated = {"quant_method": "bitsandbytes", "load_in_4bit": False, "load_in_8bit": True}
    make(out, "llm-int8", demo, source, stated, llm_int8)


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:3]))
