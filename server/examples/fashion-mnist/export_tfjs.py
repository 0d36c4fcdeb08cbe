"""Rebuilds backbone.onnx as a TensorFlow.js GraphModel with the same weights.

    pip install -r requirements-tfjs.txt
    pip install --no-deps -r requirements-tfjs-nodeps.txt
    python export_tfjs.py [--onnx backbone.onnx] [--out tfjs_graph_model] [--saved-model DIR]

Input `image` float32 [-1, 28, 28, 1], raw 0..255; output [-1, 10]. The block outputs are the nodes
`PartitionedCall/block0` and so on. Checks the TensorFlow graph against onnxruntime.
"""

import argparse
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import tensorflow as tf
from onnx import numpy_helper


class Converted(tf.Module):
    """The ONNX graph in NHWC, one TensorFlow operation for each node."""

    def __init__(self, model):
        super().__init__()
        self.nodes = list(model.graph.node)
        # Plain arrays become constants of the graph; kernels go from OIHW to HWIO.
        self.weights = {}
        for init in model.graph.initializer:
            value = numpy_helper.to_array(init)
            self.weights[init.name] = value.transpose(2, 3, 1, 0) if value.ndim == 4 else value

    @tf.function(input_signature=[tf.TensorSpec([None, 28, 28, 1], tf.float32, name="image")])
    def serve(self, image):
        values = {"image": image}
        for node in self.nodes:
            inputs = [values[name] if name in values else self.weights[name] for name in node.input]
            name = node.output[0]
            values[name] = self.apply(node, inputs, name)
        return {"logits": values["logits"]}

    @staticmethod
    def apply(node, inputs, name):
        kind = node.op_type
        if kind == "Mul":
            return tf.multiply(*inputs, name=name)
        if kind == "Add":
            return tf.add(*inputs, name=name)
        if kind == "Relu":
            return tf.nn.relu(inputs[0], name=name)
        if kind == "GlobalAveragePool":
            return tf.reduce_mean(inputs[0], [1, 2], name="gap")
        if kind == "Flatten":  # the mean above has dropped both axes
            return inputs[0]
        if kind == "Gemm":
            return tf.nn.bias_add(tf.matmul(inputs[0], inputs[1].T), inputs[2], name=name)
        if kind == "Conv":
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            x, stride, pad = inputs[0], attributes["strides"][0], attributes["pads"][0]
            if stride != 1 and pad:  # SAME would pad below and to the right only
                x = tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]], name=f"{name}_pad")
            y = tf.nn.conv2d(x, inputs[1], stride, "SAME" if stride == 1 else "VALID")
            return tf.nn.bias_add(y, inputs[2], name=name)
        raise ValueError(f"unexpected operation {kind}")


def convert(saved_model, out):
    # The converter imports this package on loading and uses it for other kinds of models only.
    sys.modules.setdefault("tensorflow_decision_forests", types.ModuleType("tensorflow_decision_forests"))
    from tensorflowjs.converters import tf_saved_model_conversion_v2 as conversion

    conversion.convert_tf_saved_model(
        str(saved_model), str(out), signature_def="serving_default", saved_model_tags="serve",
        weight_shard_size_bytes=64 << 20,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).parent
    parser.add_argument("--onnx", type=Path, default=here / "backbone.onnx")
    parser.add_argument("--out", type=Path, default=here / "tfjs_graph_model")
    parser.add_argument("--saved-model", type=Path, help="keep the intermediate SavedModel here")
    args = parser.parse_args()

    module = Converted(onnx.load(args.onnx))
    images = np.random.default_rng(1).integers(0, 256, (64, 28, 28, 1)).astype(np.float32)
    session = ort.InferenceSession(str(args.onnx), providers=["CPUExecutionProvider"])
    want = session.run(["logits"], {"image": images.transpose(0, 3, 1, 2)})[0]
    got = module.serve(tf.constant(images))["logits"].numpy()
    difference = np.abs(got - want).max()
    print(f"TensorFlow against onnxruntime: largest difference {difference:.2e}")
    assert difference < 1e-3

    with tempfile.TemporaryDirectory() as scratch:
        saved_model = args.saved_model or Path(scratch) / "saved_model"
        tf.saved_model.save(module, str(saved_model), signatures={"serving_default": module.serve})
        convert(saved_model, args.out)


if __name__ == "__main__":
    main()
