"""A residual network with the functional API: each block learns what to add to its input.

    python examples/keras_style/residual_network.py

Two convolutions and a shortcut make a block (He et al. 2015). Where a block halves the image and widens the channels, a
1x1 convolution makes the shortcut fit. With real Keras: write `import keras` in place of `import striate as keras`.
"""

import numpy as np

import striate as keras
from striate.datasets import fashion_mnist_mini

layers = keras.layers

(x_train, y_train), (x_test, y_test) = fashion_mnist_mini.load_data()
x_train, y_train = x_train[:3000, ..., np.newaxis] / 255.0, y_train[:3000]
x_test = x_test[..., np.newaxis] / 255.0


def convolution(x, filters, kernel_size=3, strides=1):
    # The normalization after it has an offset of its own, so a bias would be one too many.
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=keras.regularizers.L2(5e-4),
    )(x)
    # The default momentum of 0.99 forgets the first batches too slowly for a training of 240 steps.
    return layers.BatchNormalization(momentum=0.9)(x)


def block(x, filters, strides=1):
    shortcut = x
    if strides > 1 or x.shape[-1] != filters:
        shortcut = convolution(x, filters, kernel_size=1, strides=strides)
    x = convolution(x, filters, strides=strides)
    x = layers.Activation("relu")(x)
    x = convolution(x, filters)
    # Gradients reach the block's input through this sum undiminished, which is why deep networks of blocks can learn.
    x = layers.add([x, shortcut])
    return layers.Activation("relu")(x)


keras.utils.set_random_seed(42)
inputs = keras.Input(shape=(28, 28, 1), name="image")
x = convolution(inputs, 16, strides=2)
x = layers.ReLU()(x)
x = block(x, 16)
x = block(x, 32, strides=2)
x = block(x, 32)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, name="logits")(x)
model = keras.Model(inputs=inputs, outputs=outputs, name="small_resnet")
model.summary()

epochs, batch_size = 4, 50
steps = epochs * len(x_train) // batch_size
# The rate climbs first, since the early gradients are wild, then falls along half a cosine.
schedule = keras.optimizers.schedules.CosineDecay(
    initial_learning_rate=0.01, decay_steps=steps - 20, warmup_target=0.1, warmup_steps=20
)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=schedule, momentum=0.9, nesterov=True),
    # The network ends in logits: softmax and logarithm are computed in one, without rounding small probabilities to 0.
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=3, name="top_3")],
)
model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, validation_data=(x_test, y_test))

results = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
logits = model.predict(x_test[:5], verbose=0)
print("first five:", *logits.argmax(axis=-1), "right:", *y_test[:5])
print(f"test accuracy {results['accuracy']:.3f}, among the first three {results['top_3']:.3f}")
