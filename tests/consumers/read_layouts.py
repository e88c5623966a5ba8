"""What other programs' own code makes of quantized folders: the weights of linears, and logits.

    python read_layouts.py OUT FOLDER=PLAIN...        needs torch, transformers, compressed-tensors, bitsandbytes

PLAIN is a folder of the same values in the type that FOLDER's config.json says. OUT/NAME.safetensors are the weights that
FOLDER's owner decodes, in FP32. OUT/NAME.json says, where transformers takes the folder here, whether logits are the same to the
bit as those of PLAIN, where inputs of linears are not rounded, and whether they are where the owner rounds them.
"""

import json
import pathlib
import sys

import bitsandbytes.functional as bnb
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, CompressedTensorsConfig
from transformers.quantizers.auto import AutoQuantizationConfig
from transformers.utils import logging

IDS = torch.arange(3, 43)[None]


def has_zeros(quantization):
    return any(not group["weights"]["symmetric"] for group in quantization["config_groups"].values())


@torch.no_grad()
def logits(model, rounds_inputs=True):
    for module in model.modules():
        if hasattr(module, "quantization_scheme"):
            module.quantization_enabled = rounds_inputs
    return model(IDS).logits


def compressed_tensors(folder, quantization):
    # With zero-points it takes the weights, not the modules, to be what is stored (transformers 5.23).
    options = {"quantization_config": CompressedTensorsConfig(dequantize=True)} if has_zeros(quantization) else {}
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", **options)
    logits(model)  # decodes
    linears = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    return model, {f"{name}.weight": module.weight for name, module in linears.items() if name != "lm_head"}


def type_of(folder):
    return getattr(torch, json.loads((folder / "config.json").read_text())["dtype"])


def bitsandbytes(folder, quantization):
    """Without a model: transformers wants accelerate for it."""
    AutoQuantizationConfig.from_dict(quantization)
    tensors, weights = load_file(folder / "model.safetensors"), {}
    for name in [name for name in tensors if name.endswith(".weight.absmax")]:
        weight = name.removesuffix(".absmax")
        parts = {key: tensor for key, tensor in tensors.items() if key.startswith(f"{weight}.")}
        state = bnb.QuantState.from_dict(parts, torch.device("cpu"))
        weights[weight] = bnb.dequantize_4bit(tensors[weight], state)
    for name in [name for name in tensors if name.endswith(".SCB")]:
        weight = name.replace("SCB", "weight")
        weights[weight] = bnb.int8_vectorwise_dequant(tensors[weight], tensors[name]).to(type_of(folder))
    return None, weights


READERS = {"compressed-tensors": compressed_tensors, "bitsandbytes": bitsandbytes}


def main(out, pairs):
    out.mkdir()
    logging.set_verbosity_error()
    for folder, plain in pairs:
        quantization = json.loads((folder / "config.json").read_text())["quantization_config"]
        model, weights = READERS[quantization["quant_method"]](folder, quantization)
        save_file({name: weight.detach().to(torch.float32).contiguous() for name, weight in weights.items()},
                  out / f"{folder.name}.safetensors")  # fmt: skip
        if model is None:
            continue
        own = logits(AutoModelForCausalLM.from_pretrained(plain, dtype="auto"))
        same = {"same": torch.equal(logits(model, rounds_inputs=False), own), "same_as_computed": torch.equal(logits(model), own)}
        (out / f"{folder.name}.json").write_text(json.dumps(same))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), [map(pathlib.Path, pair.split("=")) for pair in sys.argv[2:]])
