"""`keras.src.testing`, written anew: what Keras's tests say about a layer is checked as Keras documents it."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from absl.testing import parameterized
from demands import LayerTest, seed_generators

from striate import backend
from striate.saving import custom_object_scope, deserialize_keras_object, serialize_keras_object

test_case = sys.modules[__name__]  # keras.src.testing and its test_case.py are one module here
get_seed_generators = seed_generators


def _on_other_hardware() -> bool:
    return False


uses_gpu = uses_tpu = jax_uses_gpu = jax_uses_tpu = _on_other_hardware
tensorflow_uses_gpu = tensorflow_uses_tpu = torch_uses_gpu = _on_other_hardware


def _marked(value: Any) -> Any:
    """A config in which tuples stay different from lists."""
    if isinstance(value, tuple):
        return {"tuple": [_marked(v) for v in value]}
    if isinstance(value, list):
        return [_marked(v) for v in value]
    return {k: _marked(v) for k, v in value.items()} if isinstance(value, dict) else value


def _unmarked(value: dict[str, Any]) -> Any:
    return tuple(value["tuple"]) if set(value) == {"tuple"} else value


def to_json(config: Any) -> str:
    return json.dumps(_marked(config), sort_keys=True, indent=1)


def _public_attributes(thing: Any) -> set[str]:
    return set(dir(thing)) - {"__annotations__"}


class TestCase(parameterized.TestCase):
    """The base of Keras's tests."""

    maxDiff = None

    def setUp(self) -> None:
        backend.clear_session(free_memory=False)
        backend.enable_interactive_logging()

    def get_temp_dir(self) -> str:
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def convert_to_numpy(self, x: Any) -> Any:
        if not isinstance(x, np.ndarray) and (backend.is_tensor(x) or isinstance(x, backend.Variable)):
            return backend.convert_to_numpy(x)
        return np.array(x)

    def assertAllClose(
        self, actual: Any, desired: Any, atol: float = 1e-6, rtol: float = 1e-6, tpu_atol: Any = None,
        tpu_rtol: Any = None, msg: str | None = None,
    ) -> None:  # fmt: skip
        got, wanted = self.convert_to_numpy(actual), self.convert_to_numpy(desired)
        np.testing.assert_allclose(got, wanted, atol=atol, rtol=rtol, err_msg=msg or "")

    def assertNotAllClose(self, x1: Any, x2: Any, atol: float = 1e-6, rtol: float = 1e-6, msg: Any = None) -> None:
        try:
            self.assertAllClose(x1, x2, atol=atol, rtol=rtol)
        except AssertionError:
            return
        self.fail(f"All elements are close. {msg or ''}\n{x1}")

    def assertAlmostEqual(
        self, actual: Any, desired: Any, decimal: int = 3, tpu_decimal: Any = None, msg: str | None = None
    ) -> None:
        got, wanted = self.convert_to_numpy(actual), self.convert_to_numpy(desired)
        np.testing.assert_almost_equal(got, wanted, decimal=decimal, err_msg=msg or "")

    def assertAllEqual(self, actual: Any, desired: Any, msg: str | None = None) -> None:
        got, wanted = self.convert_to_numpy(actual), self.convert_to_numpy(desired)
        np.testing.assert_array_equal(got, wanted, err_msg=msg or "")

    def assertLen(self, iterable: Any, expected_len: int, msg: str | None = None) -> None:
        self.assertEqual(len(iterable), expected_len, msg=msg)

    def assertSparse(self, x: Any, sparse: bool = True) -> None:
        self.assertFalse(sparse, "Striate has no sparse tensors")

    def assertRagged(self, x: Any, ragged: bool = True) -> None:
        self.assertFalse(ragged, "Striate has no ragged tensors")

    def assertDType(self, x: Any, dtype: Any, msg: str | None = None) -> None:
        got = backend.standardize_dtype(x.dtype if hasattr(x, "dtype") else type(x))
        self.assertEqual(got, backend.standardize_dtype(dtype), msg=msg)

    def assertFileExists(self, path: Any) -> None:
        self.assertTrue(Path(path).is_file(), f"There is no file {path}")

    def run_class_serialization_test(self, instance: Any, custom_objects: Any = None) -> Any:
        """get_config -> from_config, and the whole description as JSON, give equal objects; the second is returned."""
        config, attributes = instance.get_config(), _public_attributes(instance)
        with custom_object_scope(custom_objects):
            revived = type(instance).from_config(config)
        self.assertEqual(to_json(config), to_json(revived.get_config()))
        self.assertEqual(attributes, _public_attributes(revived))

        described = json.loads(to_json(serialize_keras_object(instance)), object_hook=_unmarked)
        with custom_object_scope(custom_objects):
            revived = deserialize_keras_object(described)
        self.assertEqual(to_json(config), to_json(revived.get_config()))
        self.assertEqual(attributes, _public_attributes(revived))
        return revived

    def run_layer_test(self, layer_cls: Any, init_kwargs: Any, **expected: Any) -> None:
        """Everything that holds for every layer; see LayerTest for the arguments."""
        LayerTest(self, layer_cls, init_kwargs or {}, **expected).run()
