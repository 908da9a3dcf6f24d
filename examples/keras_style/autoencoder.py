"""An autoencoder that takes noise out of images: convolutions make them small, transposed convolutions large again.

    python examples/keras_style/autoencoder.py

It sees noisy images and is told the clean ones. Through 7 x 7 x 8 numbers fits what garments have in common, and little
of the noise. With real Keras: write `import keras` in place of `import striate as keras`.
"""

import numpy as np

import striate as keras
from striate.datasets import fashion_mnist_mini

layers = keras.layers

(x_train, _), (x_test, _) = fashion_mnist_mini.load_data()
x_train = x_train[:3000, ..., np.newaxis].astype("float32") / 255
x_test = x_test[:500, ..., np.newaxis].astype("float32") / 255

rng = np.random.default_rng(0)


def noisy(images):
    return np.clip(images + rng.normal(0, 0.3, images.shape), 0, 1).astype("float32")


x_train_noisy, x_test_noisy = noisy(x_train), noisy(x_test)

keras.utils.set_random_seed(42)
encoder = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
    ],
    name="encoder",
)
decoder = keras.Sequential(
    [
        keras.Input((7, 7, 8)),
        # A stride of 2 in a transposed convolution doubles height and width: 7 -> 14 -> 28.
        layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ],
    name="decoder",
)
images = keras.Input((28, 28, 1))
autoencoder = keras.Model(images, decoder(encoder(images)), name="autoencoder")
autoencoder.summary(expand_nested=True)
print("input", autoencoder.input_shape, "code", encoder.output_shape, "output", autoencoder.output_shape)

autoencoder.compile(optimizer=keras.optimizers.Adam(3e-3), loss="mse", metrics=["mae"])
autoencoder.fit(x_train_noisy, x_train, batch_size=50, epochs=3, validation_data=(x_test_noisy, x_test))

codes = encoder.predict(x_test_noisy, verbose=0)  # trained with the whole: the layers are the same
cleaned = decoder.predict(codes, verbose=0)


def picture(image):
    """An image in characters, every second row, dark to bright."""
    return ["".join(" .:-=+*#%@"[int(9.99 * value)] for value in row) for row in image[::2, :, 0]]


print(" clean".ljust(30) + "noisy".ljust(29) + "cleaned")
for rows in zip(picture(x_test[3]), picture(x_test_noisy[3]), picture(cleaned[3])):
    print(" ".join(rows).rstrip())

before, after = np.mean((x_test_noisy - x_test) ** 2), np.mean((cleaned - x_test) ** 2)
print(f"mean squared error {before:.4f} before, {after:.4f} after: {before / after:.1f} times less")
