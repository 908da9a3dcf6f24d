"""The public functions of `keras.ops` that convolutional networks use: names, arguments and promotion as in Keras 3.

Each takes arrays (computed now), a traced step's tensors (becomes a node of the graph) or a functional model's tensors
(remembered as a call), and goes through `backend.apply`. A function is found by its `@export` mark; the modules are
imported here so that files of models find the operations they name.
"""

from __future__ import annotations

from striate import backend
from striate.core.namespace import lazy_names
from striate.ops import activation as activation
from striate.ops import alignment as alignment
from striate.ops import arithmetic as arithmetic
from striate.ops import bits as bits
from striate.ops import blocks as blocks
from striate.ops import classification as classification
from striate.ops import colors as colors
from striate.ops import columns as columns
from striate.ops import convolution as convolution
from striate.ops import core as core
from striate.ops import counting as counting
from striate.ops import creation as creation
from striate.ops import cutting as cutting
from striate.ops import decoding as decoding
from striate.ops import decompositions as decompositions
from striate.ops import diagonals as diagonals
from striate.ops import elementwise as elementwise
from striate.ops import filters as filters
from striate.ops import grids as grids
from striate.ops import image as image
from striate.ops import indexing as indexing
from striate.ops import joining as joining
from striate.ops import linalg as linalg
from striate.ops import matrices as matrices
from striate.ops import nan_reductions as nan_reductions
from striate.ops import nn as nn
from striate.ops import normalization as normalization
from striate.ops import numbers as numbers
from striate.ops import numpy as numpy
from striate.ops import parts as parts
from striate.ops import piecewise as piecewise
from striate.ops import pooling as pooling
from striate.ops import products as products
from striate.ops import quantiles as quantiles
from striate.ops import reductions as reductions
from striate.ops import resizing as resizing
from striate.ops import sampling as sampling
from striate.ops import scattering as scattering
from striate.ops import shapes as shapes
from striate.ops import sums as sums
from striate.ops import transcendental as transcendental
from striate.ops import transposed as transposed
from striate.ops import warping as warping
from striate.ops import windows as windows

__getattr__, __dir__ = lazy_names(__name__)

backend.bind_operators(
    add=arithmetic.add,
    subtract=arithmetic.subtract,
    multiply=arithmetic.multiply,
    true_divide=arithmetic.true_divide,
    floor_divide=arithmetic.floor_divide,
    mod=arithmetic.mod,
    power=arithmetic.power,
    matmul=products.matmul,
    negative=elementwise.negative,
    absolute=elementwise.absolute,
    logical_not=elementwise.logical_not,
    logical_and=arithmetic.logical_and,
    logical_or=arithmetic.logical_or,
    less=arithmetic.less,
    less_equal=arithmetic.less_equal,
    greater=arithmetic.greater,
    greater_equal=arithmetic.greater_equal,
    not_equal=arithmetic.not_equal,
    equal=arithmetic.equal,
    get_item=indexing.get_item,
    stack=joining.stack,
)
