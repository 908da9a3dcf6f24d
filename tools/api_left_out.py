"""What of Keras Striate leaves out on purpose: why -> patterns of names, separated by blanks.

Read by tools/api_table.py, which refuses a pattern that fits nothing any more.
"""

LEFT_OUT = {
    "Sequences and words, for which Striate has no layers: recurrence, attention, embeddings": r"""
        layers\.(Simple)?(RNN|GRU|LSTM)(Cell)? layers\.StackedRNNCells layers\.ConvLSTM[123]D layers\.Bidirectional
        layers\.(Reversible)?Embedding layers\.(\w*Attention) layers\.TextVectorization
        ops\.dot_product_attention datasets\.(imdb|reuters)\.\w+
        (preprocessing\.sequence|utils)\.pad_sequences utils\.text_dataset_from_directory preprocessing\.text_\w+
        config\.\w*flash_attention\w*""",
    "Tables and categories": r"""
        layers\.(CategoryEncoding|Discretization|HashedCrossing|Hashing|IntegerLookup|StringLookup) utils\.FeatureSpace
        datasets\.(boston_housing|california_housing)\.\w+""",
    "Sound and spectra": r"""
        layers\.(MelSpectrogram|STFTSpectrogram) initializers\.(STFT\w*|stft) utils\.audio_dataset_from_directory
        ops\.(stft|istft|i?r?fft2?|extract_sequences|bartlett|blackman|hamming|hanning|kaiser|i0)""",
    "Complex numbers, which tensors of Striate do not hold": r"ops\.(eig|polar|view_as_complex|view_as_real)",
    "Quantization and low rank: float32 is what the engine computes in": r"""
        Quantizer dtype_policies\.(AWQ|GPTQ|Int4|Quantized\w*)DTypePolicy quantizers\.\w+""",
    "Other frameworks' layers, wrappers, files and devices": r"""
        layers\.(FlaxLayer|JaxLayer|TFSMLayer|TorchModuleWrapper) callbacks\.OrbaxCheckpoint export\.\w+ device
        config\.(set_backend|is_nnx_enabled) distribution\.\w+ wrappers\.\w+""",
    "What a program without branches, planned once, has no use for: stateless calls, recomputation": r"""
        StatelessScope SymbolicScope RematScope remat ops\.jvp ops\.associative_scan""",
    "Kept in Keras for older programs only": r"""
        legacy\.saving\.\w+ preprocessing\.image\.\w+
        preprocessing\.\w+_dataset_from_directory preprocessing\.timeseries_dataset_from_array""",
    "Objects of pydot: `utils.plot_model` needs neither it nor Graphviz": r"utils\.model_to_dot",
    "Unsafe by design: a file must never run code": r"config\.enable_unsafe_deserialization",
    "Sends what it sees to a server": r"callbacks\.RemoteMonitor",
    "Ideas that are not convolutional networks'": r"""
        distillation\.\w+ ops\.segment_\w+ optimizers\.Muon""",
}
