"""Data augmentation: in each step the images are mirrored, moved, turned and zoomed a little, anew each time.

    python examples/keras_style/data_augmentation.py

400 garments, all upright in the middle, teach a network to look only there. Augmented, it also knows test images as a
careless photographer takes them. The block is a part of the model: it is saved with it, and does nothing in `evaluate`
and `predict`. With real Keras: write `import keras` in place of `import striate as keras`.
"""

import numpy as np

import striate as keras
from striate.datasets import fashion_mnist_mini

layers = keras.layers

(x_train, y_train), (x_test, y_test) = fashion_mnist_mini.load_data()
# Bytes from 0 to 255, as they come from files: the model scales them itself, so nobody can forget it later.
x_train, y_train = x_train[:400, ..., np.newaxis], y_train[:400]
x_test = x_test[..., np.newaxis]


def careless(images):
    """Each image moved by up to 3 pixels each way, every second one mirrored; never used in training."""
    rng = np.random.default_rng(0)
    padded = np.pad(images, ((0, 0), (3, 3), (3, 3), (0, 0)))
    corners = rng.integers(0, 7, (len(images), 2))
    moved = np.stack([image[r : r + 28, c : c + 28] for image, (r, c) in zip(padded, corners)])
    moved[::2] = moved[::2, :, ::-1]
    return moved


x_careless = careless(x_test)


def augmentation():
    return keras.Sequential(
        [
            layers.RandomFlip("horizontal"),
            # Shares of the height and width, of a full turn, of the size. What comes in from outside is background.
            layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
            layers.RandomRotation(0.02, fill_mode="constant"),
            layers.RandomZoom(0.1, fill_mode="constant"),
            layers.RandomContrast(0.2),
        ],
        name="augmentation",
    )


def make_model(block):
    inputs = keras.Input((28, 28, 1))
    x = block(inputs) if block is not None else inputs
    x = layers.Rescaling(1.0 / 255)(x)
    x = layers.Conv2D(16, 3, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer=keras.optimizers.SGD(0.03, momentum=0.9), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def picture(images):
    """Images side by side in characters, every second row, dark to bright."""
    side_by_side = np.concatenate(list(images[..., 0]), axis=1)
    return "\n".join("".join(" .:-=+*#%@"[int(value / 25.6)] for value in row).rstrip() for row in side_by_side[::2])


keras.utils.set_random_seed(42)
block = augmentation()
one = np.repeat(x_train[3:4], 3, axis=0).astype("float32")
print("an image, and what the block makes of it:")
print(picture(np.concatenate([one[:1], np.asarray(block(one))])))
# Called by itself it changes images unless told not to. `evaluate` and `predict` tell it; so must who calls a model.
print("told that this is no training, it leaves them:", np.array_equal(block(one, training=False), one))

accuracies = {}
for name, given in (("without", None), ("with", block)):
    keras.utils.set_random_seed(42)
    model = make_model(given)
    if given is not None:
        model.summary()
    history = model.fit(x_train, y_train, batch_size=20, epochs=15, verbose=0)
    _, upright = model.evaluate(x_test, y_test, verbose=0)
    _, accuracies[name] = model.evaluate(x_careless, y_test, verbose=0)
    # The loss in training is that of augmented images, which are harder.
    print(
        f"{name} augmentation: loss in training {history.history['loss'][-1]:.2f}, accuracy on upright images "
        f"{upright:.3f}, on careless ones {accuracies[name]:.3f}"
    )

print(f"test accuracy {accuracies['with']:.3f}")
