"""Which Llama folders are models of ours: every option of their config.json, and what we do about it.

Our model is Llama without extras: grouped-query attention and a tied head are ours, biases and stretched rotary
positions are not. An option that would change the numbers is refused by name, because a model that loads and is
slightly wrong is worse than one that does not load. An option that this file does not know must be off.

What this file does not do: read weights (hub.py).
"""

from .errors import UserError
from .folder import from_llama

# What transformers takes for an option that is missing; folders often leave out what is so by default.
DEFAULTS = {
    "vocab_size": 32_000,
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": None,  # as many as there are query heads
    "max_position_embeddings": 2048,
    "rope_theta": 10_000.0,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
}
# The values under which an option means what our model does.
OURS = {
    "model_type": ("llama",),
    "architectures": (["LlamaForCausalLM"], None),
    "hidden_act": ("silu", "swish", None),
    "pretraining_tp": (1, 0, None),  # another value splits the products, and rounds them differently
}
# Options for training, for saving and for the length of texts that are written: any value will do.
HARMLESS = {
    "_name_or_path", "_attn_implementation_autoset", "attention_dropout", "bos_token_id", "dtype", "eos_token_id",
    "initializer_range", "pad_token_id", "return_dict", "torch_dtype", "transformers_version", "use_cache",
    "id2label", "label2id", "head_dim", "rope_parameters", "rope_scaling",
}  # fmt: skip
ROPE = {"rope_type", "type", "rope_theta"}


def llama_config(values, path):
    """The Config in the config.json of any Llama folder.

    Arguments: values: what the file holds. path: for the sentences. Raises UserError for an option that our model does
    not have (the sentence names it and its value), and for a value that cannot be.
    """
    if not isinstance(values, dict):
        raise UserError(f"{path} is damaged (it holds no names and values); copy the folder again")
    for option, value in values.items():
        refuse_unless_ours(option, value, path)
    if "model_type" not in values:
        raise UserError(f"{path} has no model_type; minilm reads folders whose model_type is 'llama'")
    shape = {**DEFAULTS, **{name: values[name] for name in DEFAULTS if name in values}}
    shape["rope_theta"] = rope_theta(values, path)
    if shape["num_key_value_heads"] is None:
        shape["num_key_value_heads"] = shape["num_attention_heads"]
    config = from_llama(shape, path)
    if values.get("head_dim") not in (None, config.head_dim):
        refuse("head_dim", values["head_dim"], path, f"hidden_size / num_attention_heads, here {config.head_dim}")
    return config


def refuse_unless_ours(option, value, path):
    if option in OURS:
        if value not in OURS[option]:
            refuse(option, value, path, repr(OURS[option][0]))
    elif option not in DEFAULTS and option not in HARMLESS and value:
        refuse(option, value, path, "off")


def rope_theta(values, path):
    """The base of the rotary wavelengths: newer files keep it in `rope_parameters`, older ones on its own."""
    theta = values.get("rope_theta", DEFAULTS["rope_theta"])
    for name in ("rope_scaling", "rope_parameters"):
        options = values.get(name) or {}
        if not isinstance(options, dict):
            refuse(name, options, path, "a dict or null")
        kind = options.get("rope_type") or options.get("type") or "default"
        extra = [option for option in options if option not in ROPE and options[option]]
        if kind != "default" or extra:
            refuse(name, options, path, "rope_type 'default' without extras")
        theta = options.get("rope_theta", theta)
    return theta


def refuse(option, value, path, needed):
    raise UserError(f"{path} has {option} = {value!r}, which minilm does not support; there it must be {needed}")
