"""The README.md of an adapter folder: a short model card that says what the folder is and how to use it."""

from pathlib import Path

from .adapter import adapter_weights
from .files import write_text
from .folder import fingerprint
from .lora import adapters

CARD = """\
---
library_name: peft
tags:
- lora
---

# A LoRA adapter

| | |
|---|---|
| trained with | minilm |
| base | `{base}`, fingerprint `{fingerprint}` |
| rank, alpha | {choices} |
| layers adapted | {layers} |
| numbers in it | {numbers:,} |

It is a correction to that base and means nothing on another. In transformers and PEFT:

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained("{base}")
model = PeftModel.from_pretrained(model, "{folder}")
```

In minilm: `minilm generate --model {base} --adapter {folder}`
"""


def write_card(folder, model, base):
    """Write the card of the adapter of `model` to `folder`. Arguments: base: the path of the base's folder."""
    layers = adapters(model)
    choices = dict.fromkeys(f"{layer.rank}, {layer.alpha:g}" for layer in layers.values())
    text = CARD.format(
        base=base,
        fingerprint=fingerprint(model),
        choices="; ".join(choices),
        layers=f"{len(layers)} ({', '.join(dict.fromkeys(name.rpartition('.')[2] for name in layers))})",
        numbers=sum(tensor.numel() for tensor in adapter_weights(model).values()),
        folder=Path(folder).as_posix(),
    )
    write_text(Path(folder) / "README.md", text)
