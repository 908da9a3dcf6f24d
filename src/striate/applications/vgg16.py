"""VGG16 under Keras's name for its module; the network is in `vgg.py`."""

from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_caffe as preprocess_input
from striate.applications.vgg import VGG16 as VGG16

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]
