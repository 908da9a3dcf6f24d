"""Writes a network as a LiteRT file, with TensorFlow: `python -m bench.peers.litert_file OUT BATCH < spec.json`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from bench.peers.keras_peer import build
from bench.spec import Net, weights


def main() -> None:
    out, batch = sys.argv[1:3]
    net = Net.from_json(sys.stdin.read())
    model = build(keras, net)
    for name, arrays in weights(net).items():
        model.get_layer(name).set_weights(arrays)
    step = tf.function(lambda x: model(x, training=False))
    function = step.get_concrete_function(tf.TensorSpec((int(batch), *net.input_shape), tf.float32))
    # Left as variables, Keras 3's weights are read before anything has set them.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(function)], model)
    Path(out).write_bytes(converter.convert())


if __name__ == "__main__":
    main()
