"""LeNet-5 of 1998, its loss and its inputs, and the form that textbooks use, trained on garments or on digits.

    python examples/lenet5.py [--variant 1998|modern] [--loss 8|9] [--data garments|digits] [--epochs 20] [--floor 0.8]

Garments are the 6,000 that come with Striate. Digits are scikit-learn's 1,797 (`pip install scikit-learn`), 8x8 pixels,
enlarged; the last 360 are the test. Nothing was tuned on either test.
`--published-rates` takes steps after every image, as long as the paper says, without its estimates of curvature.
At the end the network slides over test images laid side by side, as the paper's space displacement networks do.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

import striate as keras
from striate.applications import lenet5


def garments():
    (x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist_mini.load_data()
    return lenet5.preprocess_input(x_train), y_train, lenet5.preprocess_input(x_test), y_test


def digits():
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        sys.exit("The digits are scikit-learn's: pip install scikit-learn, or take --data garments.")
    small, labels = load_digits(return_X_y=True)
    # A line through neighbouring pixels: 8 become 24, and with a margin of 2 the 28 that `preprocess_input` takes.
    at = np.clip((np.arange(24) + 0.5) / 3 - 0.5, 0, 7)
    weights = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(8)))
    large = weights @ small.reshape(-1, 8, 8) @ weights.T
    x = lenet5.preprocess_input(np.pad(large * 255 / 16, ((0, 0), (2, 2), (2, 2))))
    return x[:-360], labels[:-360], x[-360:], labels[-360:]


def compiled(arguments):
    if arguments.variant == "modern":
        model = keras.applications.LeNet5("modern", pooling=arguments.pooling, activation=arguments.activation)
        loss, metric = "sparse_categorical_crossentropy", "accuracy"
    else:
        model = keras.applications.LeNet5("1998")
        loss = keras.losses.SparsePenalty() if arguments.loss == 8 else keras.losses.SparsePenaltyCrossentropy()
        metric = keras.metrics.SparsePenaltyAccuracy()
    optimizer = keras.optimizers.SGD(1.0) if arguments.published_rates else keras.optimizers.Adam(1e-3)
    model.compile(optimizer, loss, metrics=[metric])
    return model


def read_a_row(model, images):
    """What the network says of each of several images laid side by side, from one pass over all of them."""
    row = np.concatenate(list(images), axis=1)[None]
    kind = "1998" if model.get_layer("output").count_params() == 840 else "modern"
    more = {} if kind == "1998" else {
        "activation": model.get_layer("C1").activation,
        "pooling": "max" if isinstance(model.get_layer("S2"), keras.layers.MaxPooling2D) else "average",
    }  # fmt: skip
    sliding = keras.applications.LeNet5(kind, input_shape=row.shape[1:], **more)
    sliding.set_weights(model.get_weights())
    answers = sliding.predict(row, verbose=0)[0, 0]  # one for every 4 pixels; a window over one image each 32
    return (answers.argmin(-1) if kind == "1998" else answers.argmax(-1))[::8]


def main() -> None:
    parser = argparse.ArgumentParser(description="Train LeNet-5.")
    parser.add_argument("--variant", choices=["1998", "modern"], default="1998")
    parser.add_argument("--loss", type=int, choices=[8, 9], default=9, help="the paper's equation, of 1998")
    parser.add_argument("--pooling", default="average", help="of modern: average or max")
    parser.add_argument("--activation", default="tanh", help="of modern")
    parser.add_argument("--data", choices=["garments", "digits"], default="garments")
    parser.add_argument("--images", type=int, default=6000, help="training images, at most")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--published-rates", action="store_true")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--floor", type=float, default=0.8, help="least accuracy on the test images")
    arguments = parser.parse_args()

    x_train, y_train, x_test, y_test = garments() if arguments.data == "garments" else digits()
    x_train, y_train = x_train[: arguments.images], y_train[: arguments.images]
    keras.utils.set_random_seed(arguments.seed)
    model = compiled(arguments)
    rates = [keras.callbacks.LearningRateScheduler(lambda epoch: lenet5.learning_rate(epoch))]
    started = time.perf_counter()
    model.fit(
        x_train,
        y_train,
        batch_size=1 if arguments.published_rates else 32,
        epochs=arguments.epochs,
        callbacks=rates if arguments.published_rates else [],
        verbose=2,
    )
    seconds = time.perf_counter() - started
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print("in a row:", *read_a_row(model, x_test[:8]), "right:", *y_test[:8])
    print(f"test accuracy {accuracy:.3f} on {len(x_test)} images, {arguments.epochs} epochs, {seconds:.0f} s")
    if accuracy < arguments.floor:
        sys.exit(f"The model learned too little: {accuracy:.3f} is below {arguments.floor}.")


if __name__ == "__main__":
    main()
