"""What `fit`, `evaluate` and `predict` call as they go."""

from __future__ import annotations

from striate.callbacks.backup import BackupAndRestore, Resumption
from striate.callbacks.base import Callback
from striate.callbacks.callback_list import CallbackList
from striate.callbacks.checkpoint import ModelCheckpoint
from striate.callbacks.csv_logger import CSVLogger
from striate.callbacks.early_stopping import EarlyStopping
from striate.callbacks.history import History
from striate.callbacks.lambda_callback import LambdaCallback
from striate.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from striate.callbacks.monitor import MonitorCallback
from striate.callbacks.progbar import Progbar, ProgbarLogger
from striate.callbacks.swap_ema import SwapEMAWeights
from striate.callbacks.tensorboard import TensorBoard
from striate.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "MonitorCallback",
    "Progbar",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "Resumption",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
