"""Arguments that are refused: where real Keras raises, so do we, and it is the same kind of error."""

from __future__ import annotations

import builtins

import pytest

from support import KerasError, ours

X = "np.ones((2, 8, 8, 4), 'float32')"
MODEL = "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='d')])\n"
FITTED = MODEL + "m.compile('sgd', 'mse')\nx, y = np.ones((8, 3), 'f'), np.ones((8, 2), 'f')\n"

REFUSED = {
    "filters 0": "keras.layers.Conv2D(0, 3)",
    "filters negative": "keras.layers.Conv2D(-2, 3)",
    "kernel of three": "keras.layers.Conv2D(4, (3, 3, 3))",
    "kernel 0": "keras.layers.Conv2D(4, 0)",
    "strides 0": "keras.layers.Conv2D(4, 3, strides=0)",
    "strides and dilation": "keras.layers.Conv2D(4, 3, strides=2, dilation_rate=2)",
    "padding unknown": "keras.layers.Conv2D(4, 3, padding='around')",
    "padding causal": "keras.layers.Conv2D(4, 3, padding='causal')",
    "groups 0": "keras.layers.Conv2D(4, 3, groups=0)",
    "groups do not divide filters": "keras.layers.Conv2D(4, 3, groups=3)",
    "groups do not divide channels": f"keras.layers.Conv2D(6, 3, groups=3)({X})",
    "activation unknown": "keras.layers.Conv2D(4, 3, activation='nothing')",
    "initializer unknown": "keras.layers.Dense(4, kernel_initializer='nothing')",
    "regularizer unknown": "keras.layers.Dense(4, kernel_regularizer='nothing')",
    "constraint unknown": "keras.layers.Dense(4, kernel_constraint='nothing')",
    "data_format unknown": "keras.layers.Conv2D(4, 3, data_format='channels_middle')",
    "unknown argument": "keras.layers.Conv2D(4, 3, colour='red')",
    "kernel larger than the image": f"keras.layers.Conv2D(4, 9)({X})",
    "rank of the input": "keras.layers.Conv2D(4, 3)(np.ones((2, 8, 4), 'float32'))",
    "channels differ from build": "l = keras.layers.Conv2D(4, 3); l.build((None, 8, 8, 3)); "
    f"result = np.asarray(l({X}))",
    "conv1d padding unknown": "keras.layers.Conv1D(4, 3, padding='casual')",
    "conv1d of an image": "keras.layers.Conv1D(4, 3)(np.ones((2, 8), 'float32'))",
    "conv3d causal": "keras.layers.Conv3D(4, 3, padding='causal')",
    "depthwise causal": "keras.layers.DepthwiseConv1D(3, padding='causal')",
    "separable filters 0": "keras.layers.SeparableConv2D(0, 3)",
    "separable multiplier 0": "keras.layers.SeparableConv1D(4, 3, depth_multiplier=0)",
    "output padding": "keras.layers.Conv2DTranspose(4, 3, strides=2, output_padding=2)",
    "transpose strides and dilation": "keras.layers.Conv2DTranspose(4, 3, strides=2, dilation_rate=2)",
    "transpose filters 0": "keras.layers.Conv1DTranspose(0, 3)",
    "adaptive pool a string": "keras.layers.AdaptiveMaxPooling2D('all')",
    "adaptive pool of two in one": "keras.layers.AdaptiveMaxPooling1D((2, 2))",
    "pool3d of two": "keras.layers.AveragePooling3D((2, 2))",
    "global pool of an image": f"keras.layers.GlobalMaxPooling1D()({X})",
    "zero padding 3d of two": "keras.layers.ZeroPadding3D((1, 2))",
    "cropping negative": "keras.layers.Cropping1D(-1)",
    "cropping of everything": f"keras.layers.Cropping2D(4)({X})",
    "up sampling a float": "keras.layers.UpSampling1D(1.5)",
    "up sampling 0": "keras.layers.UpSampling1D(0)",
    "repeat a string": "keras.layers.RepeatVector('3')",
    "repeat 0": "keras.layers.RepeatVector(0)",
    "layer norm axis a string": "keras.layers.LayerNormalization(axis='last')",
    "unit norm axis none": "keras.layers.UnitNormalization(axis=None)",
    "group norm 0": "keras.layers.GroupNormalization(0)",
    "group norm does not divide": f"keras.layers.GroupNormalization(3)({X})",
    "spatial dropout rate": "keras.layers.SpatialDropout2D(1.5)",
    "spatial dropout rank": "keras.layers.SpatialDropout2D(0.5)(np.ones((2, 8, 4), 'float32'))",
    "spatial dropout unknown argument": "keras.layers.SpatialDropout1D(0.5, noise_shape=(1,))",
    "noise negative": "keras.layers.GaussianNoise(-1.0)",
    "alpha dropout rate": "keras.layers.AlphaDropout(2)",
    "dot of three": f"keras.layers.Dot(1)([{X}, {X}, {X}])",
    "dot axes a string": "keras.layers.Dot('last')",
    "dot axes three": "keras.layers.Dot((1, 2, 3))",
    "dot lengths": f"keras.layers.Dot((1, 3))([{X}, {X}])",
    "time distributed of no layer": "keras.layers.TimeDistributed('dense')",
    "time distributed rank": "keras.layers.TimeDistributed(keras.layers.Dense(2))(np.ones((2, 3), 'float32'))",
    "spectral of no kernel": f"keras.layers.SpectralNormalization(keras.layers.ReLU())({X})",
    "spectral iterations": "keras.layers.SpectralNormalization(keras.layers.Dense(2), power_iterations=0)",
    "units 0": "keras.layers.Dense(0)",
    "units a float": "keras.layers.Dense(2.5)",
    "units missing": "keras.layers.Dense()",
    "dense of other width": "l = keras.layers.Dense(2); l.build((None, 3)); l(np.ones((1, 4), 'float32'))",
    "rate 1.5": "keras.layers.Dropout(1.5)",
    "rate negative": "keras.layers.Dropout(-0.1)",
    "pool of three": "keras.layers.MaxPooling2D((2, 2, 2))",
    "pool padding": f"keras.layers.MaxPooling2D(2, padding='around')({X})",
    "pool too large": "keras.layers.MaxPooling2D(9)(keras.Input((8, 8, 4)))",
    "reshape does not fit": f"keras.layers.Reshape((5, 5))({X})",
    "softmax axis": f"np.asarray(keras.layers.Softmax(axis=7)({X}))",
    "negative slope": "keras.layers.LeakyReLU(-0.1)",
    "relu max": "keras.layers.ReLU(max_value=-1.0)",
    "relu slope": "keras.layers.ReLU(negative_slope=-1.0)",
    "batch norm axis": f"keras.layers.BatchNormalization(axis=7)({X})",
    "add of one": f"keras.layers.Add()({X})",
    "add of shapes": f"keras.layers.Add()([{X}, np.ones((2, 8, 8, 3), 'f')])",
    "concatenate of shapes": f"keras.layers.Concatenate()([{X}, np.ones((2, 7, 8, 3), 'f')])",
    "zero padding of three": "keras.layers.ZeroPadding2D((1, 2, 3))",
    "depthwise multiplier": "keras.layers.DepthwiseConv2D(3, depth_multiplier=0)",
    "normalization one of two": "keras.layers.Normalization(mean=1.0)",
    "name with a slash": "keras.layers.Dense(2, name='a/b')",
    "input without shape": "keras.Input()",
    "loss reduction": "keras.losses.MeanSquaredError(reduction='middle')",
    "loss unknown": "keras.losses.get('nothing')",
    "loss shapes": "keras.losses.MeanSquaredError()(np.ones((2, 3), 'f'), np.ones((2, 4), 'f'))",
    "metric unknown": "keras.metrics.get('nothing')",
    "optimizer unknown": "keras.optimizers.get('nothing')",
    "two clips": "keras.optimizers.SGD(clipnorm=1.0, clipvalue=1.0)",
    "momentum 2": "keras.optimizers.SGD(momentum=2.0)",
    "accumulate 1": "keras.optimizers.SGD(gradient_accumulation_steps=1)",
    "ema momentum": "keras.optimizers.SGD(use_ema=True, ema_momentum=2.0)",
    "optimizer argument": "keras.optimizers.Adam(colour='red')",
    "schedule boundaries": "keras.optimizers.schedules.PiecewiseConstantDecay([1, 2], [0.1])",
    "schedule steps": "keras.optimizers.schedules.CosineDecay(0.1, 0)",
    "stddev": "keras.initializers.VarianceScaling(scale=-1.0)",
    "fan mode": "keras.initializers.VarianceScaling(mode='fan_none')",
    "orthogonal of a vector": "keras.initializers.Orthogonal()((3,))",
    "activation function": "keras.activations.get('nothing')",
    "set_weights count": MODEL + "m.set_weights([np.ones((3, 2))])",
    "set_weights shape": MODEL + "m.set_weights([np.ones((2, 2)), np.ones(2)])",
    "two layers of one name": "keras.Sequential([keras.layers.Dense(2, name='a'), keras.layers.Dense(2, name='a')])",
    "sequential of a number": "keras.Sequential([3])",
    "count_params unbuilt": "keras.Sequential([keras.layers.Dense(2)]).count_params()",
    "summary unbuilt weights": "keras.Sequential([keras.layers.Dense(2)]).save_weights('x.weights.h5')",
    "get_layer": MODEL + "m.get_layer('nothing')",
    "get_layer both": MODEL + "m.get_layer('d', 0)",
    "outputs without inputs": "a, b = keras.Input((2,)), keras.Input((2,))\nkeras.Model(a, keras.layers.Dense(2)(b))",
    "fit before compile": MODEL + "m.fit(np.ones((4, 3), 'f'), np.ones((4, 2), 'f'), verbose=0)",
    "lengths differ": FITTED + "m.fit(x, y[:4], verbose=0)",
    "validation_split 2": FITTED + "m.fit(x, y, validation_split=2.0, verbose=0)",
    "both weights": FITTED + "m.fit(x, y, class_weight={0: 1.0}, sample_weight=np.ones(8), verbose=0)",
    "wrong input width": FITTED + "m.fit(np.ones((8, 4), 'f'), y, verbose=0)",
    "wrong target width": FITTED + "m.fit(x, np.ones((8, 3), 'f'), verbose=0)",
    "predict wrong width": FITTED + "m.predict(np.ones((8, 4), 'f'), verbose=0)",
    "save ending": MODEL + "m.save('x.model')",
    "weights ending": MODEL + "m.save_weights('x.h5')",
    "load missing": "keras.models.load_model('/nowhere/x.keras')",
    "from_config unknown": "keras.layers.Dense.from_config({'units': 2, 'colour': 'red'})",
    "unknown class": "keras.saving.deserialize_keras_object("
    "{'module': 'keras.layers', 'class_name': 'Nothing', 'config': {}, 'registered_name': None})",
    "lambda code": "keras.saving.deserialize_keras_object({'class_name': '__lambda__', 'config': {'value': ''}})",
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(oracle, case):
    source = REFUSED[case] + "\nresult = None"
    with pytest.raises(KerasError) as theirs:
        oracle("run_script", source=source)
    # Where Keras lets a bad shape pass to JAX, the kind is JAX's; ours is a ValueError or TypeError then.
    kinds = [k for k in theirs.value.kinds if k in ("ValueError", "TypeError", "KeyError", "AttributeError")]
    kinds = kinds if "/keras/src/" in theirs.value.place else []
    kind = getattr(builtins, kinds[0]) if kinds else (ValueError, TypeError)
    with pytest.raises(kind) as raised:
        ours(source)
    assert len(str(raised.value)) > 20, "an error says what it is about"
