"""A decoder graph the program wrote, run by ONNX Runtime with its cache."""

import numpy as np
import onnxruntime


class Decoder:
    def __init__(self, folder):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        self.past = [i for i in self.session.get_inputs() if i.name.startswith("past")]
        self.outputs = [o.name for o in self.session.get_outputs()]

    def empty_cache(self, batch=1):
        return {i.name: np.zeros((batch, i.shape[1], 0, i.shape[3]), np.float32) for i in self.past}

    def step(self, ids, cache, seen=None):
        """ids: batch x count. seen: of each sequence, the tokens that count, these included. Returns logits
        and the longer cache."""
        batch, count = ids.shape
        total = next(iter(cache.values())).shape[2] + count
        mask = np.ones((batch, total), np.int64)
        for row, length in enumerate(seen or []):
            mask[row, length:] = 0
        positions = np.tile(np.arange(total - count, total, dtype=np.int64), (batch, 1))
        feed = {"input_ids": ids.astype(np.int64), "attention_mask": mask, "position_ids": positions}
        logits, *present = self.session.run(None, {**feed, **cache})
        names = [name.replace("present", "past_key_values") for name in self.outputs[1:]]
        return logits, dict(zip(names, present))

    def logits(self, ids, together):
        """Of every position: the first `together` at once, the others one by one."""
        ids = np.array([ids])
        rows, cache = self.step(ids[:, :together], self.empty_cache())
        rows = [rows]
        for i in range(together, ids.shape[1]):
            one, cache = self.step(ids[:, i : i + 1], cache)
            rows.append(one)
        return np.concatenate(rows, axis=1)[0]
