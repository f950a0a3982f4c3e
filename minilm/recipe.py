"""A recipe: every choice of a training run in one place, so that a run can be repeated, resumed and compared."""

from dataclasses import asdict, dataclass

from .errors import UserError
from .schedule import SCHEDULES


@dataclass(frozen=True)
class Recipe:
    """How to train. Give `steps` (a run that can be repeated to the bit) or `minutes` (a run that ends on time)."""

    steps: int | None = None
    minutes: float | None = None
    batch: int = 8  # sequences per step [B], over all processes
    context: int = 256  # tokens per sequence [T]
    accumulate: int = 1  # micro-batches that one step's batch is cut into, to save memory
    optimizer: str = "adamw"  # or "muon": Muon for the matrices inside the blocks, AdamW for the rest
    lr: float = 1e-3  # AdamW's peak learning rate
    muon_lr: float = 0.02
    weight_decay: float = 0.0  # on matrices only
    schedule: str = "linear"
    warmup: float = 0.02  # share of the run
    dropout: float = 0.0  # share of each block's contributions that is zeroed; helps when text is read many times
    recast: bool = False  # invented names for every scene and epoch (casting.py); for pretraining on plays
    clip: float | None = 1.0  # longest gradient; 0 or None: no clipping
    seed: int = 0
    evaluate: int = 4  # how often validation is measured during the run, evenly spread, the end included
    save_seconds: float = 60.0  # between checkpoints

    def __post_init__(self):
        if (self.steps is None) == (self.minutes is None):
            raise UserError("give either steps or minutes, not both and not neither")
        length = self.steps if self.steps is not None else self.minutes
        if not 0 < length < float("inf"):
            raise UserError(f"a run cannot last {length} steps or minutes; choose a number above 0")
        for name in ("batch", "context", "accumulate"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} {getattr(self, name)} is too small; choose 1 or more")
        for name in ("lr", "muon_lr"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise UserError(f"learning rate {getattr(self, name)} is not possible; choose one such as 0.001")
        if self.batch % self.accumulate:
            raise UserError(f"batch {self.batch} cannot be cut into {self.accumulate} micro-batches; choose a multiple")
        if self.schedule not in SCHEDULES:
            raise UserError(f"schedule {self.schedule!r} is not known; choose one of {', '.join(SCHEDULES)}")
        if self.optimizer not in ("adamw", "muon"):
            raise UserError(f"optimizer {self.optimizer!r} is not known; choose adamw or muon")
        if not 0 <= self.warmup < 1:
            raise UserError(f"warmup {self.warmup} is not a share of the run; choose 0 or more, below 1")
        if self.clip is not None and not self.clip >= 0:
            raise UserError(f"clip {self.clip} would turn the gradients round; choose 0 (no clipping) or more")
        if not 0 <= self.dropout < 1:
            raise UserError(f"dropout {self.dropout} is not a share; choose 0 or more, below 1")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"seed {self.seed} is out of range; choose a whole number from 0 to {2**32 - 1}")

    def as_dict(self):
        return asdict(self)
