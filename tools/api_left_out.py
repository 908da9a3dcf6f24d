"""What of Keras Striate leaves out on purpose, and what is to come: why -> patterns of names, separated by blanks.

Read by tools/api_table.py, which refuses a pattern that fits nothing any more.
"""

LEFT_OUT = {
    "Sequences and words, for which Striate has no layers: recurrence, attention, embeddings": r"""
        layers\.(Simple)?(RNN|GRU|LSTM)(Cell)? layers\.StackedRNNCells layers\.ConvLSTM[123]D layers\.Bidirectional
        layers\.(Reversible)?Embedding layers\.(\w*Attention) layers\.TextVectorization
        ops\.dot_product_attention datasets\.(imdb|reuters)\.\w+
        (preprocessing\.sequence|utils)\.pad_sequences utils\.text_dataset_from_directory preprocessing\.text_\w+
        utils\.timeseries_dataset_from_array
        config\.\w*flash_attention\w*""",
    "Tables and categories": r"""
        layers\.(CategoryEncoding|Discretization|HashedCrossing|Hashing|IntegerLookup|StringLookup) utils\.FeatureSpace
        datasets\.(boston_housing|california_housing)\.\w+""",
    "Sound and spectra": r"""
        layers\.(MelSpectrogram|STFTSpectrogram) initializers\.(STFT\w*|stft) utils\.audio_dataset_from_directory
        ops\.(stft|istft|i?r?fft2?|extract_sequences|bartlett|blackman|hamming|hanning|kaiser|i0)""",
    "Complex numbers, which tensors of Striate do not hold": r"ops\.(eig|polar|view_as_complex|view_as_real)",
    "Quantization and low rank: float32 is what the engine computes in": r"""
        Quantizer dtype_policies\.(AWQ|GPTQ|Int4|Quantized\w*)DTypePolicy quantizers\.\w+
        dtype_policies\.DTypePolicyMap""",
    "Loss scaling, which only float16 needs": r"(optimizers|mixed_precision)\.LossScaleOptimizer",
    "Other frameworks' layers, wrappers, files and devices": r"""
        layers\.(FlaxLayer|JaxLayer|TFSMLayer|TorchModuleWrapper) callbacks\.OrbaxCheckpoint export\.\w+ device
        config\.(set_backend|is_nnx_enabled) distribution\.\w+ wrappers\.\w+""",
    "What a program without branches, planned once, has no use for: stateless calls, recomputation": r"""
        StatelessScope SymbolicScope RematScope remat ops\.jvp ops\.associative_scan""",
    "Kept in Keras for older programs only": r"""
        legacy\.saving\.\w+ preprocessing\.image\.\w+
        mixed_precision\.(DType)?Policy (dtype_policies\.)?FloatDTypePolicy
        preprocessing\.\w+_dataset_from_directory preprocessing\.timeseries_dataset_from_array""",
    "Objects of pydot: `utils.plot_model` needs neither it nor Graphviz": r"utils\.model_to_dot",
    "Unsafe by design: a file must never run code": r"config\.enable_unsafe_deserialization",
    "Sends what it sees to a server": r"callbacks\.RemoteMonitor",
    "Ideas that are not convolutional networks'": r"""
        distillation\.\w+ ops\.segment_\w+ optimizers\.Muon""",
    "Optimizers for language models, and for batches of thousands": r"optimizers\.(Adafactor|Lamb|ScheduleFreeAdamW)",
    "Draws of distributions that no layer here needs": r"random\.(beta|binomial|gamma)",
    "Boxes around objects: there are no detectors here": r"""
        utils\.bounding_boxes\.\w+ layers\.MaxNumBoundingBoxes visualization\.\w*bounding_box\w*""",
    "The inside of Keras: graphs of its own, and what hides its own frames in reports of errors": r"""
        Function Operation name_scope config\.\w+_traceback_filtering\w*""",
    "Changes a file's weights by hand; a model that has read them does that too": r"saving\.KerasFileEditor",
    "A dict with attributes: Python's `types.SimpleNamespace`": r"utils\.Config",
    "Which Keras this is: `striate.__version__` says which Striate": r"version",
}

#: not here yet
TO_COME = {
    "Larger members of families that are here": r"applications\.(ConvNeXt\w+|EfficientNetB[4-7])",
    "Families of networks after those that lectures and books take apart": r"""
        applications\.(EfficientNetV2\w+|InceptionResNetV2|NASNet\w+)
        applications\.(efficientnet_v2|inception_resnet_v2|nasnet)\.\w+""",
    "Augmentation beyond the geometry and colours of one image: mixing images, drawing policies, filters": r"""
        layers\.(AugMix|CutMix|MixUp|RandAugment|RandomColorDegeneration|RandomPerspective|ContrastLimited\w+)
        layers\.RandomElasticTransform""",
    "Gradients and loops of one's own, and bits seen as another type": r"ops\.(custom_gradient|vectorize|view)",
    "Products along named axes, which attention is made of": r"layers\.EinsumDense",
    "Galleries, drawn by Matplotlib, which Striate does without (`striate.explain` draws its own figures)": r"""
        visualization\.(draw_segmentation_masks|plot_image_gallery|plot_segmentation_mask_gallery)""",
}
