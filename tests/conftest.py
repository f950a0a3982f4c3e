"""What all tests share: no network, one thread, and a model and tokenizer small enough to be made again each time."""

import ipaddress
import socket
from types import SimpleNamespace

import pytest
import torch

from minilm.model import LM, Config
from minilm.tokenizer import Tokenizer

torch.set_num_threads(1)  # tiny tensors only lose time between threads

SENTENCE = "to be, or not to be: that is the question: whether 'tis nobler in the mind to suffer the slings and arrows "


@pytest.fixture(scope="session", autouse=True)
def no_network():
    """Sockets reach this machine and nothing else; what needs a network after set-up fails here, and says so."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, local_only(getattr(socket.socket, name)))
        yield


def local_only(connect):
    def guarded(self, address):
        if not is_local(self, address):
            raise RuntimeError(f"a test tried to reach {address} over the network; after set-up minilm needs none")
        return connect(self, address)

    return guarded


def is_local(sock, address):
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return True  # a socket between processes of one machine
    if address[0] == "localhost":
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:  # a name that would have to be looked up
        return False


@pytest.fixture(scope="session")
def sentence():
    return SENTENCE


@pytest.fixture(scope="session")
def tokenizer():
    """290 tokens, learned from one sentence."""
    return Tokenizer.train(SENTENCE * 2, vocab_size=290)


@pytest.fixture(scope="session")
def tiny_config(tokenizer):
    """No two sizes alike, so that swapped dimensions show: V 290, D 24, F 40, L 3, H 2 on 1 key/value head, T 32."""
    return Config(
        vocab_size=tokenizer.n_vocab,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=32,
    )


@pytest.fixture
def tiny_model(tiny_config):
    """A model in which every weight matters: a fresh one has zeros where its blocks write into the stream."""
    return lively(LM(tiny_config)).eval()


def lively(model, seed=0):
    """Give all weights of `model` random values of a healthy size, norms included; returns the model."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(noise * parameter.shape[1] ** -0.5 if parameter.ndim == 2 else 1 + 0.2 * noise)
    return model


@pytest.fixture(scope="session")
def make_model(tiny_config):
    """make_model(seed=0, **changes): a lively model of the tiny shape, or of one that differs in `changes`."""

    def make(seed=0, **changes):
        return lively(LM(Config(**{**tiny_config.as_dict(), **changes})), seed)

    return make


@pytest.fixture
def ids(tiny_config):
    """Random token ids (2, 20)."""
    return torch.randint(tiny_config.vocab_size, (2, 20), generator=torch.Generator().manual_seed(7))


@pytest.fixture
def texts():
    """A data set of two small texts, as train() takes it."""
    return SimpleNamespace(train=SENTENCE * 4, validation=SENTENCE)
