"""What is looked for before our public names: helpers of Keras's tests, and parts of ours that are not public."""

from __future__ import annotations

#: frameworks that are not here: importing them works, using them skips the test.
ABSENT = frozenset({"tensorflow", "torch", "jax", "jaxlib", "grain", "flax", "tf_keras", "tensorflow_io"})

#: module of Keras's -> module of ours whose other names it has too.
BEHIND = {
    "keras.src.backend": "striate.backend",
    "keras.src.backend.common": "striate.backend",
    "keras.src.tree": "striate.core.tree",
    "keras.src.random.seed_generator": "striate.random.seed",
}

#: name of Keras's -> "module" or "module:attribute".
NAMES = {
    # Helpers of Keras's tests, written anew
    "keras.src.testing": "own_testing",
    "keras.src.testing.test_case": "own_testing",
    "keras.src.testing.test_utils": "own_testing_utils",
    "keras.src.utils.file_utils": "files",
    # The backend, as far as tests look behind it
    "keras.src.backend.config": "striate.config",
    "keras.src.backend.SUPPORTS_SPARSE_TENSORS": "facade:SUPPORTS_SPARSE_TENSORS",
    "keras.src.backend.SUPPORTS_RAGGED_TENSORS": "facade:SUPPORTS_RAGGED_TENSORS",
    "keras.src.backend.SUPPORTS_COMPLEX_DTYPES": "facade:SUPPORTS_COMPLEX_DTYPES",
    "keras.src.backend.compute_output_spec": "facade:compute_output_spec",
    "keras.src.backend.device": "facade:device",
    "keras.src.backend.random": "striate.random",
    "keras.src.backend.random_seed_dtype": "facade:random_seed_dtype",
    "keras.src.backend.numpy": "striate.ops",
    "keras.src.backend.nn": "striate.ops",
    "keras.src.backend.core": "striate.ops",
    "keras.src.backend.common.dtypes": "facade",
    "keras.src.backend.common.backend_utils": "facade",
    "keras.src.backend.standardize_shape": "facade:standardize_shape",
    "keras.src.utils.io_utils.set_logging_verbosity": "facade:set_logging_verbosity",
    "keras.src.utils.io_utils.disable_interactive_logging": "striate.config:disable_interactive_logging",
    "keras.src.utils.io_utils.enable_interactive_logging": "striate.config:enable_interactive_logging",
    # Public things of ours that Keras's sources keep elsewhere
    "keras.src.dtype_policies.dtype_policy.dtype_policy": "striate.config:dtype_policy",
    "keras.src.dtype_policies.dtype_policy.set_dtype_policy": "striate.config:set_dtype_policy",
    "keras.src.trainers.data_adapters.py_dataset_adapter.PyDataset": "striate.utils:PyDataset",
    "keras.src.ops.random": "striate.random",
    "keras.src.saving.saving_lib.save_weights_only": "striate.saving:save_weights",
    "keras.src.saving.saving_lib.load_weights_only": "striate.saving:load_weights",
    "keras.src.saving.object_registration.GLOBAL_CUSTOM_NAMES": "striate.backend.custom_objects:_names",
    "keras.src.saving.saving_lib._CONFIG_FILENAME": "striate.saving.members:CONFIG",
    "keras.src.saving.saving_lib._METADATA_FILENAME": "striate.saving.members:METADATA",
    "keras.src.legacy.saving.legacy_h5_format.save_model_to_hdf5": "striate.saving:save_model",
    # Other frameworks, where Keras imports them when they are used
    "keras.src.utils.module_utils.tensorflow": "tensorflow",
    # Parts of ours that are not public
    "keras.src.regularizers.regularizers.validate_float_arg": "striate.regularizers:_penalty",
    "keras.src.initializers.random_initializers.compute_fans": "striate.initializers.scaled:compute_fans",
    "keras.src.callbacks.MonitorCallback": "striate.callbacks:MonitorCallback",
    "keras.src.utils.naming.auto_name": "striate.backend:auto_name",
    "keras.src.utils.naming.to_snake_case": "striate.backend:to_snake_case",
    "keras.src.utils.naming.get_uid": "striate.backend:get_uid",
    "keras.src.utils.naming.uniquify": "striate.backend:unique_name",
    "keras.src.utils.summary_utils.print_summary": "facade:print_summary",
    "keras.src.utils.naming.reset_uids": "striate.backend:clear_session",
}
