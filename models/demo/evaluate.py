#!/usr/bin/env python3
"""Measure the stored demo model on its held-out documents, and write the stored oracles.

Reads the folder as any user would (transformers' Auto classes), computes in FP32, and writes
  heldout.txt    the held-out documents as the chat template renders them
  expected.json  perplexity, token ids and greedy continuations, to compare other engines with
Perplexity counts every token of a document but its BOS, which nothing predicts: the question, the
answer and the chat markers. Each document is scored alone.
"""

import argparse
import json
import math
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from make_corpus import make_corpus
from train import render

PROMPTS = [("en", "fact"), ("en", "combination"), ("bn", "combination")]
CONTINUATION = 32
TEXT_CHARACTERS = 2000
ROWS = 32


def chat(document):
    return [{"role": "user", "content": document["user"]}]


@torch.no_grad()
def score(model, tokenizer, documents):
    """Return for each document the natural-log loss and the answer mask of its scored tokens."""
    answer_mark = tokenizer.convert_tokens_to_ids("<|assistant|>")
    scored = []
    for start in range(0, len(documents), ROWS):
        rows = [tokenizer(render(d), add_special_tokens=False)["input_ids"]
                for d in documents[start:start + ROWS]]
        width = max(map(len, rows))
        # Padding on the right is never seen by the tokens before it.
        padded = torch.tensor([row + [tokenizer.pad_token_id] * (width - len(row))
                               for row in rows])
        losses = -model(input_ids=padded).logits[:, :-1].log_softmax(-1).gather(
            2, padded[:, 1:, None])[..., 0]
        for row, loss in zip(rows, losses):
            mark = row.index(answer_mark)
            scored.append((loss[:len(row) - 1].double(),
                           torch.arange(1, len(row)) > mark))
    return scored


@torch.no_grad()
def answers(model, tokenizer, documents):
    """Return the greedy answers, as text."""
    texts = []
    for start in range(0, len(documents), ROWS):
        batch = tokenizer.apply_chat_template(
            [chat(d) for d in documents[start:start + ROWS]], add_generation_prompt=True,
            padding=True, return_tensors="pt", return_dict=True)
        out = model.generate(**batch, do_sample=False)[:, batch["input_ids"].shape[1]:]
        texts += [tokenizer.decode(row, skip_special_tokens=True).strip("\n") for row in out]
    return texts


@torch.no_grad()
def oracle(model, tokenizer, document):
    """Return one prompt with its greedy continuation; it goes on past <|end|>."""
    text = tokenizer.apply_chat_template(chat(document), add_generation_prompt=True,
                                         tokenize=False)
    prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert prompt == tokenizer.apply_chat_template(
        chat(document), add_generation_prompt=True, return_dict=True)["input_ids"]
    ids, margins = list(prompt), []
    for _ in range(CONTINUATION):
        best = model(input_ids=torch.tensor([ids])).logits[0, -1].topk(2)
        margins.append(round((best.values[0] - best.values[1]).item(), 3))
        ids.append(best.indices[0].item())
    return {"messages": chat(document), "text": text, "ids": prompt,
            "continuation": ids[len(prompt):], "margins": margins}


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=here)
    parser.add_argument("--world", type=Path, default=here / "world.json")
    parser.add_argument("--heldout", type=Path, default=here / "heldout.jsonl")
    parser.add_argument("--seed", type=int, default=1, help="the corpus's")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    # The corpus is drawn again because heldout.jsonl does not say which document is of what kind.
    _, documents = make_corpus(json.loads(arguments.world.read_text(encoding="utf-8")),
                               arguments.seed)
    lines = [json.loads(line) for line in arguments.heldout.open(encoding="utf-8")]
    assert lines == [{k: d[k] for k in ("user", "assistant")} for d in documents]
    text = "".join(render(d) for d in documents)
    (arguments.model / "heldout.txt").write_text(text, encoding="utf-8", newline="\n")

    tokenizer = AutoTokenizer.from_pretrained(arguments.model, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    excerpt = text[:TEXT_CHARACTERS]
    ids = Tokenizer.from_file(str(arguments.model / "tokenizer.json")).encode(
        excerpt, add_special_tokens=False).ids
    assert ids == tokenizer(excerpt, add_special_tokens=False)["input_ids"]
    whole = [*chat(documents[0]), {"role": "assistant", "content": documents[0]["assistant"]}]
    assert tokenizer.apply_chat_template(whole, tokenize=False) == render(documents[0])

    scored = score(model, tokenizer, documents)
    found = answers(model, tokenizer, documents)
    right = [answer == d["assistant"] for answer, d in zip(found, documents)]
    print(f"uniform perplexity: {model.config.vocab_size}")
    perplexities = {}
    for language in ("en", "bn", "all"):
        chosen = [k for k, d in enumerate(documents) if language in (d["language"], "all")]
        losses = torch.cat([scored[k][0] for k in chosen])
        mask = torch.cat([scored[k][1] for k in chosen])
        perplexities[language] = {
            "documents": len(chosen), "tokens": len(losses),
            "perplexity": round(math.exp(losses.mean()), 5),
            "answer_perplexity": round(math.exp(losses[mask].mean()), 5)}
        print(language, perplexities[language])
        for kind in ("fact", "combination"):
            these = [right[k] for k in chosen if documents[k]["kind"] == kind]
            print(f"  {kind}: {sum(these)} of {len(these)} answered exactly right")
    misses = [k for k in range(len(documents)) if not right[k]]
    for k in misses[:12]:
        print(f"  wrong: {documents[k]['user']}\n    {found[k]}\n    {documents[k]['assistant']}")

    oracles = []
    for language, kind in PROMPTS:
        k = next(k for k, d in enumerate(documents)
                 if (d["language"], d["kind"]) == (language, kind))
        oracles.append(oracle(model, tokenizer, documents[k]))
        print(f"{documents[k]['user']}\n  {found[k]}\n  right: {right[k]}")
    expected = {"perplexity": perplexities, "prompts": oracles,
                "text": {"file": "heldout.txt", "characters": TEXT_CHARACTERS, "ids": ids}}
    (arguments.model / "expected.json").write_text(
        json.dumps(expected, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
