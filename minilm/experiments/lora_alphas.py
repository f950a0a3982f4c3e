"""LoRA on Python's reference with a small and a large alpha, by rate: does the best rate follow hidden / (2 alpha)?

Runs as in lora_rates.py, which has those of alpha = 16 and of full fine-tuning.
"""

from .lora_rates import measure as run

ABOUT = "LoRA (r = 8, all seven layers) on Python's reference with alpha 2 and 128, by rate"
RATES = {2.0: (1e-3, 3e-3, 1e-2, 3e-2, 1e-1), 128.0: (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)}
CELLS = [{"alpha": alpha, "rate": rate, "seed": seed} for seed in range(3) for alpha in RATES for rate in RATES[alpha]]


def measure(alpha, rate, seed):
    """Bits/byte on the text at the end; none where the run was lost."""
    found = run("lora", "pydocs", rate, seed, alpha=alpha)
    lost = {"lost": found["lost"]} if "lost" in found else {}
    return {"target": None if lost else found["target"][-1], **lost}
