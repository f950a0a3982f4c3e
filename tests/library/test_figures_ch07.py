"""Chapter 7's figures and the sums behind them: what they say is in the data, and the shortcuts give what they name."""

import numpy as np
import pytest
import torch

from minilm.figures import ch07, ch07_sketches, ch07_sums
from minilm.merge import fold


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def clients(same_a):
    """Two clients of one layer: in 5, out 4, rank 2."""
    pairs = [(random(2, 5, seed=0 if same_a else i), random(4, 2, seed=9 + i)) for i in (1, 2)]
    return [{"layer": (a, b, 1.5)} for a, b in pairs]


def test_the_right_average_is_that_of_the_products():
    right, _ = ch07_sums.averages(clients(same_a=False), [0.25, 0.75])
    products = [gamma * b @ a for a, b, gamma in (client["layer"] for client in clients(same_a=False))]
    torch.testing.assert_close(right["layer"], 0.25 * products[0] + 0.75 * products[1])


def test_averaging_the_factors_is_right_only_where_all_clients_have_one_a():
    for same_a in (True, False):
        right, wrong = ch07_sums.averages(clients(same_a), [0.25, 0.75])
        assert torch.allclose(right["layer"], wrong["layer"], atol=1e-6) == same_a


def test_lost_entries_counts_what_rounding_leaves_as_it_was():
    weights = {"layer": torch.ones(1, 4)}
    lost = ch07_sums.lost_entries({"layer": torch.tensor([[0.001, 0.003, 0.005, 0.0]])}, weights, torch.bfloat16)
    assert lost["layer"] == pytest.approx(2 / 3)


def test_a_change_cut_at_full_rank_is_the_whole_change(make_model):
    base, other = make_model(seed=0), make_model(seed=1)
    deltas = ch07_sums.changes(dict(other.named_parameters()), base)
    smallest = min(min(delta.shape) for delta in deltas.values())
    merged = fold(ch07_sums.as_adapter(ch07_sums.halves(deltas), smallest, make_model(seed=0)))
    whole = [name for name, delta in deltas.items() if min(delta.shape) == smallest]
    assert whole
    for name in whole:
        torch.testing.assert_close(
            merged.get_submodule(name).weight, other.get_submodule(name).weight, atol=1e-5, rtol=0
        )


def test_the_energy_kept_grows_with_the_rank_to_all_of_it():
    deltas = {
        "one": torch.diag(torch.tensor([3.0, 1.0])).double(),
        "two": torch.diag(torch.tensor([1.0, 1.0])).double(),
    }
    assert [ch07_sums.kept(ch07_sums.halves(deltas), rank) for rank in (1, 2)] == pytest.approx([(0.9 + 0.5) / 2, 1.0])


def test_the_table_of_tenants_has_adapters_as_rows_and_plays_as_columns():
    plays = [f"play:{slug}" for slug in ch07_sums.PLAYS]
    lines = [{"text": "base", "seed": 0, "bits_per_byte": dict.fromkeys(plays, 2.0)}]
    lines += [{"text": "pydocs", "seed": 0, "bits_per_byte": dict.fromkeys(plays, 3.0)}]
    for seed in (0, 1):
        for i, text in enumerate(plays):
            scores = {play: 10 * i + j + 100 * seed for j, play in enumerate(plays)}
            lines.append({"text": text, "seed": seed, "bits_per_byte": scores})
    for seed in (0, 1):
        base, scores, control = ch07_sums.table(lines, seed)
        assert (base == 2).all() and (control == 3).all()
        assert scores[2, 5] == 25 + 100 * seed
    assert ch07_sums.seeds(lines) == [0, 1]
    assert ch07_sums.seeds(lines[:-1]) == [0]
    with pytest.raises(KeyError):
        ch07_sums.table(lines[:-1], 1)


def test_the_picture_of_tenants_counts_the_columns_that_their_own_adapter_wins():
    values = 1.5 + 0.1 * (1 - np.eye(3))
    values[0, 2] = 1.0
    assert "in 2 of 3 columns the lowest value is on the diagonal" in ch07.tenants(values, ["a", "b", "c"], "T").alt
    gain = ch07.tenants(1.55 - values, ["a", "b", "c"], "T", max, "+z.2f")
    assert "in 2 of 3 columns the highest value is on the diagonal" in gain.alt


PICTURES = {
    "eaten": lambda: ch07.eaten({"q_proj": [0.1, 0.2], "k_proj": [0.3, 0.95]}),
    "strength": lambda: ch07.strength({"Hamlet": [(0, 1.8), (1, 1.7), (2, 1.9)]}, "T", {"merged": (1, 1.7)}),
    "fading": lambda: ch07.fading({"entries": [(1, 0.1), (0.25, 0.5)], "effect": [(1, 0.0), (0.25, 1.1)]}),
    "dots": lambda: ch07.dots({"Hamlet": {"base": 1.8, "own": 1.7}}, "T"),
    "squeezed": lambda: ch07.squeezed({"cut": [(1, 1.8), (4, 1.7)]}, {"base": 1.9}, [(1, 0.2), (4, 0.5)], "T"),
    "sizes": lambda: ch07.sizes({"8B": [(1, 5e6), (64, 3e8)]}, {"100 MB": 1e8}),
}
SAID = {
    "eaten": "most, 95.0%, in k_proj of block 1",
    "strength": "lowest 1.700 at λ = 1, highest 1.900 at λ = 2",
    "fading": "from 0% at 1 to 110% at 1/4",
    "dots": "Hamlet: base 1.800, own 1.700",
    "squeezed": "cut goes from 1.800 at rank 1 to 1.700 at 4",
    "sizes": "8B: 5.0 MB at rank 1, 300.0 MB at 64",
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_says_what_is_in_it_and_is_the_same_twice(name):
    picture = PICTURES[name]()
    assert SAID[name] in picture.alt
    assert picture.png() == PICTURES[name]().png()


def test_the_sketch_of_a_batch_names_its_rows_in_their_order():
    picture = ch07_sketches.mixed_batch(["Hamlet", None, "Tempest"])
    assert "3 requests, for Hamlet, the base alone, Tempest" in picture.alt
    assert picture.png() == ch07_sketches.mixed_batch(["Hamlet", None, "Tempest"]).png()


def test_the_sketch_of_stacking_says_what_is_multiplied():
    assert "B₁ and B₂ side by side, times the wide matrices A₁ and A₂" in ch07_sketches.stacking().alt
