"""VGG19 under Keras's name for its module; the network is in `vgg.py`."""

from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_caffe as preprocess_input
from striate.applications.vgg import VGG19 as VGG19

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
