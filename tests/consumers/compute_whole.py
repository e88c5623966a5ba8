"""What transformers' own class for models of several parts computes of folders, in FP32.

    python compute_whole.py OUT.npz FOLDER...        needs torch, transformers

"N": the logits of every position of make_text_parts.IDS in the N-th folder; "N image": of a Gemma 3's, with an image between
them. A tensor that is missing or has no use is an error.
"""

import sys

import numpy as np
import torch
import transformers
from make_text_parts import IDS

AROUND = 6  # ids of text before and behind the image


def load(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    model_class = getattr(transformers, config.architectures[0])
    model, loading = model_class.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    problems = {key: found for key, found in loading.items() if found}
    if problems:
        raise SystemExit(f"{folder}: {problems}")
    return model.eval()


@torch.no_grad()
def with_image(model):
    config = model.config
    ids = [*IDS[:AROUND], *[config.image_token_id] * config.mm_tokens_per_image, *IDS[AROUND : 2 * AROUND]]
    size = config.vision_config.image_size
    pixels = torch.sin(torch.arange(3 * size * size, dtype=torch.float32)).reshape(1, 3, size, size)
    kinds = [int(i == config.image_token_id) for i in ids]
    return model(input_ids=torch.tensor([ids]), pixel_values=pixels, token_type_ids=torch.tensor([kinds])).logits[0]


@torch.no_grad()
def main(out, folders):
    logits = {}
    for number, folder in enumerate(folders):
        model = load(folder)
        logits[f"{number}"] = model(input_ids=torch.tensor([IDS])).logits[0].numpy()
        if model.config.model_type == "gemma3":
            logits[f"{number} image"] = with_image(model).numpy()
    np.savez(out, **logits)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
