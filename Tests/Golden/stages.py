"""Records every stage of the reference for one checkpoint: text, schedule, transformer, VAE."""

import torch
from diffusers.pipelines.z_image.pipeline_z_image import (
    calculate_shift,
    get_default_z_image_sigmas,
)

from recording import Tensors, attention_operands, head_entropies, inputs, outputs

STEP_COUNTS = [1, 2, 4, 8, 9, 50]
CAPTION_LENGTHS = [0, 1, 31, 32, 33, 600]


def random(seed, *shape):
    return torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))


def template(tokenizer, prompt):
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=True,
    )


def prompt_ids(tokenizer, prompt):
    """The ids the pipeline feeds to the text encoder, without padding."""
    text = template(tokenizer, prompt)
    return tokenizer(text, max_length=512, truncation=True).input_ids


def record_text(pipeline, prompts):
    """Token ids, hidden states after each layer and prompt embeddings.

    `prompts` is a list of (name, prompt, whether to keep every layer's hidden states).
    """
    tensors, cases = Tensors(), []
    encoder = pipeline.text_encoder
    layers = [f"layers.{index}" for index in range(encoder.config.num_hidden_layers)]
    for name, prompt, keep_layers in prompts:
        ids = prompt_ids(pipeline.tokenizer, prompt)
        with outputs(encoder, ["embed_tokens", *layers, "norm"]) as seen:
            embeddings = pipeline.encode_prompt(prompt, do_classifier_free_guidance=False)[0][0]
        assert embeddings.shape[0] == len(ids)
        tensors.add(f"text.{name}.embeddings", embeddings)
        if keep_layers:
            for part in seen:
                tensors.add(f"text.{name}.{part}.output", seen[part][0][0, : len(ids)])
        cases.append({"name": name, "prompt": prompt, "ids": ids, "layers": keep_layers})
    return tensors, cases


def record_tokens(tokenizer, strings):
    """Ids of raw strings: no template, no truncation."""
    return [{"text": text, "ids": tokenizer(text).input_ids} for text in strings]


def record_schedule(pipeline, sizes):
    """Sigmas and timesteps for several step counts and image sizes (width, height)."""
    tensors, cases = Tensors(), []
    config = pipeline.scheduler.config
    factor = pipeline.vae_scale_factor * 2
    for width, height in sizes:
        tokens = (width // factor) * (height // factor)
        mu = calculate_shift(
            tokens, config.base_image_seq_len, config.max_image_seq_len,
            config.base_shift, config.max_shift,
        )  # fmt: skip
        for steps in STEP_COUNTS:
            if steps == 1 and config.shift_terminal:
                continue  # the reference divides zero by zero
            pipeline.scheduler.set_timesteps(sigmas=get_default_z_image_sigmas(steps), mu=mu)
            name = f"schedule.{width}x{height}.steps{steps}"
            tensors.add(f"{name}.sigmas", pipeline.scheduler.sigmas)
            tensors.add(f"{name}.timesteps", pipeline.scheduler.timesteps)
            case = {"name": name, "width": width, "height": height}
            cases.append(case | {"steps": steps, "image_tokens": tokens, "mu": mu})
    return tensors, cases


def block_names(transformer):
    groups = ["noise_refiner", "context_refiner", "layers"]
    return [f"{group}.{i}" for group in groups for i in range(len(getattr(transformer, group)))]


def velocity(transformer, latents, time, caption):
    """The transformer's output for one sample: latents [C, H, W], caption [tokens, width]."""
    sample = transformer(
        [latents.unsqueeze(1)], torch.tensor([time]), [caption], return_dict=False
    )[0]  # fmt: skip
    return sample[0].squeeze(1)


def velocity_without_caption(transformer, latents, time, companion):
    """The output for a caption of no tokens.

    Alone such a sample stops at a reshape inside diffusers' rotation; in a batch with another
    sample, whose caption is `companion`, it works, and samples of a batch do not see each other.
    """
    sample = latents.unsqueeze(1)
    outputs = transformer(
        [sample, sample], torch.tensor([time, time]), [companion[:0], companion], return_dict=False
    )[0]  # fmt: skip
    return outputs[0].squeeze(1)


def recorded_parts(transformer, inside):
    """Names of the blocks, and of all submodules whose output is recorded."""
    blocks = block_names(transformer)
    first_blocks = [name for name in blocks if name.endswith(".0") and inside]
    parts = ["attention", "feed_forward", "adaLN_modulation"]
    inner = [
        f"{block}.{part}"
        for block in first_blocks
        for part in parts
        if hasattr(transformer.get_submodule(block), part)
    ]
    embedders = ["t_embedder", "all_x_embedder.2-1", "cap_embedder", "all_final_layer.2-1"]
    return blocks, embedders + blocks + inner


def record_transformer(pipeline, latent_size, caption_lengths, inside):
    """One evaluation with every block's output, and velocities for several caption lengths.

    With `inside`, also what happens within the first block of each kind.
    """
    tensors, transformer = Tensors(), pipeline.transformer
    channels, width = transformer.config.in_channels, transformer.config.cap_feat_dim
    height_cells, width_cells = latent_size
    latents = random(501, channels, height_cells, width_cells)
    caption = random(502, 9, width)
    time = 0.37
    blocks, names = recorded_parts(transformer, inside)
    rope_calls = []
    with (
        torch.no_grad(),
        outputs(transformer, names) as after,
        inputs(transformer, blocks) as before,
        attention_operands(transformer) as attention,
    ):
        embed = transformer.rope_embedder
        transformer.rope_embedder = lambda ids: rope_calls.append((ids, embed(ids))) or embed(ids)
        try:
            result = velocity(transformer, latents, time, caption)
        finally:
            transformer.rope_embedder = embed
    tensors.add("transformer.latents", latents)
    tensors.add("transformer.caption", caption)
    tensors.add("transformer.velocity", result)
    for name in names:
        value = after[name][0]
        squeeze = value.ndim == 3 or name == "t_embedder" or name.endswith("adaLN_modulation")
        tensors.add(f"transformer.{name}.output", value[0] if squeeze else value)
    for name in blocks:
        tensors.add(f"transformer.{name}.input", before[name][0][0])
    for name, query, key in attention:
        if name.endswith(".0") and inside:
            tensors.add(f"transformer.{name}.attention.query", query[0])
            tensors.add(f"transformer.{name}.attention.key", key[0])
    for name, (ids, table) in zip(["image", "caption"], rope_calls, strict=True):
        tensors.add(f"transformer.rope.{name}.ids", ids)
        tensors.add(f"transformer.rope.{name}.cosines", table.real)
        tensors.add(f"transformer.rope.{name}.sines", table.imag)
    features = random(503, max(caption_lengths), width)
    tensors.add("transformer.captions.features", features)
    for length in caption_lengths:
        with torch.no_grad():
            if length:
                result = velocity(transformer, latents, time, features[:length])
            else:
                result = velocity_without_caption(transformer, latents, time, features[:1])
        tensors.add(f"transformer.captions.{length}.velocity", result)
    return tensors, {"time": time, "caption_lengths": caption_lengths}


def record_vae(pipeline, latent_size, image_size):
    """The decoder's and the encoder's stages, on random latents and a random image."""
    tensors, vae = Tensors(), pipeline.vae
    levels = range(len(vae.config.block_out_channels))
    decoder = ["conv_in", "mid_block", *(f"up_blocks.{i}" for i in levels), "conv_norm_out"]
    encoder = ["conv_in", *(f"down_blocks.{i}" for i in levels), "mid_block", "conv_norm_out"]
    latents = random(601, vae.config.latent_channels, *latent_size)
    scaled = latents / vae.config.scaling_factor + vae.config.shift_factor
    with torch.no_grad(), outputs(vae.decoder, decoder) as seen:
        image = vae.decode(scaled[None], return_dict=False)[0][0]
    tensors.add("vae.decode.latents", latents)
    tensors.add("vae.decode.scaled_latents", scaled)
    for name in decoder:
        tensors.add(f"vae.decoder.{name}.output", seen[name][0][0])
    tensors.add("vae.decode.image", image)
    source = torch.rand((3, *image_size), generator=torch.Generator("cpu").manual_seed(602)) * 2 - 1
    with torch.no_grad(), outputs(vae.encoder, encoder) as seen:
        posterior = vae.encode(source[None]).latent_dist
    tensors.add("vae.encode.image", source)
    for name in encoder:
        tensors.add(f"vae.encoder.{name}.output", seen[name][0][0])
    tensors.add("vae.encode.moments", posterior.parameters[0])
    return tensors


def record_run(pipeline, run, tensors, entropies=False, every_step=True):
    """One pipeline run: noise, the first velocity, the latents after each step, the image."""
    name, count = f"pipeline.{run['name']}", run["count"]
    latents, velocities = [], []
    step = pipeline.scheduler.step

    def keep_velocity(model_output, *arguments, **options):
        velocities.append(model_output.detach().clone())
        return step(model_output, *arguments, **options)

    def keep_latents(pipeline, index, timestep, values):
        latents.append(values["latents"].detach().clone())
        return {}

    noise, generators = noise_and_generators(pipeline, run)
    pipeline.scheduler.step = keep_velocity
    try:
        with attention_operands(pipeline.transformer) as attention:
            images = pipeline(
                **pipeline_arguments(run),
                generator=generators,
                output_type="pil",
                callback_on_step_end=keep_latents,
            ).images
    finally:
        pipeline.scheduler.step = step
    for index in range(count):
        base = f"{name}.{index}"
        tensors.add(f"{base}.noise", noise[index])
        tensors.add(f"{base}.velocity.0", velocities[0][index])
        for number, value in enumerate(latents):
            if every_step or number == len(latents) - 1:
                tensors.add(f"{base}.latents.{number}", value[index])
        tensors.add(f"{base}.image", pixels(images[index]))
    if entropies:
        for block, query, key in attention[: len(block_names(pipeline.transformer))]:
            tensors.add(f"{name}.0.entropy.{block}", head_entropies(query[0], key[0]))


def pixels(image):
    """A PIL image as bytes [height, width, 3]."""
    width, height = image.size
    data = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8)
    return data.reshape(height, width, 3)


def noise_and_generators(pipeline, run):
    """The initial noise of a run, and fresh generators that will draw it again."""
    seeds = [run["seed"] + index for index in range(run["count"])]
    factor = pipeline.vae_scale_factor * 2
    shape = (
        1,
        pipeline.transformer.config.in_channels,
        2 * (run["height"] // factor),
        2 * (run["width"] // factor),
    )
    noise = [torch.randn(shape, generator=seeded(seed))[0] for seed in seeds]
    return noise, [seeded(seed) for seed in seeds]


def seeded(seed):
    return torch.Generator("cpu").manual_seed(seed)


def pipeline_arguments(run):
    """The pipeline's arguments for the run described by a case."""
    return {
        "prompt": run["prompt"],
        "negative_prompt": run["negative_prompt"],
        "width": run["width"],
        "height": run["height"],
        "num_inference_steps": run["steps"],
        "guidance_scale": run["guidance"],
        "cfg_normalization": run["cfg_normalization"],
        "cfg_truncation": run["cfg_truncation"],
        "num_images_per_prompt": run["count"],
    }
