"""Networks in their neutral form: sizes known from elsewhere, results by plain NumPy, the same again from JSON."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bench.models import NAMES, RANDOM, network
from bench.peers.keras_peer import build
from bench.spec import Net, Node, images, weights

import striate
from tests.bench.support import forward, tiny

#: from the papers' and Keras's own tables; with a batch norm's statistics, as Keras counts (torchvision does not)
PARAMETERS = {
    "lecture": 1_413_834,
    "lenet5": 61_706,
    "alexnet": 60_965_224,
    "vgg16": 138_357_544,
    "resnet18": 11_689_512 + 2 * 4_800,
    "resnet50": 25_557_032 + 2 * 26_560,
    "mobilenetv2": 3_538_984,
    "efficientnetb0": 5_330_571 - 7,  # Keras counts the seven of its normalization of images
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_networks_have_as_many_parameters_as_they_are_known_for(name: str) -> None:
    assert network(name).parameters() == PARAMETERS[name]


@pytest.mark.parametrize("name", NAMES)
def test_json_gives_the_same_network(name: str) -> None:
    net = network(name)
    assert Net.from_json(net.to_json()) == Net.from_json(Net.from_json(net.to_json()).to_json())
    assert Net.from_json(net.to_json()).shapes() == net.shapes()


def test_random_networks_are_their_seed_s() -> None:
    for name in RANDOM:
        assert network(name, 7).to_json() == network(name, 7).to_json() != network(name, 8).to_json()
    assert len({network(name).to_json() for name in RANDOM}) == len(RANDOM)


@pytest.mark.parametrize("seed", range(40))
def test_every_draw_is_a_network(seed: int) -> None:
    for name in RANDOM:
        net = network(name, seed)
        assert net.shapes()[net.nodes[-1].name] == (net.classes,)


def test_unknown_network() -> None:
    with pytest.raises(ValueError, match="no network 'lenet'; there are lecture, lenet5"):
        network("lenet")


def test_a_node_that_does_not_fit_is_named() -> None:
    net = tiny()
    wrong = replace(net, nodes=(*net.nodes, Node("extra", "add", ("input", net.nodes[-1].name), {})))
    with pytest.raises(ValueError, match=r"node extra adds results of shapes \[\(12, 9, 3\), \(4,\)\]"):
        wrong.shapes()
    with pytest.raises(ValueError, match=r"node extra is dense with \[\]; see OPS"):
        replace(net, nodes=(Node("extra", "dense", ("input",), {}),)).shapes()


@pytest.mark.parametrize("name", ["tiny", "lenet5", "odd", *RANDOM])
def test_striate_is_built_as_the_spec_says(name: str) -> None:
    net = tiny() if name == "tiny" else network(name)
    made = weights(net)
    model = build(striate, net)
    for layer, arrays in made.items():
        assert [a.shape for a in model.get_layer(layer).get_weights()] == net.weight_shapes()[layer]
        model.get_layer(layer).set_weights(arrays)
    x = images(net, 2)
    want = forward(net, made, x)
    assert np.abs(model.predict(x, verbose=0) - want).max() <= 2e-5 * want.max()
    assert want.std(axis=-1).min() > 0 and want.max() < 0.9999, "the check at run time would see nothing"


def test_striate_trains_all_weights_of_the_tiny_network() -> None:
    net = tiny()
    model = build(striate, net)
    assert model.count_params() == net.parameters()
    assert any(layer.name.startswith("dropout") for layer in model.layers)
    assert not any(layer.name.startswith("dropout") for layer in build(striate, net.without_dropout()).layers)


def test_weights_are_drawn_node_by_node() -> None:
    first, again, other = weights(tiny()), weights(tiny()), weights(tiny(), seed=1)
    assert first.keys() == tiny().weight_shapes().keys()
    for name in first:
        assert all((a == b).all() for a, b in zip(first[name], again[name]))
        assert any((a != b).any() for a, b in zip(first[name], other[name]))
