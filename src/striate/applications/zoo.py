"""The architectures by name: when each was published and where, how it is made, and what it should count.

One record each; commands, tests and pages read this table. What a network costs is counted on the model itself
(`models/measure.py`); `parameters` is what others say, with who says it, and a test compares.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

from striate.core.public_names import PUBLIC

KERAS = "Keras 3.15.1, count_params()"
_KRIZHEVSKY = "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks"
_LECUN = "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition"
_VGG = "Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition"
_RESNET = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition"
_RESNET_V2 = "He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks"
_MOBILENET = "Howard et al.: MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications"
_MOBILENET_V2 = "Sandler et al.: MobileNetV2: Inverted Residuals and Linear Bottlenecks"
_SE = "Hu, Shen, Sun: Squeeze-and-Excitation Networks"
_DENSENET = "Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks"
_MOBILENET_V3 = "Howard et al.: Searching for MobileNetV3"
_EFFICIENTNET = "Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"

Size = tuple[int, int, int]


@dataclass(frozen=True)
class Architecture:
    """A network that Striate has.

    Args:
        name: as commands know it.
        year, paper: where it was published.
        constructor: in `striate.applications`.
        image: (height, width, channels) that it was published for.
        least: the smallest square, in pixels, that its tests give it.
        parameters: how many it should have, all weights counted, by `source`.
        arguments: of the constructor, beside name and input_shape.
    """

    name: str
    year: int
    paper: str
    constructor: str
    image: Size
    least: int
    parameters: int
    source: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Where it is written down, below src/striate."""
        module = PUBLIC[f"applications.{self.constructor}"][0]
        return "/".join(module.split(".")[1:]) + ".py"

    @property
    def family(self) -> str:
        return self.file.rpartition("/")[2].removesuffix(".py")

    @property
    def takes_bytes(self) -> bool:
        """Whether the network itself scales images, which it takes as 0 to 255."""
        from striate.applications.imagenet_utils import preprocess_inside

        module = importlib.import_module(PUBLIC[f"applications.{self.constructor}"][0])
        return getattr(module, "preprocess_input", None) is preprocess_inside

    def make(self, **more: Any) -> Any:
        """The model, not compiled, with random weights; `more` goes before the record's own arguments."""
        module, attribute = PUBLIC[f"applications.{self.constructor}"]
        given = {"name": self.name, "input_shape": self.image, **self.arguments, **more}
        return getattr(importlib.import_module(module), attribute)(**given)


def _keras(
    name: str, year: int, paper: str, constructor: str, parameters: int, size: int = 224, least: int = 32
) -> Architecture:
    """One that Keras has as well."""
    return Architecture(name, year, paper, constructor, (size, size, 3), least, parameters, KERAS, {"weights": None})


_ALL = (
    Architecture(
        "lenet5-1998", 1998, _LECUN, "LeNet5", (32, 32, 1), 32, 60_840, "the paper's 60,000 and 10 codes of 84",
        {"variant": "1998"},
    ),
    Architecture(
        "lenet5", 1998, _LECUN, "LeNet5", (28, 28, 1), 28, 61_706, "counted by hand, docs/results/architectures.md",
        {"variant": "modern", "include_preprocessing": True},
    ),
    Architecture(
        "alexnet", 2012, _KRIZHEVSKY, "AlexNet", (227, 227, 3), 67, 60_965_224,
        "counted by hand, applications/alexnet.py", {"variant": "2012"},
    ),
    Architecture(
        "alexnet-one-tower", 2014, "Krizhevsky: One Weird Trick for Parallelizing Convolutional Neural Networks",
        "AlexNet", (224, 224, 3), 63, 61_100_840, "torchvision's alexnet", {"variant": "one-tower"},
    ),
    Architecture(
        "nin", 2013, "Lin, Chen, Yan: Network In Network", "NiN", (32, 32, 3), 32, 966_986,
        "counted by hand on the published Caffe model's sizes, tests/applications/test_small.py",
    ),
    Architecture(
        "all-cnn", 2014, "Springenberg et al.: Striving for Simplicity: The All Convolutional Net", "AllCNN",
        (32, 32, 3), 32, 1_369_738, "counted by hand on the paper's tables 1 and 2, tests/applications/test_small.py",
    ),
    Architecture(
        "googlenet", 2014, "Szegedy et al.: Going Deeper with Convolutions", "GoogLeNet", (224, 224, 3), 65, 6_998_552,
        "sizes of the paper's table 1, counted by hand in tests/applications/test_googlenet.py",
    ),
    Architecture("vgg11", 2014, _VGG, "VGG11", (224, 224, 3), 32, 132_863_336, "torchvision's vgg11"),
    Architecture("vgg13", 2014, _VGG, "VGG13", (224, 224, 3), 32, 133_047_848, "torchvision's vgg13"),
    _keras("vgg16", 2014, _VGG, "VGG16", 138_357_544),
    _keras("vgg19", 2014, _VGG, "VGG19", 143_667_240),
    Architecture(
        "resnet18", 2015, _RESNET, "ResNet18", (224, 224, 3), 32, 11_699_112,
        "torchvision's resnet18, 11,689,512, and 9,600 moving statistics",
    ),
    Architecture(
        "resnet34", 2015, _RESNET, "ResNet34", (224, 224, 3), 32, 21_814_696,
        "torchvision's resnet34, 21,797,672, and 17,024 moving statistics",
    ),
    Architecture(
        "resnet20", 2015, _RESNET, "ResNet20", (32, 32, 3), 32, 271_098,
        "counted by hand, 269,722 (the paper: 0.27M) and 1,376 moving statistics",
    ),
    Architecture(
        "resnet56", 2015, _RESNET, "ResNet56", (32, 32, 3), 32, 857_082,
        "counted by hand, 853,018 (the paper: 0.85M) and 4,064 moving statistics",
    ),
    _keras("resnet50", 2015, _RESNET, "ResNet50", 25_636_712),
    _keras("resnet101", 2015, _RESNET, "ResNet101", 44_707_176),
    _keras("resnet152", 2015, _RESNET, "ResNet152", 60_419_944),
    _keras(
        "inceptionv3", 2015, "Szegedy et al.: Rethinking the Inception Architecture for Computer Vision", "InceptionV3",
        23_851_784, 299, 75,
    ),
    _keras("resnet50v2", 2016, _RESNET_V2, "ResNet50V2", 25_613_800),
    _keras("resnet101v2", 2016, _RESNET_V2, "ResNet101V2", 44_675_560),
    _keras("resnet152v2", 2016, _RESNET_V2, "ResNet152V2", 60_380_648),
    Architecture(
        "squeezenet", 2016, "Iandola et al.: SqueezeNet: AlexNet-Level Accuracy with 50x Fewer Parameters",
        "SqueezeNet", (227, 227, 3), 35, 1_248_424, "the paper's table 1; torchvision's squeezenet1_0",
    ),
    _keras("densenet121", 2016, _DENSENET, "DenseNet121", 8_062_504),
    _keras("densenet169", 2016, _DENSENET, "DenseNet169", 14_307_880),
    _keras("densenet201", 2016, _DENSENET, "DenseNet201", 20_242_984),
    _keras(
        "xception", 2016, "Chollet: Xception: Deep Learning with Depthwise Separable Convolutions", "Xception",
        22_910_480, 299, 71,
    ),
    _keras("mobilenet", 2017, _MOBILENET, "MobileNet", 4_253_864),
    Architecture(
        "seresnet50", 2017, _SE, "SEResNet50", (224, 224, 3), 32, 28_141_144,
        "torchvision's resnet50, 25,557,032, 2,530,992 in the blocks, and 53,120 moving statistics",
    ),
    _keras("mobilenetv2", 2018, _MOBILENET_V2, "MobileNetV2", 3_538_984),
    Architecture(
        "lecture", 2019, "Geron: Hands-On Machine Learning, 2nd ed., chapter 14", "LectureModel", (28, 28, 1), 28,
        1_413_834, KERAS,
    ),
    _keras("mobilenetv3-small", 2019, _MOBILENET_V3, "MobileNetV3Small", 2_554_968),
    _keras("mobilenetv3-large", 2019, _MOBILENET_V3, "MobileNetV3Large", 5_507_432),
    _keras("efficientnetb0", 2019, _EFFICIENTNET, "EfficientNetB0", 5_330_571),
    _keras("efficientnetb1", 2019, _EFFICIENTNET, "EfficientNetB1", 7_856_239, 240),
    _keras("efficientnetb2", 2019, _EFFICIENTNET, "EfficientNetB2", 9_177_569, 260),
    _keras("efficientnetb3", 2019, _EFFICIENTNET, "EfficientNetB3", 12_320_535, 300),
    _keras("convnext-tiny", 2022, "Liu et al.: A ConvNet for the 2020s", "ConvNeXtTiny", 28_589_128),
)  # fmt: skip

#: name -> record, by year
ZOO: dict[str, Architecture] = {a.name: a for a in _ALL}
