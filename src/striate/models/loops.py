"""fit, evaluate and predict: steps over batches, with callbacks between them."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from striate import backend
from striate.callbacks import CallbackList, Resumption
from striate.callbacks.progbar import can_redraw
from striate.core.args import whole_number
from striate.core.errors import ArgumentError, StateError
from striate.data import Epochs, make_batches, train_validation_split, unpack_x_y_sample_weight
from striate.models.arithmetic import rounds_to_nearest
from striate.models.collect import Collected
from striate.models.steps import to_logs

#: What a step gave before there was one: a `train_step` that forgets its return gives None.
_NO_BATCH = object()


def _verbosity(verbose: Any) -> int:
    """0 nothing, 1 a redrawn bar, 2 one line an epoch; "auto" is 1 where a line can be redrawn."""
    if verbose == "auto":
        return 1 if can_redraw() else 2
    if verbose not in (0, 1, 2, True, False):
        raise ArgumentError(f"`verbose` is 'auto', 0, 1 or 2. Received: {verbose!r}.")
    return int(verbose)


def _should_validate(epoch: int, validation_freq: Any) -> bool:
    if isinstance(validation_freq, int):
        return (epoch + 1) % validation_freq == 0
    if isinstance(validation_freq, list | tuple | set):
        return epoch + 1 in validation_freq
    raise ArgumentError(
        f"Expected `validation_freq` to be a list or int. Received: validation_freq={validation_freq} of the type "
        f"{type(validation_freq)}."
    )


def _grouped(batches: Iterator[Any], size: int, first: int = 0) -> Iterator[tuple[int, int, list[Any]]]:
    """(first step, last step, batches), `size` batches at a time; those before `first` are passed over."""
    held: list[Any] = []
    for batch in itertools.islice(batches, first, None):
        held.append(batch)
        if len(held) == size:
            yield first, first + size - 1, held
            first += size
            held = []
    if held:
        yield first, first + len(held) - 1, held


class Loops:
    """The loops of a model."""

    _functions: dict[str, Any]
    _validation_epochs: Any
    optimizer: Any
    steps_per_execution: int
    stop_training: bool
    history: Any
    name: Any
    built: Any
    # From Steps, Trainer and Layer.
    _function: Callable[..., Any]
    _prepare: Callable[..., Any]
    _check_labels: Callable[..., Any]

    def _shuffle_key(self, epoch: int, resumed: Resumption | None = None) -> tuple[int, int, int]:
        """What shuffling is keyed by. The optimizer's count is in it, so that a second `fit` takes a new order."""
        if resumed is not None:
            return backend.global_seed(), epoch, resumed.steps_before
        iterations = getattr(self.optimizer, "iterations", None)
        return backend.global_seed(), epoch, 0 if iterations is None else int(np.asarray(iterations))

    @rounds_to_nearest
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train the model for some epochs.

        The order of the samples depends on the seed of `set_random_seed`, the epoch and the steps taken so far, and on
        nothing else. Ctrl-C leaves the model as it is after the last whole step.

        Source: `keras.Model.fit`.

        Args:
            x: arrays, or a PyDataset, generator or iterable that yields (x, y) or (x, y, sample_weight).
            y: targets, where x is arrays.
            batch_size: samples a step, 32 unless given.
            epochs: passes over the data, counted from the start: with initial_epoch=2, epochs=5 trains three.
            verbose: 0 nothing, 1 a progress bar, 2 one line an epoch, "auto" the bar on a terminal and lines elsewhere.
            callbacks: Callbacks.
            validation_split: part of the samples, the last ones, that validates instead of training.
            validation_data: (x, y) or (x, y, sample_weight), or what yields them.
            shuffle: new order of samples each epoch; "batch" shuffles whole batches.
            class_weight: class number -> weight.
            sample_weight: weight of each sample in the loss and in weighted metrics.
            initial_epoch: number of the first epoch.
            steps_per_epoch: batches an epoch; needed for endless generators.
            validation_steps, validation_batch_size: the same for validation.
            validation_freq: validate every so many epochs, or after the epochs in a list (counted from 1).

        Returns:
            A `History`: `.history` holds name -> a value an epoch.

        Raises:
            ValueError: not compiled; arrays of different lengths; class and sample weights both; wrong shapes.
        """
        self._require_compiled()  # type: ignore[attr-defined]
        epochs, initial_epoch = whole_number(epochs, "epochs"), whole_number(initial_epoch, "initial_epoch")
        most = backend.max_epochs()
        if most is not None and most < epochs:
            warnings.warn(f"Limiting epochs to {most}, as config.max_epochs() says.", stacklevel=3)
            epochs = most
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = train_validation_split((x, y, sample_weight), validation_split)
        batches = make_batches(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            shuffle=shuffle,
            class_weight=class_weight,
            steps=steps_per_epoch,
        )
        train_epochs = Epochs(batches, steps_per_epoch)
        first = train_epochs.peek(lambda: self._shuffle_key(initial_epoch))
        self._prepare(first, training=True)
        self._check_labels(getattr(batches, "y", (*first, None)[1]))
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks,
                add_history=True,
                add_progbar=_verbosity(verbose) != 0,
                model=self,
                verbose=_verbosity(verbose),
                epochs=epochs,
                steps=train_epochs.num_batches,
            )
        step = self._function("train")
        self.stop_training = False
        self._validation_epochs = None
        logs: dict[str, Any] = {}
        try:
            callbacks.on_train_begin()
            resumed: Resumption | None = self.__dict__.pop("_resumption", None)  # left by a callback
            if resumed is not None:
                initial_epoch = resumed.epoch
                train_epochs.restart()
            for epoch in range(initial_epoch, epochs):
                self.reset_metrics()  # type: ignore[attr-defined]
                callbacks.on_epoch_begin(epoch)
                logs = self._train_epoch(
                    step, train_epochs, epoch, callbacks, resumed if epoch == initial_epoch else None
                )
                if validation_data is not None and _should_validate(epoch, validation_freq):
                    found = self._validate(
                        validation_data, validation_batch_size or batch_size, validation_steps, callbacks
                    )
                    # All names in one order, as Keras has them: "val_..." stands before "weighted_...".
                    logs = dict(sorted({**logs, **{f"val_{name}": value for name, value in found.items()}}.items()))
                callbacks.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            self._finish_weights()
            callbacks.on_train_end(logs)
        finally:
            self._validation_epochs = None
        return self.history

    def _train_epoch(
        self,
        step: Callable[[Any], Any],
        train_epochs: Epochs,
        epoch: int,
        callbacks: CallbackList,
        resumed: Resumption | None,
    ) -> dict[str, Any]:
        wants_logs = callbacks.wants("on_train_batch_end")
        results: Any = _NO_BATCH
        begun = resumed.batches if resumed is not None else 0
        # The order of an epoch is keyed by the steps before it, not by those before the point of resuming.
        batches = train_epochs.epoch(lambda: self._shuffle_key(epoch, resumed))
        for first, last, group in _grouped(batches, self.steps_per_execution, begun):
            callbacks.on_train_batch_begin(first)
            for batch in group:
                results = step(batch)
            if wants_logs:
                callbacks.on_train_batch_end(last, to_logs(results))
            if self.stop_training:
                break
        if results is _NO_BATCH:
            raise ArgumentError("There is nothing to train on: the data yielded no batches in this epoch.")
        return to_logs(results)

    def _validate(
        self, data: Any, batch_size: int | None, steps: int | None, callbacks: CallbackList
    ) -> dict[str, Any]:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        if self._validation_epochs is None:
            batches = make_batches(x, y, sample_weight, batch_size=batch_size, steps=steps)
            self._validation_epochs = Epochs(batches, steps)
        found: dict[str, Any] = self.evaluate(
            x,
            y,
            batch_size=batch_size,
            sample_weight=sample_weight,
            steps=steps,
            callbacks=callbacks,
            return_dict=True,
            _use_cached_eval_dataset=True,
        )
        return found

    def _finish_weights(self) -> None:
        finalize = getattr(self.optimizer, "finalize_variable_values", None)
        if finalize is not None:
            finalize(self.trainable_variables)  # type: ignore[attr-defined]

    @rounds_to_nearest
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics over data, without training.

        Source: `keras.Model.evaluate`; arguments as for `fit`.

        Returns:
            The loss, or a list of it and the metrics, or with `return_dict` a dictionary.
        """
        self._require_compiled()  # type: ignore[attr-defined]
        cached = kwargs.pop("_use_cached_eval_dataset", False)
        if kwargs:
            raise ArgumentError(f"evaluate() has no argument {', '.join(map(repr, kwargs))}.")
        if cached and self._validation_epochs is not None:
            test_epochs = self._validation_epochs
        else:
            test_epochs = Epochs(make_batches(x, y, sample_weight, batch_size=batch_size, steps=steps), steps)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks,
                add_progbar=_verbosity(verbose) != 0,
                model=self,
                verbose=_verbosity(verbose),
                epochs=1,
                steps=test_epochs.num_batches,
            )
        first = test_epochs.peek((0, 0, 0))
        self._prepare(first, training=False)
        self._check_labels(getattr(test_epochs.batches, "y", (*first, None)[1]))
        step = self._function("test")
        wants_logs = callbacks.wants("on_test_batch_end")
        results: Any = _NO_BATCH
        callbacks.on_test_begin()
        self.reset_metrics()  # type: ignore[attr-defined]
        for first, last, group in _grouped(test_epochs.epoch((0, 0, 0)), self.steps_per_execution):
            callbacks.on_test_batch_begin(first)
            for batch in group:
                results = step(batch)
            if wants_logs:
                callbacks.on_test_batch_end(last, to_logs(results))
            if getattr(self, "stop_evaluating", False):
                break
        if results is _NO_BATCH:
            raise ArgumentError("There is nothing to evaluate: the data yielded no batches.")
        logs = to_logs(results)
        callbacks.on_test_end(logs)
        return logs if return_dict else self._in_order(logs)  # type: ignore[attr-defined]

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The model's outputs over data, as arrays.

        An output does not depend on the batch it is computed in: predict(x[:1]) equals predict(x)[:1] bit for bit.

        Source: `keras.Model.predict`; arguments as for `fit`.

        Raises:
            ValueError: a model without layers; inputs whose shapes do not fit.
        """
        if not self.built and not getattr(self, "_stack", True):
            raise StateError(
                f"The model {self.name!r} has no layers, so there is nothing to predict with. "
                "Add layers with `model.add(layer)`."
            )
        if verbose == 0 and callbacks is None and steps is None and _is_one_batch(x, batch_size):
            # The short way: nothing to cut, nothing to show.
            self._prepare((x,), training=False)
            return self._function("predict")((x,))
        return self._predict_batches(x, batch_size, verbose, steps, callbacks)

    @rounds_to_nearest
    def _predict_batches(self, x: Any, batch_size: int | None, verbose: Any, steps: int | None, callbacks: Any) -> Any:
        batches = make_batches(x, batch_size=batch_size, steps=steps)
        epoch = Epochs(batches, steps)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks,
                add_progbar=_verbosity(verbose) != 0,
                model=self,
                verbose=_verbosity(verbose),
                epochs=1,
                steps=epoch.num_batches,
            )
        self._prepare(epoch.peek((0, 0, 0)), training=False)
        step = self._function("predict")
        collected = Collected(batches.num_samples if epoch.steps_per_epoch is None else None)
        callbacks.on_predict_begin()
        for first, last, group in _grouped(epoch.epoch((0, 0, 0)), self.steps_per_execution):
            callbacks.on_predict_batch_begin(first)
            for batch in group:
                outputs = step(batch[:1])
                collected.add(outputs)
            callbacks.on_predict_batch_end(last, {"outputs": outputs})
            if getattr(self, "stop_predicting", False):
                break
        callbacks.on_predict_end()
        return collected.result()


def _is_one_batch(x: Any, batch_size: int | None) -> bool:
    """Whether `x` can be given to a step as it is."""
    return (
        type(x) is np.ndarray
        and x.dtype == np.float32
        and x.ndim > 0
        and 0 < len(x) <= (batch_size or 32)
        and x.flags.c_contiguous
    )
