"""Transfer learning: what a network has learned of some garments helps it with others.

    python examples/keras_style/transfer_learning.py

A base learns six kinds of clothes, of which there are many images. Of shoes and bags, which it has never seen, there
are only 5 images each: a new head learns them on the frozen base, then everything is trained on in small steps. A twin
that starts from nothing shows what the base was worth. With real Keras: write `import keras` in place of
`import striate as keras`.
"""

import numpy as np

import striate as keras
from striate.datasets import fashion_mnist_mini

layers = keras.layers

(x_train, y_train), (x_test, y_test) = fashion_mnist_mini.load_data()
x_train, x_test = x_train[..., np.newaxis] / 255.0, x_test[..., np.newaxis] / 255.0

CLOTHES = [0, 1, 2, 3, 4, 6]  # T-shirts, trousers, pullovers, dresses, coats, shirts
OTHERS = [5, 7, 8, 9]  # sandals, sneakers, bags, boots


def task(kinds, x, y, of_each=None):
    """The images of some kinds, at most so many of each, with labels that begin at 0: they are places in the output."""
    chosen = np.concatenate([np.flatnonzero(y == kind)[:of_each] for kind in kinds])
    chosen = np.random.default_rng(0).permutation(chosen)
    return x[chosen], np.searchsorted(kinds, y[chosen])


x_many, y_many = task(CLOTHES, x_train, y_train)
x_few, y_few = task(OTHERS, x_train, y_train, of_each=5)
x_judge, y_judge = task(OTHERS, x_test, y_test)

keras.utils.set_random_seed(42)


def make_base():
    # A momentum of 0.9, since 216 steps are too few for the default of 0.99 to forget where the statistics began.
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.MaxPooling2D(),
        ],
        name="base",
    )


base = make_base()
model = keras.Sequential([base, layers.Flatten(), layers.Dense(6, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_many, y_many, batch_size=50, epochs=3)

# Frozen, the base's weights stay as they are, and its batch normalization uses the statistics it has gathered.
base.trainable = False

# `training=False` keeps it so later, when the base is thawed: 20 images are too few for statistics of their own.
inputs = keras.Input((28, 28, 1))
features = base(inputs, training=False)
x = layers.Flatten()(features)
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(4, activation="softmax")(x)
transferred = keras.Model(inputs, outputs, name="transferred")
transferred.summary(show_trainable=True)

transferred.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
transferred.fit(x_few, y_few, batch_size=20, epochs=12, verbose=2)
_, with_head = transferred.evaluate(x_judge, y_judge, verbose=0)

# What is trainable is settled in `compile`, so thawing needs another. The rate is small so that what the base knows
# is adapted, not washed away.
base.trainable = True
transferred.compile(optimizer=keras.optimizers.Adam(1e-4), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
transferred.fit(x_few, y_few, batch_size=20, epochs=8, verbose=2)
_, with_all = transferred.evaluate(x_judge, y_judge, verbose=0)

# The same network with new weights. It has to find statistics and filters in the 20 images.
scratch = keras.models.clone_model(transferred)
scratch.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
scratch.fit(x_few, y_few, batch_size=20, epochs=20, verbose=0)
_, without = scratch.evaluate(x_judge, y_judge, verbose=0)

print(f"from scratch {without:.3f}, with a new head on the frozen base {with_head:.3f}, trained on {with_all:.3f}")
print(f"test accuracy {with_all:.3f}")
