"""A GGUF file run by llama.cpp (the PyPI package xllamacpp), on the CPU and the same every time."""

import json
import urllib.request

import xllamacpp


class Llama:
    """Loads the file. Raises RuntimeError when llama.cpp refuses it. On small models more threads would
    wait for each other longer than they compute."""

    def __init__(self, path, context=512, threads=1, adapter=None):
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        if adapter is not None:
            added = xllamacpp.CommonAdapterLoraInfo()
            added.path, added.scale = str(adapter), 1.0
            params.lora_adapters = [added]
        params.n_ctx = context
        params.n_parallel = 1
        params.n_gpu_layers = 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        # Attention as the model was trained: no rounding of what it keeps.
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.warmup = False
        params.fit_params = False
        params.use_jinja = True
        params.verbosity = -1
        self._server = xllamacpp.Server(params)
        self.description = self._ask("/v1/models")["data"][0]["meta"]
        # A server that is ended before its loop has begun waits for it forever; an answer proves that it has.
        self._ask("/slots")

    def _ask(self, path, question=None):
        data = None if question is None else json.dumps(question).encode()
        request = urllib.request.Request(
            self._server.listening_address + path, data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)

    def tokenize(self, text):
        """Ids, with the tokens that the model wants around every text."""
        return self._ask("/tokenize", {"content": text, "add_special": True})["tokens"]

    def sampling(self):
        """How tokens are drawn where a request doesn't say."""
        return self._ask("/props")["default_generation_settings"]["params"]

    def go_on(self, prompt, tokens):
        """The likeliest ids after `prompt` (ids or text), up to an end-of-text token."""
        question = {"prompt": prompt, "n_predict": tokens, "return_tokens": True}
        return self._ask("/completion", {**question, "temperature": 0, "cache_prompt": False})["tokens"]

    def go_on_scored(self, prompt, tokens):
        """Pairs of the likeliest id and its natural logarithm of probability."""
        question = {"prompt": prompt, "n_predict": tokens, "temperature": 0, "cache_prompt": False, "n_probs": 1}
        steps = self._ask("/completion", question)["completion_probabilities"]
        return [(step["id"], step["logprob"]) for step in steps]

    def rates(self, prompt, tokens):
        """Tokens per second of the prompt, and of the `tokens` after it."""
        question = {"prompt": prompt, "n_predict": tokens, "temperature": 0, "cache_prompt": False, "ignore_eos": True}
        timings = self._ask("/completion", question)["timings"]
        return timings["prompt_per_second"], timings["predicted_per_second"]

    def logarithm_of_probability(self, prompt, id, vocabulary):
        """Of `id` after `prompt` (ids)."""
        return self.logarithms_of_probabilities(prompt, vocabulary)[id]

    def logarithms_of_probabilities(self, prompt, vocabulary):
        """Of every id after `prompt` (ids), where the likeliest is text."""
        question = {"prompt": prompt, "n_predict": 1, "temperature": 0, "cache_prompt": False, "n_probs": vocabulary}
        step = self._ask("/completion", question)["completion_probabilities"][0]
        return {one["id"]: one["logprob"] for one in step["top_logprobs"]}

    def chat(self, messages, tokens=64):
        """What the model says next, by its own chat template."""
        question = {"messages": messages, "max_tokens": tokens, "temperature": 0}
        answer = self._ask("/v1/chat/completions", question)
        return answer["choices"][0]["message"]["content"].strip()
