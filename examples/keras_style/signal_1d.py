"""One-dimensional convolutions on a signal: which of four waveforms is it, under noise, at an unknown pitch?

    python examples/keras_style/signal_1d.py

Signals are made here: sines, squares, sawtooths and chirps of 128 samples. Causal, dilated convolutions see ever more
of the past: 1 + 2 (1 + 2 + 4 + 8) = 31 samples in the end. With real Keras: write `import keras` in place of
`import striate as keras`.
"""

import numpy as np

import striate as keras

layers = keras.layers
KINDS = ("sine", "square", "sawtooth", "chirp")


def make_signals(count, seed, shares=(0.25, 0.25, 0.25, 0.25)):
    rng = np.random.default_rng(seed)
    kinds = rng.choice(4, count, p=shares)
    time = np.linspace(0, 1, 128)
    turns = rng.uniform(3, 8, (count, 1)) * time + rng.uniform(0, 1, (count, 1))
    waves = np.stack(
        [
            np.sin(2 * np.pi * turns),
            np.sign(np.sin(2 * np.pi * turns)),
            2 * (turns % 1) - 1,
            np.sin(2 * np.pi * (turns + 6 * time**2)),  # its pitch rises
        ]
    )
    signals = waves[kinds, np.arange(count)] + rng.normal(0, 0.5, (count, 128))
    return signals[..., np.newaxis].astype("float32"), kinds  # samples, time, channels


# Chirps are rare in training, as what one looks for often is.
x_train, y_train = make_signals(2000, seed=1, shares=(0.35, 0.3, 0.3, 0.05))
x_test, y_test = make_signals(1000, seed=2)

keras.utils.set_random_seed(42)
model = keras.Sequential([keras.Input((128, 1)), layers.Normalization(axis=None, name="standardize")])
# Mean and variance come from the data, not from training.
model.get_layer("standardize").adapt(x_train)
for dilation in (1, 2, 4, 8):
    # Padded on the left only: an output never depends on samples that come after it.
    model.add(layers.Conv1D(16, 3, dilation_rate=dilation, padding="causal", use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(layers.ReLU())
model.add(layers.AveragePooling1D(4))
model.add(layers.SeparableConv1D(32, 5, padding="same", activation="relu"))
model.add(layers.GlobalMaxPooling1D())
model.add(layers.Dense(4, activation="softmax"))
model.summary()

model.compile(
    optimizer=keras.optimizers.AdamW(3e-3, weight_decay=1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
# Each class counts alike: a rare one's samples weigh more.
weights = {kind: len(y_train) / (4 * np.sum(y_train == kind)) for kind in range(4)}
print("class weights:", {KINDS[kind]: round(float(weight), 2) for kind, weight in weights.items()})
model.fit(x_train, y_train, batch_size=50, epochs=4, class_weight=weights, verbose=2)

answers = model.predict(x_test, verbose=0).argmax(axis=-1)
print("taken for".rjust(20), *(name.rjust(9) for name in KINDS))
for kind, name in enumerate(KINDS):
    row = np.bincount(answers[y_test == kind], minlength=4)
    print(name.rjust(20), *(str(count).rjust(9) for count in row))
_, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy {accuracy:.3f}")
