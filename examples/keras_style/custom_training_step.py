"""A training step of your own: mixed images, and a loss that asks for the same answer to an image and its mirror image.

    python examples/keras_style/custom_training_step.py

`train_step` says what a step trains on, `compute_loss` what it lowers; batches, gradients, metrics and callbacks stay
with `fit`. With real Keras: write `import keras` in place of `import striate as keras`.
"""

import numpy as np

import striate as keras
from striate.datasets import fashion_mnist_mini

layers, ops = keras.layers, keras.ops


class Consistent(keras.Model):
    """A classifier that is trained on mixed images (mixup, Zhang et al. 2017) and on agreeing with itself."""

    def __init__(self, mixing=0.3, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.mixing = mixing
        self.weight = weight
        self.disagreement = keras.metrics.Mean(name="disagreement")
        self.first = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")
        self.second = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")
        self.flatten = layers.Flatten()
        self.dense = layers.Dense(10, activation="softmax")

    def call(self, inputs):
        return self.dense(self.flatten(self.second(self.first(inputs))))

    def train_step(self, *given):
        # Keras on JAX hands over the model's state before the data; Striate and Keras's other backends only the data.
        *state, (x, y) = given
        # Each image with the one as far from the batch's end. Mixed labels say how much of which.
        x = (1 - self.mixing) * x + self.mixing * ops.flip(x, axis=0)
        y = (1 - self.mixing) * y + self.mixing * ops.flip(y, axis=0)
        return super().train_step(*state, (x, y))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)  # the one given to `compile`
        mirrored = self(ops.flip(x, axis=2))
        difference = ops.mean(ops.sum(ops.square(y_pred - mirrored), axis=-1))
        self.disagreement.update_state(difference)
        return loss + self.weight * difference


(x_train, y_train), (x_test, y_test) = fashion_mnist_mini.load_data()
x_train = x_train[..., np.newaxis].astype("float32") / 255
x_test = x_test[..., np.newaxis].astype("float32") / 255
# One-hot, since mixed labels are no classes.
y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)

keras.utils.set_random_seed(42)
model = Consistent()
model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="categorical_crossentropy", metrics=["accuracy"])
# Accuracy on the training images is low: it is measured on mixed ones.
model.fit(x_train, y_train, batch_size=50, epochs=4, validation_data=(x_test, y_test), verbose=2)
model.summary()

plain, mirrored = model.predict(x_test, verbose=0), model.predict(x_test[:, :, ::-1], verbose=0)
same = np.mean(plain.argmax(axis=-1) == mirrored.argmax(axis=-1))
print(f"the same answer to an image and its mirror image: {same:.3f}")
results = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print({name: round(value, 3) for name, value in results.items()})
print(f"test accuracy {results['accuracy']:.3f}")
