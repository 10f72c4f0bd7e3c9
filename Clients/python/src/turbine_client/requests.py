"""Keyword arguments to messages of the protocol."""

from . import messages

_SIMPLE = {
    "preset": "preset", "negative_prompt": "negative_prompt", "width": "width",
    "height": "height", "num_inference_steps": "steps", "cfg_scale": "guidance",
    "cfg_normalization": "cfg_normalization", "cfg_truncation": "cfg_truncation",
    "seed": "seed", "num_images": "image_count", "model": "model",
}
_NESTED = {
    "pruning": "pruning", "prune_threshold": "pruning", "prune_share": "pruning",
    "prune_rejudge": "pruning", "tiling": "tiling", "tile_size": "tiling",
    "tile_overlap": "tiling", "tile_blend": "tiling", "tile_memory": "tiling",
    "metadata": "output", "png_compression": "output",
}
_NAMES = {
    "pruning": "enabled", "prune_threshold": "threshold_nats", "prune_share": "head_share",
    "prune_rejudge": "rejudge_interval_steps", "tiling": "mode", "tile_size": "tile_cells",
    "tile_overlap": "overlap_cells", "tile_blend": "blend", "tile_memory": "memory_budget_bytes",
}
_ENUMS = {"tiling": "TilingMode", "tile_blend": "TileBlend"}


def fill_request(request, prompt, template, slots, options):
    """Fills a GenerationRequest; ``None`` leaves a field to the service."""
    if (prompt is None) == (template is None):
        raise TypeError("give either prompt= or template=")
    if template is None:
        request.prompt = prompt
    else:
        request.template.name = template
        for slot, value in (slots or {}).items():
            request.template.slots.add(slot=slot, value=value)
    for name, value in options.items():
        if name not in _SIMPLE and name not in _NESTED:
            raise TypeError(f"generate() has no argument {name!r}")
        if value is None:
            continue
        if name in _ENUMS:
            value = messages.number_of(_ENUMS[name], value)
        target = request if name in _SIMPLE else getattr(request, _NESTED[name])
        setattr(target, _SIMPLE.get(name) or _NAMES.get(name, name), value)


def fill_scheduling(generate, priority, deadline, detach):
    """Fills what a Generate says besides the request; ``deadline`` is in seconds from now."""
    if priority is not None:
        generate.priority = messages.number_of("Priority", priority)
    if deadline is not None:
        generate.deadline_ms = max(0, round(deadline * 1000))
    if detach is not None:
        generate.detach_on_disconnect = detach


def refer_to(reference, job):
    """Fills a JobReference: an ``int`` is the service's job id, a ``str`` a request id."""
    if isinstance(job, str):
        reference.request_id = job
    elif isinstance(job, int):
        reference.job_id = job
    else:
        raise TypeError("a job is named by its id (int) or by its request id (str)")


def fill_preview(wish, every_steps, maximum_side):
    """Fills a PreviewWish."""
    wish.every_steps = every_steps
    if maximum_side is not None:
        wish.maximum_side = maximum_side
