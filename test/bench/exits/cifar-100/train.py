"""Trains a ResNet-18 or a ResNet-50 on CIFAR-100, the setting of SelfXit (Khadem Sohi et al., TMLR 2024), and exports what
`npm run bench exits -- --cifar100 OUT` reads: the backbone, the rows that heads train on, and the rows that are judged.

Heads of a service train on traffic that its backbone never learned from, so some of the training rows are held out for them.
"""

import argparse
import json
import pickle
import random
import time
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 100
SIDE = 32
# Of the training rows, per channel, in 0..255.
MEAN = (129.304, 124.070, 112.434)
STD = (68.170, 65.392, 70.418)
# Blocks of each stage, and whether they are bottlenecks.
NETWORKS = {"resnet18": ((2, 2, 2, 2), False), "resnet50": ((3, 4, 6, 3), True)}


# ---------------------------------------------------------------- data

class PlainUnpickler(pickle.Unpickler):
    """Arrays and plain values: a pickle of anything else would run what it says."""

    def find_class(self, module, name):
        if module.split(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which CIFAR-100 does not")


def load_part(folder, name):
    """Rows uint8 [N, 3, 32, 32] and fine labels int64 [N] of `train` or `test` of the published CIFAR-100 for Python."""
    path = folder / name
    if not path.is_file():
        raise SystemExit(f"{path}: there is no such file; --data names the unpacked folder cifar-100-python, with train and test in it")
    try:
        with path.open("rb") as file:
            part = PlainUnpickler(file, encoding="bytes").load()
        rows = np.asarray(part[b"data"], np.uint8).reshape(-1, 3, SIDE, SIDE)
        labels = np.asarray(part[b"fine_labels"], np.int64)
    except (KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise SystemExit(f"{path}: it holds no rows and fine labels of CIFAR-100 ({error!r}); unpack the published archive again") from None
    if len(rows) != len(labels):
        raise SystemExit(f"{path}: {len(rows)} rows and {len(labels)} labels")
    return rows, labels


def augment(batch, rng):
    """Shifts by up to 4 pixels and random flips. batch: float [N, 3, 32, 32], normalised; what comes in from outside is the mean."""
    count = len(batch)
    flip = torch.rand(count, generator=rng) < 0.5
    batch = torch.where(flip.to(batch.device)[:, None, None, None], batch.flip(3), batch)
    padded = F.pad(batch, (4, 4, 4, 4))
    down, right = torch.randint(0, 9, (2, count, 1), generator=rng).to(batch.device)
    places = torch.arange(SIDE, device=batch.device)
    picked = padded.permute(0, 2, 3, 1)[
        torch.arange(count, device=batch.device)[:, None, None],
        (down + places)[:, :, None],
        (right + places)[:, None, :],
    ]
    return picked.permute(0, 3, 1, 2)


# ---------------------------------------------------------------- model

def conv(inputs, outputs, size, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Two convolutions of 3x3, or a bottleneck of 1x1, 3x3 and 1x1 that ends four times as wide (He et al., CVPR 2016)."""

    def __init__(self, inputs, width, stride, is_bottleneck):
        super().__init__()
        outputs = 4 * width if is_bottleneck else width
        if is_bottleneck:
            parts = [conv(inputs, width, 1), nn.ReLU(), conv(width, width, 3, stride), nn.ReLU(), conv(width, outputs, 1)]
        else:
            parts = [conv(inputs, width, 3, stride), nn.ReLU(), conv(width, outputs, 3)]
        self.residual = nn.Sequential(*parts)
        is_same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if is_same else conv(inputs, outputs, 1, stride)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.residual(x) + self.shortcut(x))


class ResNet(nn.Module):
    """As for ImageNet, but for rows of 32x32: a first convolution of 3x3, and no pooling behind it. Takes pixels of 0..255."""

    def __init__(self, blocks, is_bottleneck):
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("scale", 1 / torch.tensor(STD).view(1, 3, 1, 1))
        self.stem = nn.Sequential(*conv(3, 64, 3), nn.ReLU())
        stages, inputs = [], 64
        for stage, count in enumerate(blocks):
            width = 64 * 2**stage
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                stages.append(Block(inputs, width, stride, is_bottleneck))
                inputs = 4 * width if is_bottleneck else width
        self.blocks = nn.Sequential(*stages)
        self.classifier = nn.Linear(inputs, CLASSES)

    def normalise(self, pixels):
        return (pixels - self.mean) * self.scale

    def logits(self, x):
        return self.classifier(self.blocks(self.stem(x)).mean((2, 3)))

    def forward(self, pixels):
        return self.logits(self.normalise(pixels))


# ---------------------------------------------------------------- training

def accuracy(model, rows, labels, device):
    model.eval()
    hits = 0
    with torch.no_grad():
        for first in range(0, len(rows), 500):
            batch = torch.from_numpy(rows[first:first + 500]).to(device).float()
            hits += (model(batch).argmax(1).cpu().numpy() == labels[first:first + 500]).sum()
    return hits / len(rows)


def train(model, rows, labels, args, device, log):
    rng = torch.Generator().manual_seed(args.seed)
    x, y = torch.from_numpy(rows), torch.from_numpy(labels)
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    batch = min(args.batch, len(rows))
    steps = len(rows) // batch
    optimiser = torch.optim.SGD(
        [{"params": weights, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0.0}],
        lr=args.learning_rate, momentum=0.9, nesterov=True,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, args.learning_rate, total_steps=steps * args.epochs, pct_start=0.2,
    )
    started = time.time()
    for epoch in range(args.epochs):
        model.train()
        order = torch.randperm(len(rows), generator=rng)
        total = 0.0
        for step in range(steps):
            picked = order[step * batch:(step + 1) * batch]
            inputs = augment(model.normalise(x[picked].to(device).float()), rng)
            with torch.autocast(device.type, torch.bfloat16, enabled=args.bf16):
                logits = model.logits(inputs.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits.float(), y[picked].to(device), label_smoothing=0.1)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        log(f"epoch {epoch + 1}/{args.epochs}: loss {total / steps:.4f}, {time.time() - started:.0f} s")


# ---------------------------------------------------------------- export

def export(model, path):
    """One ONNX file: input image float [N, 3, 32, 32] of 0..255, output logits [N, 100]."""
    model = model.to("cpu").eval().to(memory_format=torch.contiguous_format)
    temporary = path.with_suffix(".tmp")
    with warnings.catch_warnings():
        # The exporter before dynamo's: it runs on every PyTorch since 2.0, and says of itself that it is the old one.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model, (torch.zeros(2, 3, SIDE, SIDE),), str(temporary), dynamo=False, opset_version=17,
            input_names=["image"], output_names=["logits"],
            dynamic_axes={"image": {0: "rows"}, "logits": {0: "rows"}},
        )
    onnx.checker.check_model(onnx.load(temporary), full_check=True)
    temporary.replace(path)


def largest_difference(model, path, rows):
    """Between PyTorch and onnxruntime, on the logits of some rows."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    pixels = rows.astype(np.float32)
    with torch.no_grad():
        ours = model(torch.from_numpy(pixels)).numpy()
    [theirs] = session.run(None, {"image": pixels})
    return float(np.abs(ours - theirs).max())


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="unpacked folder cifar-100-python")
    parser.add_argument("--out", type=Path, required=True, help="folder for models and rows")
    parser.add_argument("--network", choices=NETWORKS, required=True)
    parser.add_argument("--held-out", type=int, default=10_000, help="training rows that train heads, not the backbone (10,000)")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cuda is strongly recommended")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 autocast: quicker where the hardware has it")
    return parser.parse_args()


def main():
    args = parse()
    torch.manual_seed(args.seed)
    device = torch.device(args.device)

    def log(line):
        print(time.strftime("%H:%M:%S"), line, flush=True)

    rows, labels = load_part(args.data, "train")
    test_rows, test_labels = load_part(args.data, "test")
    if not 0 < args.held_out < len(rows):
        raise SystemExit(f"--held-out {args.held_out}: of {len(rows)} training rows some have to stay for the backbone and some for heads")
    # The same rows for every network, whatever its own seed.
    order = np.array(random.Random("layercache-cifar-100").sample(range(len(rows)), len(rows)))
    held_out, kept = order[:args.held_out], order[args.held_out:]
    args.out.mkdir(parents=True, exist_ok=True)
    # Heads need no labels, and those of the test rows are read a byte each.
    np.save(args.out / "heads_images.npy", rows[held_out])
    np.save(args.out / "test_images.npy", test_rows)
    np.save(args.out / "test_labels.npy", test_labels.astype(np.uint8))
    description = {"input": {"layout": "NCHW", "scale": 1}}
    (args.out / "layercache.json").write_text(json.dumps(description, indent=2) + "\n")
    blocks, is_bottleneck = NETWORKS[args.network]
    model = ResNet(blocks, is_bottleneck).to(device, memory_format=torch.channels_last)
    log(f"{args.network}: {sum(p.numel() for p in model.parameters())} parameters, {len(kept)} rows, on {device}")
    train(model, rows[kept], labels[kept], args, device, log)
    log(f"accuracy on {len(test_rows)} test rows {accuracy(model, test_rows, test_labels, device):.4f}")
    path = args.out / f"{args.network}.onnx"
    export(model, path)
    log(f"{path}: onnxruntime against torch, largest difference {largest_difference(model, path, test_rows[:64]):.2e}")


if __name__ == "__main__":
    main()
