"""What transformers computes of models in FP32: greedy continuations to compare runtimes with.

    python make_expected.py MODEL... >expected/NAME.json        needs torch and transformers

One line each. MODEL=STORED.json takes the prompts of STORED.json instead of ours.

margins: at each step, how far the best logit stood above the second. A runtime that sums in another
order may rightly choose differently where the margin is tiny.
"""

import json
import pathlib
import sys

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

PROMPTS = ["Once upon a time", "The old man looked at the sea and", "\u098f\u0995 \u09a6\u09bf\u09a8"]
CONTINUATION = 32


@torch.no_grad()
def continuation(model, prompt):
    ids, margins = list(prompt), []
    for _ in range(CONTINUATION):
        best = model(input_ids=torch.tensor([ids])).logits[0, -1].topk(2)
        margins.append(round((best.values[0] - best.values[1]).item(), 3))
        ids.append(best.indices[0].item())
    return {"ids": prompt, "continuation": ids[len(prompt) :], "margins": margins}


def prompts_of(folder, stored):
    if stored:
        return [prompt["ids"] for prompt in json.loads(pathlib.Path(stored).read_text())["prompts"]]
    tokenizer = Tokenizer.from_file(str(pathlib.Path(folder) / "tokenizer.json"))
    return [tokenizer.encode(text).ids for text in PROMPTS]


def main(requests):
    for request in requests:
        folder, _, stored = request.partition("=")
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        print(json.dumps({"prompts": [continuation(model, ids) for ids in prompts_of(folder, stored)]}))


if __name__ == "__main__":
    main(sys.argv[1:])
