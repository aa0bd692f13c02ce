"""Times real training steps: a small vision encoder and a small causal transformer over packed sequences, forward and
backward. Reads what prepare.ts made; writes one line of JSON for each group that was run.

    python bench/training/train.py PREPARED.json OUT.jsonl --rounds 3   (0: the groups that costs are fitted from)

On a GPU time is that of its events; on a CPU it is CPU time of one thread, as other programs may share the machine.
Ranks are run one after another: a step takes as long as its slowest rank.
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention

PATCHES = 49  # of a tile
PIXELS = 48  # of a patch: what goes into the encoder for each
VOCABULARY = 256


class Block(nn.Module):
    """Attention within each segment alone, then an MLP."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def attend(self, x):
        """x: [segments, length, width], all of one length."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).unbind(-3)
        mixed = scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=self.causal
        )
        return self.out(mixed.transpose(1, 2).flatten(-2))

    def forward(self, x, lengths):
        """x: [tokens, width]; lengths of the segments: block-diagonal attention."""
        normed = self.norms[0](x)
        if len(set(lengths)) == 1:
            mixed = self.attend(normed.unflatten(0, (len(lengths), lengths[0]))).flatten(0, 1)
        else:
            mixed = torch.cat([self.attend(part[None])[0] for part in normed.split(lengths)])
        x = x + mixed
        return x + self.mlp(self.norms[1](x))


class Model(nn.Module):
    def __init__(self, vision_width=96, text_width=128, layers=3):
        super().__init__()
        self.patch = nn.Linear(PIXELS, vision_width)
        self.vision = nn.ModuleList(Block(vision_width, 4, False) for _ in range(layers))
        self.joint = nn.Linear(vision_width, text_width)
        self.words = nn.Embedding(VOCABULARY, text_width)
        self.text = nn.ModuleList(Block(text_width, 4, True) for _ in range(layers))
        self.head = nn.Linear(text_width, VOCABULARY)

    def forward(self, pixels, images, words, lengths):
        x = self.words(words)
        if images:
            seen = self.patch(pixels)
            for block in self.vision:
                seen = block(seen, images)
            pooled = torch.stack([part.mean(0) for part in seen.split(images)])
            count = min(len(images), len(words))
            x = torch.cat([x[:count] + self.joint(pooled[:count]), x[count:]])
        for block in self.text:
            x = block(x, lengths)
        return cross_entropy(self.head(x[:-1]), words[1:])


class Clock:
    def __init__(self, device):
        self.cuda = device.type == "cuda"

    def __call__(self, run):
        if not self.cuda:
            start = time.thread_time()
            run()
            return 1000 * (time.thread_time() - start)
        events = [torch.cuda.Event(enable_timing=True) for _ in range(2)]
        events[0].record()
        run()
        events[1].record()
        torch.cuda.synchronize()
        return events[0].elapsed_time(events[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("prepared")
    parser.add_argument("out")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # Backward then runs on the thread whose time is measured.
    torch.set_num_threads(1)
    torch.autograd.set_multithreading_enabled(False)
    torch.manual_seed(0)
    prepared = json.load(open(args.prepared))
    model = Model().to(device)
    optimizer = torch.optim.AdamW(model.parameters())
    clock = Clock(device)
    out = open(args.out, "w")

    def loads_of(samples, group):
        tokens = [samples["tokens"][i] for i in group]
        row = {"tokens": sum(tokens), "tokens^2": sum(n * n for n in tokens)}
        if "vit" in samples:
            return {"vit": sum(samples["vit"][i] for i in group), **row}
        patches = [samples["patches"][i] for i in group]
        return {"patches": sum(patches), "patches^2": sum(n * n for n in patches), **row}

    def timed(samples, group):
        lengths = [samples["tokens"][i] for i in group]
        if "vit" in samples:
            images = [PATCHES] * sum(samples["vit"][i] for i in group)
        else:
            images = [samples["patches"][i] for i in group if samples["patches"][i] > 0]
        pixels = torch.randn(sum(images), PIXELS, device=device)
        words = torch.randint(VOCABULARY, (sum(lengths),), device=device)
        return clock(lambda: model(pixels, images, words, lengths).backward())

    def write(**row):
        print(json.dumps(row), file=out, flush=True)

    samples, others, runs = prepared["samples"], prepared["others"], prepared["runs"]
    equal = runs[-1]["batches"][0]  # the same group again and again: the machine's noise
    for group in prepared["logged"][:10]:
        timed(others, group)
    for group in prepared["logged"] if args.rounds == 0 else []:
        write(kind="log", ms=timed(others, group), **loads_of(others, group))
    for turn in range(args.rounds):
        for run in runs if turn % 2 == 0 else reversed(runs):
            ranks, order = prepared["ranks"], run["order"]
            for step in range(len(order) // ranks):
                times, loads = [], []
                for batch in order[step * ranks : (step + 1) * ranks]:
                    times.append(timed(samples, run["batches"][batch]))
                    loads.append(loads_of(samples, run["batches"][batch]))
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                write(kind="step", run=run["name"], turn=turn, step=step, ms=times, loads=loads)
                write(kind="equal", turn=turn, ms=timed(samples, equal))
    write(kind="device", name=torch.cuda.get_device_name() if device.type == "cuda" else "CPU", torch=torch.__version__)


main()
