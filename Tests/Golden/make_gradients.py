"""Gradients and training steps of checkpoint `a-f32-single` in PyTorch, for the trainer's tests.

    python Tests/Golden/make_gradients.py

Writes `gradients.safetensors`. Of each parameter's gradient it keeps the norm and up to 64
elements, evenly spread over the flattened tensor (element i * count // 64).

- `denoiser.*`: text encoder and transformer in one graph; the loss is the mean squared difference
  of two samples' velocities from targets.
- `vae.*`: encoder and decoder; the loss is the mean squared difference of the decoded means from
  the image, plus a tenth of the moments' mean square. Then ten steps of AdamW: `vae.losses`.
"""

import pathlib

import torch
from diffusers import AutoencoderKL, ZImageTransformer2DModel
from safetensors.torch import save_file
from transformers import Qwen3Model

GOLDEN = pathlib.Path(__file__).resolve().parent
MODEL = GOLDEN / "a-f32-single"
IDS = [[5, 17, 300, 2, 9], [int(i * 37 % 500) for i in range(33)]]
TIMES = [0.25, 0.75]
# An epsilon that matters: with a small one the first steps are signs of gradients, and an element
# near zero may go either way.
RATE, EPSILON = 1e-3, 1e-4


def keep(tensors, name, parameters):
    for key, parameter in parameters:
        if parameter.grad is None:
            continue
        gradient = parameter.grad.flatten()
        count = gradient.numel()
        indices = torch.arange(min(64, count)) * count // min(64, count)
        tensors[f"{name}.{key}.norm"] = gradient.double().norm().float().reshape(1)
        tensors[f"{name}.{key}.elements"] = gradient[indices].contiguous()


def denoiser(tensors):
    source = torch.Generator("cpu").manual_seed(5)
    text = Qwen3Model.from_pretrained(MODEL / "text_encoder", dtype=torch.float32).train()
    model = ZImageTransformer2DModel.from_pretrained(MODEL / "transformer").float().train()
    latents = [torch.randn(4, 1, 8, 12, generator=source) for _ in IDS]
    targets = [torch.randn(4, 1, 8, 12, generator=source) for _ in IDS]
    for index, (x, y) in enumerate(zip(latents, targets)):
        tensors[f"denoiser.latents.{index}"] = x[:, 0].contiguous()
        tensors[f"denoiser.target.{index}"] = y[:, 0].contiguous()
    parameters = [("text_encoder." + k, p) for k, p in text.named_parameters()]
    parameters += [("transformer." + k, p) for k, p in model.named_parameters()]
    captions = [
        text(torch.tensor([ids]), output_hidden_states=True).hidden_states[-2][0] for ids in IDS
    ]
    # The network's own output: data minus noise.
    outputs = model(latents, torch.tensor(TIMES), captions, return_dict=False)[0]
    difference = torch.stack(list(outputs)) - torch.stack(targets)
    loss = difference.square().mean()
    loss.backward()
    tensors["denoiser.loss"] = loss.detach().reshape(1)
    keep(tensors, "denoiser", parameters)


def vae(tensors):
    source = torch.Generator("cpu").manual_seed(6)
    model = AutoencoderKL.from_pretrained(MODEL / "vae").float().train()
    image = torch.rand(1, 3, 32, 48, generator=source) * 2 - 1
    tensors["vae.image"] = image[0].contiguous()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=RATE, betas=(0.9, 0.99), eps=EPSILON, weight_decay=0
    )
    losses = []
    for step in range(10):
        moments = model.encode(image).latent_dist.parameters
        means = moments[:, : moments.shape[1] // 2]
        decoded = model.decode(means, return_dict=False)[0]
        loss = (decoded - image).square().mean() + 0.1 * moments.square().mean()
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            keep(tensors, "vae", model.named_parameters())
        losses.append(loss.detach().reshape(1))
        optimizer.step()
    tensors["vae.losses"] = torch.cat(losses)


def main():
    torch.set_num_threads(1)
    tensors = {}
    denoiser(tensors)
    vae(tensors)
    save_file(tensors, str(GOLDEN / "gradients.safetensors"))
    print(len(tensors), "tensors", [round(float(x), 6) for x in tensors["vae.losses"]])


if __name__ == "__main__":
    main()
