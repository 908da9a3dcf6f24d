"""Metrics of your own: a function of a batch, and a class that remembers the whole epoch.

    python examples/keras_style/custom_metric.py

The recall of the worst class cannot be averaged over batches: it needs the counts of all of them. With real Keras:
write `import keras` in place of `import striate as keras`.
"""

import numpy as np

import striate as keras
from striate.datasets import fashion_mnist_mini

ops = keras.ops


def sure(y_true, y_pred):
    """How sure the network is of its answer. A function gives a number a sample; the mean of those is reported."""
    return ops.max(y_pred, axis=-1)


class WorstRecall(keras.metrics.Metric):
    """The recall of the class that is recognised least often."""

    def __init__(self, classes, name="worst_recall", **kwargs):
        super().__init__(name=name, **kwargs)
        self.classes = classes
        # State is kept in variables, so that it can be updated inside the compiled step. It begins at 0 in each epoch.
        self.counts = self.add_weight(name="counts", shape=(classes, classes), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        true = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.classes)
        answer = ops.one_hot(ops.argmax(y_pred, axis=-1), self.classes)
        if sample_weight is not None:
            answer = answer * ops.reshape(ops.cast(sample_weight, answer.dtype), (-1, 1))
        # Row i, column j: how many of class i were taken for class j.
        self.counts.assign_add(ops.matmul(ops.transpose(true), answer))

    def result(self):
        right = ops.sum(self.counts * ops.eye(self.classes), axis=1)
        of_class = ops.sum(self.counts, axis=1)
        recall = right / ops.maximum(of_class, 1.0)
        # A class that has not come up yet has no recall: it must not count as the worst.
        return ops.min(ops.where(of_class > 0, recall, ops.ones_like(recall)))

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}


(x_train, y_train), (x_test, y_test) = fashion_mnist_mini.load_data()
x_train, x_test = x_train[..., np.newaxis] / 255.0, x_test[..., np.newaxis] / 255.0

keras.utils.set_random_seed(42)
model = keras.models.Sequential()
model.add(keras.layers.Input(shape=(28, 28, 1)))
model.add(keras.layers.Conv2D(16, kernel_size=(5, 5), strides=(2, 2), activation="relu"))
model.add(keras.layers.MaxPooling2D(pool_size=(2, 2)))
model.add(keras.layers.Flatten())
model.add(keras.layers.Dense(64, activation="relu"))
model.add(keras.layers.Dense(10, activation="softmax"))
model.compile(
    optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy", sure, WorstRecall(classes=10)]
)
history = model.fit(x_train, y_train, batch_size=64, epochs=5, validation_split=0.2, verbose=2)
print("names in the history:", *history.history)

results = model.evaluate(x_test, y_test, verbose=0, return_dict=True)

# The same by hand, to see that the metric is right.
answers = model.predict(x_test, verbose=0).argmax(axis=-1)
recalls = [np.mean(answers[y_test == kind] == kind) for kind in range(10)]
print("recall of each class:", " ".join(f"{recall:.2f}" for recall in recalls))
print(f"the worst is class {np.argmin(recalls)}: {min(recalls):.3f}; the metric says {results['worst_recall']:.3f}")
print(f"test accuracy {results['accuracy']:.3f}")
