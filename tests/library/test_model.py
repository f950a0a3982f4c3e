"""The transformer, each part against the same thing written out by hand, loop by loop."""

import math

import pytest
import torch
import torch.nn.functional as F

import minilm.model
from minilm.errors import UserError
from minilm.loss import lm_loss
from minilm.model import (
    LM,
    MLP,
    PRESETS,
    Attention,
    Config,
    RMSNorm,
    apply_rope,
    causal_mask,
    count_parameters,
    rope_tables,
)


def rotated(vector, position, theta=10_000.0):
    """One vector (K,) turned to `position`."""
    cos, sin = rope_tables(torch.tensor([position]), len(vector), theta, torch.float32)
    return apply_rope(vector.view(1, 1, 1, -1), cos, sin).flatten()


@torch.no_grad()
@pytest.mark.parametrize("t", [0, 7, 18])
def test_a_later_token_cannot_change_an_earlier_logit(tiny_model, ids, t):
    changed = ids.clone()
    changed[:, t + 1] = (ids[:, t + 1] + 1) % tiny_model.config.vocab_size
    before, after = tiny_model(ids), tiny_model(changed)
    assert torch.equal(before[:, : t + 1], after[:, : t + 1]), f"logits up to {t} saw token {t + 1}"
    for later in range(t + 1, ids.shape[1]):
        assert not torch.allclose(before[:, later], after[:, later]), f"logits {later} missed token {t + 1}"


@torch.no_grad()
def test_the_sequences_of_a_batch_do_not_see_each_other(tiny_model, ids):
    both = tiny_model(ids)
    for row in range(len(ids)):
        torch.testing.assert_close(both[row], tiny_model(ids[row : row + 1])[0], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(both[0], both[1])


def test_rope_scores_depend_only_on_the_distance():
    q, k = torch.randn(2, 16, generator=torch.Generator().manual_seed(1))
    near = rotated(q, 5) @ rotated(k, 3)
    far = rotated(q, 105) @ rotated(k, 103)
    other = rotated(q, 6) @ rotated(k, 3)
    torch.testing.assert_close(near, far, atol=1e-4, rtol=0)
    assert abs(near - other) > 1e-2
    assert abs(near - rotated(q, 3) @ rotated(k, 5)) > 1e-2, "which one comes first must matter too"


def test_rope_turns_a_pair_by_its_angle():
    expected = torch.tensor([math.cos(3.0), math.sin(3.0)])
    torch.testing.assert_close(rotated(torch.tensor([1.0, 0.0]), 3), expected)
    slow = rotated(torch.tensor([0.0, 1.0, 0.0, 0.0]), 3, theta=100.0)  # pair 1 turns by 3 * 100^(-2/4)
    torch.testing.assert_close(slow, torch.tensor([0.0, math.cos(0.3), 0.0, math.sin(0.3)]))


def test_rope_keeps_lengths_and_leaves_position_zero_alone():
    vector = torch.randn(12, generator=torch.Generator().manual_seed(2))
    assert torch.equal(rotated(vector, 0), vector)
    assert not torch.allclose(rotated(vector, 9), vector)
    torch.testing.assert_close(rotated(vector, 9).norm(), vector.norm())


def test_rope_pairs_halves_and_not_neighbours():
    x = torch.randn(8, generator=torch.Generator().manual_seed(3))
    cos, sin = (table[0] for table in rope_tables(torch.tensor([4]), 8, 10_000.0, torch.float32))
    halves, neighbours = torch.empty(8), torch.empty(8)
    for i in range(4):
        halves[i], halves[i + 4] = x[i] * cos[i] - x[i + 4] * sin[i], x[i + 4] * cos[i] + x[i] * sin[i]
        a, b = x[2 * i], x[2 * i + 1]
        neighbours[2 * i], neighbours[2 * i + 1] = a * cos[i] - b * sin[i], b * cos[i] + a * sin[i]
    torch.testing.assert_close(rotated(x, 4), halves)
    assert not torch.allclose(rotated(x, 4), neighbours)


@torch.no_grad()
def test_without_rope_the_order_of_earlier_tokens_is_lost(make_model, ids, monkeypatch):
    model = make_model(num_hidden_layers=1)  # with more layers the mask alone tells positions apart
    shuffled = torch.cat([ids[:, :-1].flip(1), ids[:, -1:]], dim=1)
    assert not torch.allclose(model(ids)[:, -1], model(shuffled)[:, -1], atol=1e-3)
    monkeypatch.setattr(minilm.model, "apply_rope", lambda x, cos, sin: x)
    torch.testing.assert_close(model(ids)[:, -1], model(shuffled)[:, -1], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_grouped_query_attention_is_full_attention_with_repeated_heads(make_model, ids):
    grouped = make_model(num_attention_heads=6, num_key_value_heads=2)
    full = make_model(num_attention_heads=6, num_key_value_heads=6)

    def logits(repeat):
        weights = grouped.state_dict()
        for name, weight in weights.items():
            if "k_proj" in name or "v_proj" in name:
                weights[name] = repeat(weight.view(2, 4, 24)).reshape(24, 24)  # (H_kv, K, D) -> (H * K, D)
        full.load_state_dict(weights)
        return full(ids)

    expected = grouped(ids)
    neighbours_share = logits(lambda w: w.repeat_interleave(3, dim=0))  # heads 0 0 0 1 1 1
    taking_turns = logits(lambda w: w.repeat(3, 1, 1))  # heads 0 1 0 1 0 1
    torch.testing.assert_close(neighbours_share, expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(taking_turns, expected, atol=1e-2)


def test_rmsnorm_by_hand():
    norm = RMSNorm(2, eps=0.5)
    norm.weight.data = torch.tensor([1.0, 2.0])
    size = math.sqrt((3**2 + 4**2) / 2 + 0.5)
    x = torch.tensor([[3.0, 4.0]])
    torch.testing.assert_close(norm(x), torch.tensor([[3 / size, 2 * 4 / size]]))
    assert not torch.allclose(norm(x), F.layer_norm(x, (2,), norm.weight, eps=0.5)), "no mean is subtracted"


def test_rmsnorm_squares_in_float32():
    x = torch.linspace(0.5, 1.5, 64)[None].to(torch.bfloat16)
    exact = RMSNorm(64, eps=1e-5)(x)
    rough = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5)  # the same formula, 16 bits all the way
    seen = RMSNorm(64, eps=1e-5).to(torch.bfloat16)(x)
    assert torch.equal(seen, exact.to(torch.bfloat16)), "only the result may be rounded, once"
    assert not torch.equal(rough, seen)


@torch.no_grad()
def test_attention_is_a_loop_over_heads_and_positions(make_model):
    config = make_model(num_attention_heads=6, num_key_value_heads=2).config
    attention = Attention(config, 0)
    x = torch.randn(1, 5, config.hidden_size, generator=torch.Generator().manual_seed(5))
    rope = rope_tables(torch.arange(5), config.head_dim, config.rope_theta, torch.float32)
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    q, k, v = (project(x)[0].view(5, -1, 4) for project in projections)  # (T, heads, K)
    rows = []
    for t in range(5):
        row = []
        for head in range(6):
            query, shared = rotated(q[t, head], t), head // 3
            scores = torch.stack([query @ rotated(k[s, shared], s) / math.sqrt(4) for s in range(t + 1)])
            row.append(sum(p * v[s, shared] for s, p in enumerate(scores.softmax(0))))
        rows.append(torch.cat(row))
    expected = attention.o_proj(torch.stack(rows))[None]
    torch.testing.assert_close(attention(x, rope), expected, atol=1e-5, rtol=1e-5)
    without_positions = tuple(torch.zeros_like(table) + value for table, value in zip(rope, (1, 0), strict=True))
    assert not torch.allclose(attention(x, without_positions), expected, atol=1e-3), "without positions it must differ"


@torch.no_grad()
def test_the_mlp_gates_one_projection_with_the_other(tiny_config):
    mlp = MLP(tiny_config)
    x = torch.randn(3, tiny_config.hidden_size, generator=torch.Generator().manual_seed(6))
    gate, up = x @ mlp.gate_proj.weight.T, x @ mlp.up_proj.weight.T
    right = (gate * torch.sigmoid(gate) * up) @ mlp.down_proj.weight.T
    swapped = (up * torch.sigmoid(up) * gate) @ mlp.down_proj.weight.T
    torch.testing.assert_close(mlp(x), right, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(mlp(x), swapped, atol=1e-4)


def test_the_mask_lets_a_query_see_the_past_and_itself():
    inf = math.inf
    expected = torch.tensor([[0, 0, 0, -inf, -inf], [0, 0, 0, 0, -inf], [0, 0, 0, 0, 0]])
    assert torch.equal(causal_mask(2, 3, torch.float32, "cpu"), expected)
    assert causal_mask(4, 1, torch.float32, "cpu") is None


def test_a_fresh_model_knows_nothing_and_says_so(tiny_config, tiny_model, ids):
    uniform = math.log(tiny_config.vocab_size)
    assert abs(lm_loss(LM(tiny_config), ids[:, :-1], ids[:, 1:]).item() - uniform) < 0.1
    assert abs(lm_loss(tiny_model, ids[:, :-1], ids[:, 1:]).item() - uniform) > 0.1


def test_parameters_have_the_names_of_hugging_face_llama(tiny_model):
    names = {name for name, _ in tiny_model.named_parameters()}
    block = [f"self_attn.{p}_proj" for p in "qkvo"] + [f"mlp.{p}_proj" for p in ("gate", "up", "down")]
    block += ["input_layernorm", "post_attention_layernorm"]
    expected = {f"model.layers.{i}.{part}.weight" for i in range(3) for part in block}
    assert names == expected | {"model.embed_tokens.weight", "model.norm.weight"}


def test_a_tied_head_is_the_embedding_and_counts_once(make_model):
    tied, untied = make_model(), make_model(tie_word_embeddings=False)
    assert tied.lm_head.weight is tied.model.embed_tokens.weight
    assert untied.lm_head.weight is not untied.model.embed_tokens.weight
    head = tied.config.vocab_size * tied.config.hidden_size
    assert count_parameters(untied) - count_parameters(tied) == head


def test_frozen_parameters_do_not_count_as_trainable(tiny_model):
    tiny_model.model.embed_tokens.requires_grad_(False)
    frozen = tiny_model.model.embed_tokens.weight.numel()
    assert count_parameters(tiny_model, trainable_only=True) == count_parameters(tiny_model) - frozen


def test_presets_go_from_a_third_of_a_million_to_ten_million_parameters():
    with torch.device("meta"):
        sizes = [count_parameters(LM(config)) for config in PRESETS.values()]
    assert sizes == sorted(sizes)
    assert 2e5 < sizes[0] < 5e5 and 7e6 < sizes[-1] < 1.2e7
    assert "base" in PRESETS


@torch.no_grad()
def test_in_bfloat16_the_stream_and_the_logits_stay_float32(tiny_model, ids):
    exact, seen = tiny_model(ids), []
    model = tiny_model.to(torch.bfloat16)
    for block in model.model.layers:
        block.register_forward_hook(lambda module, args, output: seen.append(output.dtype))
    rough = model(ids)
    assert seen == [torch.float32] * 3 and rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.3


def test_text_beyond_the_context_is_refused_in_one_sentence(tiny_model):
    assert tiny_model(torch.zeros(1, 32, dtype=torch.long)).shape == (1, 32, tiny_model.config.vocab_size)
    with pytest.raises(UserError, match="33 tokens do not fit into the context of 32"):
        tiny_model(torch.zeros(1, 33, dtype=torch.long))


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden_size": 30, "num_attention_heads": 4},
        {"hidden_size": 20, "num_attention_heads": 4},  # heads of width 5 have no pairs to rotate
        {"num_attention_heads": 4, "num_key_value_heads": 3},
        {"num_attention_heads": 0},
        {"num_key_value_heads": 0},
        {"hidden_size": -256},
        {"vocab_size": 0},
        {"max_position_embeddings": 0},
    ],
)
def test_an_impossible_shape_is_refused(wrong):
    with pytest.raises(UserError, match="change"):
        Config(**wrong)
