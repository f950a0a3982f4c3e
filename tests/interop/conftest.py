"""What the tests against Hugging Face's libraries share."""

import logging
from pathlib import Path

import pytest
from shapes import trained

from minilm.hub import save_llama
from minilm.lora import add_lora

HERE = Path(__file__).parent
# Warnings are errors. This one is between PEFT 0.21 and transformers 5.23, and no one who calls them can avoid it.
BETWEEN_THEM = "ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.interop)
            item.add_marker(pytest.mark.filterwarnings(BETWEEN_THEM))


@pytest.fixture(autouse=True)
def nothing_is_said():
    """These libraries tell of missing or unused tensors in their logs, not only by warnings: both are failures."""
    said = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(f"{record.name}: {record.getMessage()}")
    loggers = [logging.getLogger(name) for name in ("transformers", "peft", "huggingface_hub")]
    for logger in loggers:
        logger.addHandler(handler)
    yield said
    for logger in loggers:
        logger.removeHandler(handler)
    assert not said, f"a library has a word of warning: {said}"


@pytest.fixture
def base(request, make_model):
    """A small model with no zeros in it: two heads on one key/value head, and a tied head, unless a shape is asked."""
    return make_model(**getattr(request, "param", {})).eval()


@pytest.fixture
def folder(tmp_path, base, tokenizer):
    """That model, as minilm writes it for transformers."""
    save_llama(tmp_path / "base", base, tokenizer)
    return tmp_path / "base"


@pytest.fixture
def adapted(base):
    """The model with an adapter that says something: alpha is not r, and the layers differ in both."""
    patterns = {"ranks": {"q_proj": 2, "down_proj": 5}, "alphas": {"v_proj": 3.0}}
    return trained(add_lora(base, rank=4, alpha=6.0, **patterns).eval())
