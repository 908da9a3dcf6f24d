"""The lecture's model, trained on garments in the words of the lecture; fails where it learns less than it should.

    python examples/lecture_model.py [--images 6000] [--epochs 8] [--floor 0.83]

With its defaults this takes as long as `striate demo` (minutes), whose schedule of learning rates does a little better.
"""

from __future__ import annotations

import argparse
import sys

import striate as keras


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the lecture's model on Fashion-MNIST.")
    parser.add_argument("--images", type=int, default=6000, help="training images, at most 6000")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--floor", type=float, default=0.83, help="least accuracy on the test images")
    arguments = parser.parse_args()

    (x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist_mini.load_data()
    x_train, y_train = x_train[: arguments.images, ..., None] / 255, y_train[: arguments.images]
    x_test = x_test[..., None] / 255

    keras.utils.set_random_seed(42)
    model = keras.models.Sequential([
        keras.layers.Conv2D(64, 7, activation="relu", padding="same", input_shape=[28, 28, 1]),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(128, 3, activation="relu", padding="same"),
        keras.layers.Conv2D(128, 3, activation="relu", padding="same"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(256, 3, activation="relu", padding="same"),
        keras.layers.Conv2D(256, 3, activation="relu", padding="same"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=arguments.epochs, validation_split=0.1)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)

    print(f"test accuracy {accuracy:.3f}")
    if accuracy < arguments.floor:
        sys.exit(f"The model learned too little: {accuracy:.3f} is below {arguments.floor}.")


if __name__ == "__main__":
    main()
