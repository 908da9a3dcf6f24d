"""Two inputs and three outputs, each with a loss and metrics of its own, all given by name.

    python examples/keras_style/multi_output.py

From an image and how it was lit, the network tells the garment, whether it is footwear, and how much of the image it
covers. With real Keras: write `import keras` in place of `import striate as keras`.
"""

import numpy as np

import striate as keras
from striate.datasets import fashion_mnist_mini

layers = keras.layers

(x_train, y_train), (x_test, y_test) = fashion_mnist_mini.load_data()


def task(images, labels, seed):
    """Inputs and targets as dicts, whose keys are the names of inputs and outputs."""
    light = np.random.default_rng(seed).uniform(0.3, 1.0, (len(images), 1))
    inputs = {"image": images[..., np.newaxis] / 255.0 * light[:, np.newaxis, np.newaxis], "light": light}
    targets = {
        "garment": labels,
        "footwear": np.isin(labels, (5, 7, 9)).astype("float32")[:, np.newaxis],
        "cover": (images > 40).mean(axis=(1, 2), keepdims=True)[:, 0],
    }
    return inputs, targets


x, y = task(x_train, y_train, seed=1)
x_held_back, y_held_back = task(x_test, y_test, seed=2)

keras.utils.set_random_seed(42)
image = keras.Input((28, 28, 1), name="image")
light = keras.Input((1,), name="light")
shared = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(image)
shared = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(shared)
shared = layers.Concatenate()([layers.Flatten()(shared), light])
shared = layers.Dense(64, activation="relu")(shared)
# An output is called as the layer that makes it.
garment = layers.Dense(10, activation="softmax", name="garment")(shared)
footwear = layers.Dense(1, activation="sigmoid", name="footwear")(shared)
cover = layers.Dense(1, name="cover")(shared)
model = keras.Model([image, light], [garment, footwear, cover])
model.summary()

model.compile(
    optimizer="adam",
    loss={"garment": "sparse_categorical_crossentropy", "footwear": "binary_crossentropy", "cover": "mse"},
    # Squared errors of a share are small numbers: the weight brings them to the size of the others.
    loss_weights={"garment": 1.0, "footwear": 0.5, "cover": 20.0},
    metrics={"garment": ["accuracy"], "footwear": ["accuracy", keras.metrics.AUC(name="auc")], "cover": ["mae"]},
)
history = model.fit(x, y, batch_size=64, epochs=4, validation_split=0.1, verbose=2)
print(*sorted(history.history), sep="\n")

results = model.evaluate(x_held_back, y_held_back, verbose=0, return_dict=True)
for name, value in results.items():
    print(f"{name:18} {value:.4f}")

# A list of outputs gives a list of predictions, in the order of the model's outputs.
kinds, shoes, covers = model.predict(x_held_back, batch_size=200, verbose=0)
print("shapes:", kinds.shape, shoes.shape, covers.shape)
print(
    "first image:",
    f"class {kinds[0].argmax()}, footwear {shoes[0, 0]:.2f}, covers {covers[0, 0]:.2f};",
    f"right: class {y_held_back['garment'][0]}, {y_held_back['footwear'][0, 0]:.0f}, {y_held_back['cover'][0, 0]:.2f}",
)
print(f"test accuracy {results['garment_accuracy']:.3f}")
