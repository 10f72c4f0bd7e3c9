"""The checkpoints of the golden data: their shapes and the runs recorded with each.

Between them they cover what a published config may state; the README lists which is where.
"""

import torch

from tiny_checkpoints import Spec

BLOCKS = {
    "down": lambda count: ["DownEncoderBlock2D"] * count,
    "up": lambda count: ["UpDecoderBlock2D"] * count,
}


def vae(channels, **options):
    """Arguments of a small AutoencoderKL with one block a channel count."""
    arguments = {
        "down_block_types": BLOCKS["down"](len(channels)),
        "up_block_types": BLOCKS["up"](len(channels)),
        "block_out_channels": channels,
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": 4,
        "sample_size": 64,
        "scaling_factor": 0.3611,
        "shift_factor": 0.1159,
        "force_upcast": False,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
        "mid_block_add_attention": True,
    }
    return arguments | options


def text_encoder(**options):
    arguments = {
        "hidden_act": "silu",
        "max_position_embeddings": 1024,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
        "tie_word_embeddings": True,
        "attention_bias": False,
    }
    return arguments | options


A = Spec(
    name="a-f32-single",
    seed=1001,
    dtype=torch.float32,
    merges=400,
    text_encoder=text_encoder(
        vocab_size=672,  # 13 more than the tokenizer has, as published ones do
        hidden_size=40,
        intermediate_size=88,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=16,
    ),
    transformer={
        "in_channels": 4,
        "dim": 36,
        "n_layers": 3,
        "n_refiner_layers": 1,
        "n_heads": 3,
        "n_kv_heads": 3,
        "cap_feat_dim": 40,
        "axes_dims": [4, 4, 4],
        "axes_lens": [1536, 512, 512],
    },
    vae=vae([8, 8, 16, 16]),
    scheduler={"shift": 3.0, "use_dynamic_shifting": False},
    sharp_heads={"layers.0": [1], "layers.2": [0, 2], "noise_refiner.0": [0]},
)

B = Spec(
    name="b-bf16-sharded",
    seed=1002,
    dtype=torch.bfloat16,
    merges=200,
    text_encoder=text_encoder(
        vocab_size=459,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=2,
        num_attention_heads=3,
        num_key_value_heads=1,
        head_dim=32,
    ),
    transformer={
        "in_channels": 8,
        "dim": 260,
        "n_layers": 1,
        "n_refiner_layers": 0,
        "n_heads": 10,
        "n_kv_heads": 10,
        "cap_feat_dim": 48,
        "axes_dims": [10, 8, 8],
        "axes_lens": [1024, 64, 96],
    },
    vae=vae([8, 12, 16, 16], latent_channels=8, layers_per_block=2, scaling_factor=0.5),
    scheduler={
        "shift": 1.0,
        "use_dynamic_shifting": True,
        "time_shift_type": "exponential",
        "base_shift": 0.6,
        "max_shift": 1.3,
        "base_image_seq_len": 16,
        "max_image_seq_len": 512,
    },
    max_shard_size="600KB",
    text_shard_size="60KB",
    published_text_encoder=True,
)

C = Spec(
    name="c-f16-options",
    seed=1003,
    dtype=torch.float16,
    merges=300,
    text_encoder=text_encoder(
        vocab_size=560,
        hidden_size=32,
        intermediate_size=72,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=12,
        attention_bias=True,
        rms_norm_eps=1e-5,
        tie_word_embeddings=False,
    ),
    transformer={
        "in_channels": 6,
        "dim": 44,  # no multiple of 3: the feed-forward is int(44 / 3 * 8) = 117 wide
        "n_layers": 2,
        "n_refiner_layers": 1,
        "n_heads": 2,
        "n_kv_heads": 1,  # read by nothing in diffusers: keys and values have all heads
        "norm_eps": 1e-3,
        "qk_norm": False,
        "cap_feat_dim": 32,
        "rope_theta": 100.0,
        "t_scale": 250.0,
        "axes_dims": [8, 6, 8],
        "axes_lens": [640, 40, 48],
    },
    vae=vae(
        [8, 16, 24],
        latent_channels=6,
        norm_num_groups=8,
        mid_block_add_attention=False,
        use_quant_conv=True,
        use_post_quant_conv=True,
        scaling_factor=0.8,
        shift_factor=-0.25,
    ),
    scheduler={
        "shift": 2.0,
        "use_dynamic_shifting": True,
        "time_shift_type": "linear",
        "shift_terminal": 0.02,
    },
    extra_token="<think>",
)

D = Spec(
    name="d-bf16-defaults",
    seed=1004,
    dtype=torch.bfloat16,
    merges=150,
    text_encoder=text_encoder(
        vocab_size=409,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
    ),
    transformer={
        "in_channels": 16,
        "dim": 24,
        "n_layers": 1,
        "n_heads": 2,
        "n_kv_heads": 2,
        "cap_feat_dim": 24,
        "axes_dims": [4, 2, 6],
    },
    vae=vae([4, 8], latent_channels=16, norm_num_groups=4, scaling_factor=1.5, shift_factor=0.0),
    scheduler={},
    vocabulary_files=True,
    omitted_keys={
        "transformer": [
            "all_f_patch_size", "all_patch_size", "axes_lens", "in_channels", "n_refiner_layers",
            "norm_eps", "qk_norm", "rope_theta", "siglip_feat_dim", "t_scale",
        ],
        "scheduler": [
            "base_image_seq_len", "base_shift", "invert_sigmas", "max_image_seq_len", "max_shift",
            "num_train_timesteps", "shift", "shift_terminal", "stochastic_sampling",
            "time_shift_type", "use_beta_sigmas", "use_dynamic_shifting",
            "use_exponential_sigmas", "use_karras_sigmas",
        ],
    },
)  # fmt: skip

PROMPT = "a red heart, 心 & 50%"
LONG_PROMPT = " ".join(f"red apple {number} and the cat face 猫" for number in range(60))


def run(name, prompt, width, height, steps, seed, **options):
    """A pipeline run; what is left out has diffusers' meaning of `off`."""
    defaults = {
        "negative_prompt": None,
        "guidance": 0.0,
        "cfg_normalization": 0.0,
        "cfg_truncation": 1.0,
        "count": 1,
    }
    base = {"name": name, "prompt": prompt, "width": width, "height": height}
    return base | {"steps": steps, "seed": seed} | defaults | options


RUNS = {
    A.name: [
        run("plain", PROMPT, 80, 48, 4, 42, count=2),
        run("guided", PROMPT, 64, 64, 5, 7, negative_prompt="blurry, distorted", guidance=4.0,
            cfg_normalization=1.0, cfg_truncation=0.3),
        run("guided-pair", "cat face", 48, 80, 3, 2**32 + 5, guidance=1.5,
            cfg_normalization=0.8, count=2),
        run("exact", "猫", 128, 64, 1, 3),
        run("empty", "", 16, 16, 2, 4),
        run("long", LONG_PROMPT, 32, 32, 2, 5, guidance=2.0),
    ],
    B.name: [
        run("plain", PROMPT, 80, 48, 8, 42),
        run("guided", "cat face", 64, 32, 4, 9, negative_prompt="low quality", guidance=7.5,
            cfg_normalization=0.8, cfg_truncation=0.6),
    ],
    C.name: [
        run("plain", "<think>" + PROMPT, 72, 40, 4, 42),
        run("guided", "cat face", 48, 80, 3, 9, negative_prompt="红", guidance=3.0,
            cfg_truncation=0.9),
        run("long", LONG_PROMPT, 32, 64, 2, 11),
    ],
    D.name: [
        run("plain", PROMPT, 20, 36, 9, 42),
        run("guided", "<|im_end|> 猫", 32, 16, 2, 9, guidance=0.5, count=2),
    ],
}  # fmt: skip

SPECS = [A, B, C, D]
