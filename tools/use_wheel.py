"""Use an installed wheel: train, save, write an image to predict. Run by tools/check_wheel.py and by cibuildwheel.

Writes model.keras and garment.png where it is run. No `striate` lies beside this file: the installed one is imported.
"""

from PIL import Image

import striate as keras

assert keras.config.threads() >= 1
(x, y), (x_test, y_test) = keras.datasets.fashion_mnist_mini.load_data()
layers = keras.layers
model = keras.Sequential(
    [
        layers.Input((28, 28, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(4),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
losses = model.fit(x[:1000, ..., None], y[:1000], epochs=2, verbose=2).history["loss"]
assert losses[1] < losses[0], losses
model.save("model.keras")
Image.fromarray(x_test[0]).save("garment.png")
