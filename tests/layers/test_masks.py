"""`compute_mask`: which steps of a sequence count after a merge, and layers that are built when they are made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import backend, layers

A = np.array([[True, False, False]])
B = np.array([[True, True, False]])
X = np.ones((1, 3, 2), "float32")


@pytest.mark.parametrize("kind", [layers.Add, layers.Subtract, layers.Average, layers.Maximum, layers.Minimum])
def test_a_merged_step_counts_where_one_of_its_inputs_does(kind: Any) -> None:
    assert np.asarray(kind().compute_mask([X, X], [A, B])).tolist() == [[True, True, False]]
    assert kind().compute_mask([X, X], [A, None]) is None
    assert kind().compute_mask([X, X]) is None


def test_concatenated_masks_follow_each_other() -> None:
    layer = layers.Concatenate(axis=1)
    assert np.asarray(layer.compute_mask([X, X], [A, B])).tolist() == [[True, False, False, True, True, False]]
    assert np.asarray(layer.compute_mask([X, X], [A, None])).tolist() == [[True, False, False, True, True, True]]
    assert layer.compute_mask([X, X], [None, None]) is None


def test_features_put_together_count_where_one_does() -> None:
    assert np.asarray(layers.Concatenate().compute_mask([X, X], [A, B])).tolist() == [[True, True, False]]


def test_a_product_has_no_mask() -> None:
    assert layers.Dot(axes=-1).compute_mask([X, X], [A, B]) is None


def test_other_layers_keep_their_mask() -> None:
    assert layers.Dense(2).compute_mask(X, A) is A
    assert layers.Dense(2).compute_mask(X, None) is None


def test_masks_and_inputs_are_lists_of_one_length() -> None:
    with pytest.raises(ValueError, match=r"`mask` should be a list\. Received.*Give one mask for each input"):
        layers.Add().compute_mask([X, X], A)
    with pytest.raises(ValueError, match="`inputs` should be a list"):
        layers.Add().compute_mask(X, [A, B])
    with pytest.raises(ValueError, match=r"the same length\. Received 2 inputs and 1 masks"):
        layers.Add().compute_mask([X, X], [A])


STATELESS = [
    layers.MaxPooling2D, layers.GlobalAveragePooling1D, layers.ReLU, layers.Softmax, layers.UnitNormalization,
    lambda: layers.Dropout(0.5), lambda: layers.GaussianNoise(0.5), lambda: layers.SpatialDropout2D(0.5),
    layers.ActivityRegularization, lambda: layers.Activation("relu"),
]  # fmt: skip


@pytest.mark.parametrize("make", STATELESS)
def test_what_has_no_weights_is_built_when_it_is_made(make: Any) -> None:
    before = backend.Toggles.count, backend.Toggles.arguments
    layer = make()
    assert layer.built and layer.count_params() == 0
    # Making a layer must not throw away what was traced of others.
    assert (backend.Toggles.count, backend.Toggles.arguments) == before


def test_a_build_of_one_s_own_is_waited_for() -> None:
    class Scaled(layers.ReLU):
        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, x: Any) -> Any:
            return super().call(x) * self.scale

    layer = Scaled()
    assert not layer.built
    layer(X)
    assert layer.built and layer.count_params() == 2
    assert not layers.PReLU().built
