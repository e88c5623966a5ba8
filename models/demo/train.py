#!/usr/bin/env python3
"""Train the demo model: the tokenizer, then a small Llama, from train.jsonl.

Needs torch, transformers and tokenizers (README.md has the versions and the command). Training is
FP32 with fixed seeds; the weights are stored as BF16. evaluate.py measures what was stored.
"""

import argparse
import json
import math
import os
import random
import time
from pathlib import Path

# Threads that spin at barriers make training several times slower when other programs need the
# processors too; OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from tokenizers import trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

VOCABULARY = 1536
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|user|>", "<|assistant|>", "<|end|>"]
BOS, END_OF_TEXT, END = SPECIAL[0], SPECIAL[1], SPECIAL[4]
# Llama 3's pre-tokenizer, so that runtimes which know it by name need nothing new.
WORDS = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
         r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CHAT_TEMPLATE = ("{{ bos_token }}{% for message in messages %}"
                 "{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}"
                 "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}")

SEQUENCE = 512
SHORT = 256        # cheaper attention for most of training; SEQUENCE for the rest
SHORT_SHARE = 0.8
BATCH = 4          # rows of SEQUENCE tokens in a step
WARMUP = 150
PEAK_RATE = 2.5e-3
LAST_RATE = 2.5e-5


def render(document):
    """The chat template's text of one question and answer."""
    return (f"{BOS}<|user|>\n{document['user']}{END}\n"
            f"<|assistant|>\n{document['assistant']}{END}\n")


def read_jsonl(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def train_tokenizer(documents):
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(
        (f"\n{text}" for document in documents for text in document.values()), trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    bos = tokenizer.token_to_id(BOS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS}:1 $B:1", special_tokens=[(BOS, bos)])
    assert tokenizer.get_vocab_size() == VOCABULARY
    return tokenizer


def write_tokenizer(tokenizer, out):
    # Compact: an indented file would be twice as large.
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    added = {str(tokenizer.token_to_id(token)): {
        "content": token, "lstrip": False, "normalized": False, "rstrip": False,
        "single_word": False, "special": True} for token in SPECIAL}
    settings = {"added_tokens_decoder": added, "bos_token": BOS, "chat_template": CHAT_TEMPLATE,
                "clean_up_tokenization_spaces": False, "eos_token": END,
                "model_input_names": ["input_ids", "attention_mask"],
                "model_max_length": SEQUENCE, "pad_token": END_OF_TEXT,
                "tokenizer_class": "PreTrainedTokenizerFast"}
    text = json.dumps(settings, indent=2) + "\n"
    (out / "tokenizer_config.json").write_text(text, encoding="utf-8")


def make_model(tokenizer, seed):
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=256, intermediate_size=512, num_hidden_layers=4,
        num_attention_heads=8, num_key_value_heads=4, head_dim=32,
        max_position_embeddings=SEQUENCE, rms_norm_eps=1e-5, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        bos_token_id=tokenizer.token_to_id(BOS), eos_token_id=tokenizer.token_to_id(END),
        pad_token_id=tokenizer.token_to_id(END_OF_TEXT)))


def epochs(documents, rng):
    """Yield SEQUENCE-long rows for ever: shuffled documents end to end, each with its BOS."""
    rest = []
    while True:
        for document in rng.sample(documents, len(documents)):
            rest += document
            while len(rest) >= SEQUENCE:
                yield rest[:SEQUENCE]
                rest = rest[SEQUENCE:]


def rate(step, steps):
    """Linear warm-up, then a cosine from PEAK_RATE to LAST_RATE."""
    if step < WARMUP:
        return PEAK_RATE * (step + 1) / WARMUP
    done = (step - WARMUP) / max(1, steps - WARMUP)
    return LAST_RATE + (PEAK_RATE - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))


def train(model, documents, steps, seed):
    matrices = [w for w in model.parameters() if w.dim() == 2]
    vectors = [w for w in model.parameters() if w.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.05},
                                   {"params": vectors, "weight_decay": 0.0}],
                                  lr=PEAK_RATE, betas=(0.9, 0.95))
    rows = epochs(documents, random.Random(seed))
    model.train()
    start, total = time.monotonic(), 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        tokens = torch.tensor([next(rows) for _ in range(BATCH)])
        if step < SHORT_SHARE * steps:
            tokens = tokens.view(-1, SHORT)
        loss = model(input_ids=tokens, labels=tokens, use_cache=False).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1:5} of {steps}  loss {total / 100:.4f}  "
                  f"{time.monotonic() - start:.0f} s", flush=True)
            total = 0.0


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--train", type=Path, default=here / "train.jsonl")
    parser.add_argument("--out", type=Path, default=here)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    documents = read_jsonl(arguments.train)
    tokenizer = train_tokenizer(documents)
    write_tokenizer(tokenizer, arguments.out)
    encoded = [tokenizer.encode(render(d), add_special_tokens=False).ids for d in documents]
    print(f"{len(encoded)} documents, {sum(map(len, encoded))} tokens", flush=True)

    model = make_model(tokenizer, arguments.seed)
    print(f"{sum(w.numel() for w in model.parameters())} weights", flush=True)
    train(model, encoded, arguments.steps, arguments.seed)

    model.to(torch.bfloat16)
    model.generation_config = GenerationConfig(
        bos_token_id=model.config.bos_token_id, pad_token_id=model.config.pad_token_id,
        eos_token_id=[model.config.eos_token_id, tokenizer.token_to_id(END_OF_TEXT)],
        max_new_tokens=96)
    model.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
