"""Layers of your own: a pooling that learns how to pool, and channels that are weighed by what is in the image.

    python examples/keras_style/custom_layer.py

Neither has a line about gradients: they follow from the functions of `keras.ops`. With real Keras: write `import keras`
in place of `import striate as keras`.
"""

import os
import tempfile

import numpy as np

import striate as keras
from striate.datasets import fashion_mnist_mini

layers, ops = keras.layers, keras.ops


@keras.saving.register_keras_serializable(package="keras_style")
class GeneralizedMeanPooling2D(keras.layers.Layer):
    """One number a channel: (mean of x^p)^(1/p), with a p that is learned.

    p = 1 is the average, p -> infinity the maximum (Radenovic et al. 2017).
    """

    def __init__(self, initial_power=3.0, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)  # name, dtype and trainable are Layer's
        self.initial_power = initial_power
        self.epsilon = epsilon

    def build(self, input_shape):
        # Weights are made here, where the number of channels is known.
        self.power = self.add_weight(
            name="power",
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(self.initial_power),
            constraint=keras.constraints.NonNeg(),
        )

    def call(self, inputs):
        # Below epsilon the slope of x^p by p, x^p log x, would come near the logarithm of 0.
        x = ops.maximum(inputs, self.epsilon)
        means = ops.mean(ops.power(x, self.power), axis=(1, 2))
        return ops.power(means, 1.0 / self.power)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        # What the constructor needs to make the same layer again: files hold this and the weights.
        return {**super().get_config(), "initial_power": self.initial_power, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="keras_style")
class SqueezeAndExcite(keras.layers.Layer):
    """Each channel times a factor between 0 and 1, computed from the averages of all (Hu et al. 2017)."""

    def __init__(self, ratio=4, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        channels = input_shape[-1]
        # Layers in a layer are found by being attributes; their weights become this layer's.
        self.squeeze = layers.GlobalAveragePooling2D(keepdims=True)
        self.reduce = layers.Dense(channels // self.ratio, activation="relu")
        self.expand = layers.Dense(channels, activation="sigmoid")
        self.reduce.build((input_shape[0], 1, 1, channels))
        self.expand.build((input_shape[0], 1, 1, channels // self.ratio))

    def call(self, inputs):
        return inputs * self.expand(self.reduce(self.squeeze(inputs)))

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}


(x_train, y_train), (x_test, y_test) = fashion_mnist_mini.load_data()
x_train, x_test = x_train[..., np.newaxis] / 255.0, x_test[..., np.newaxis] / 255.0

keras.utils.set_random_seed(42)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        SqueezeAndExcite(ratio=4),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        SqueezeAndExcite(ratio=8, name="second_excite"),
        GeneralizedMeanPooling2D(name="pool"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=60, epochs=4, validation_split=0.1, verbose=2)

powers = model.get_layer("pool").get_weights()[0]
print(f"learned powers: from {powers.min():.2f} to {powers.max():.2f}; 3.00 was the start")

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "own_layers.keras")
    model.save(path)
    again = keras.models.load_model(path)  # the classes are found because they are registered
difference = np.abs(again.predict(x_test[:100], verbose=0) - model.predict(x_test[:100], verbose=0)).max()
print("largest difference between the model and its copy from the file:", difference)

_, accuracy = again.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy {accuracy:.3f}")
