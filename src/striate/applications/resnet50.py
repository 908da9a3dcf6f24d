"""ResNet50 under a second name that Keras has for its module; the network is in `resnet.py`."""

from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_caffe as preprocess_input
from striate.applications.resnet import ResNet50 as ResNet50

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
