"""What peft makes of a model and an adapter, as safetensors in FP32.

    python peft_merge.py MODEL ADAPTER OUT        exit code 77: no peft here
"""

import sys
import warnings

try:
    import peft
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

model, adapter, out = sys.argv[1:4]
base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    adapted = peft.PeftModel.from_pretrained(base, adapter)
missed = [str(w.message) for w in said if "adapter keys" in str(w.message)]
assert not missed, missed
weights = adapted.merge_and_unload().state_dict()
save_file({name: tensor.contiguous().clone() for name, tensor in weights.items()}, out)
