"""Logits that transformers computes in FP32, of every position of given sequences.

    python make_logits.py OUT.npz REQUESTS.json         needs torch, transformers

REQUESTS: {name: {"model": folder, "sequences": [[id...]...]}}. In OUT "name/i" is sequence i's
positions x vocabulary.
"""

import json
import pathlib
import sys

import numpy as np
import torch
import transformers


def load(folder, **options):
    """By its class, where transformers has one of that name: AutoModelForCausalLM doesn't have all."""
    name = transformers.AutoConfig.from_pretrained(folder).architectures[0]
    model_class = getattr(transformers, name, transformers.AutoModelForCausalLM)
    return model_class.from_pretrained(folder, dtype=torch.float32, **options).eval()


@torch.no_grad()
def main(out, requests):
    arrays = {}
    for name, request in json.loads(pathlib.Path(requests).read_text()).items():
        model = load(request["model"], attn_implementation="eager")
        for i, ids in enumerate(request["sequences"]):
            arrays[f"{name}/{i}"] = model(input_ids=torch.tensor([ids])).logits[0].numpy()
    np.savez_compressed(out, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
