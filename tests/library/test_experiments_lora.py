"""The arithmetic of chapter 5's experiments: equal numbers of parameters, equal pieces of text, the wanted gamma."""

import copy

import pytest
import torch

from minilm.experiments import lora_first_steps, lora_noise, lora_placement, lora_ranks, lora_rates
from minilm.lora import adapters, add_lora
from minilm.model import LM, PRESETS, count_parameters


@pytest.mark.parametrize("place", lora_placement.PLACES)
def test_the_number_of_trained_parameters_is_the_models_own_and_the_places_match(place):
    rank = lora_placement.matched_rank(place)
    model = add_lora(LM(PRESETS["base"]), rank, targets=lora_placement.PLACES[place])
    trained = count_parameters(model, trainable_only=True)
    assert lora_placement.trained(place, rank) == trained
    assert abs(trained / lora_placement.trained("all seven", 8) - 1) < 0.02


def test_pieces_are_spread_from_the_beginning_to_the_end():
    text = "".join(f"{number:05d} " for number in range(10_000))
    pieces = lora_rates.spread(text)
    assert len(pieces) == 8 * 700
    assert pieces.startswith("00000 ") and pieces.endswith("09999 ")
    assert lora_rates.spread("short") == "short"


def test_a_letter_of_several_bytes_may_be_cut_and_is_left_out():
    assert set(lora_rates.spread("é" * 5000)) == {"é"}


@pytest.mark.parametrize("rank", [1, 4, 64])
def test_gamma_is_what_the_experiment_says(rank):
    model = LM(PRESETS["nano"])
    wanted = {"alpha": 16.0, "alpha/sqrt(r)": 16 / rank**0.5, "alpha/r": 16 / rank}
    for scaling, gamma in wanted.items():
        adapted = add_lora(copy.deepcopy(model), rank, alpha=lora_first_steps.GAMMAS[scaling](rank) * rank)
        assert [layer.gamma for layer in adapters(adapted).values()] == pytest.approx([gamma] * 14)


def test_sgd_moves_against_the_gradient_and_clears_it():
    parameter = torch.nn.Parameter(torch.ones(3))
    (parameter * torch.tensor([1.0, 2.0, 0.0])).sum().backward()
    lora_first_steps.update_rule("sgd", [parameter], 0.5)()
    assert parameter.tolist() == [0.5, 0.0, 1.0] and parameter.grad is None


def test_every_comparison_has_three_rates_and_two_seeds_at_least():
    for experiment, keys in ((lora_rates, ("method", "text")), (lora_placement, ("place",)), (lora_ranks, ("rank",))):
        groups = {}
        for cell in experiment.CELLS:
            groups.setdefault(tuple(cell[key] for key in keys), []).append(cell)
        for cells in groups.values():
            assert len({cell["rate"] for cell in cells}) >= 3 and len({cell["seed"] for cell in cells}) >= 2


def test_noise_replaces_the_share_of_words_that_it_says_and_keeps_the_rest():
    text = "\n".join(f"a{number}  b{number}" for number in range(5000))
    noisy = lora_noise.noisy(text, 0.2, seed=0)
    assert noisy == lora_noise.noisy(text, 0.2, seed=0) != lora_noise.noisy(text, 0.2, seed=1)
    pairs = list(zip(text.split(), noisy.split(), strict=True))
    assert abs(sum(a != b for a, b in pairs) / len(pairs) - 0.2) < 0.02
    assert lora_noise.noisy(text, 0.0, seed=0) == text
