"""What other tools have and archdsl has no operator for, and what comes nearest."""

from __future__ import annotations

from collections.abc import Mapping

_FLAT_IMAGE = "a sequence is an image of one row: `conv 64 k=[1, 3]`, `maxpool [1, 2]`, `pad [0, 0, 1, 1]`"
_VOLUME = "a map has two axes beside the channels: cut a volume into slices, or fold its depth into the channels"
_LOSS = "a loss is chosen when a network is trained: the network ends in what it compares, as in `fc 10`"
_ATTENTION = (
    "it is made of steps: `fc 64` for queries, keys and values, `matmul { @queries; @keys }`, `softmax axis=last` and "
    "`matmul { pass; @values }`, with `permute [1, 0]` between"
)
_RECURRENT = "nothing is carried from one position to the next; `conv 64 k=[1, 9]` sees a part of a sequence"
_CONTAINER = "write the steps themselves; `{ conv 8; relu }` is a level of its own, and a block one with a name"
_SPLIT = "write `split 2 concat { conv 8; conv 8 }` with a branch for each part, or `slice 0 8` for one of them"
_WEIGHTS = "a step owns its weights: write `conv 64 k=3`, `fc 10` or `norm`"
_TABLE = "inputs are numbers and no indices; a table that is multiplied is `fc 64 bias=false`"
_MATRIX = (
    "write a product of two labelled steps, `matmul { @a; @b }`, or with names for their axes "
    '`einsum "c n, c m -> n m" { @a; @b }`'
)
_AXIS = "write `reshape [16, -1]` with the sizes behind the batch"
_OPEN = "the network has no result but what flows; write what computes it as steps"

_ABSENT: Mapping[str, tuple[str, ...]] = {
    _FLAT_IMAGE: (
        "AdaptiveAvgPool1d", "AdaptiveMaxPool1d", "AvgPool1d", "CircularPad1d", "ConstantPad1d", "Conv1d",
        "ConvTranspose1d", "Dropout1d", "InstanceNorm1d", "LPPool1d", "LazyConv1d", "LazyConvTranspose1d",
        "LazyInstanceNorm1d", "MaxPool1d", "ReflectionPad1d", "ReplicationPad1d", "ZeroPad1d", "Conv1D",
        "Conv1DTranspose", "SeparableConv1D", "DepthwiseConv1D", "MaxPooling1D", "AveragePooling1D",
        "GlobalAveragePooling1D", "GlobalMaxPooling1D", "UpSampling1D", "ZeroPadding1D", "Cropping1D",
        "SpatialDropout1D", "conv1d", "conv_transpose1d", "max_pool1d", "avg_pool1d",
    ),
    _VOLUME: (
        "AdaptiveAvgPool3d", "AdaptiveMaxPool3d", "AvgPool3d", "BatchNorm3d", "CircularPad3d", "ConstantPad3d",
        "Conv3d", "ConvTranspose3d", "Dropout3d", "InstanceNorm3d", "LPPool3d", "LazyBatchNorm3d", "LazyConv3d",
        "LazyConvTranspose3d", "LazyInstanceNorm3d", "MaxPool3d", "FractionalMaxPool3d", "MaxUnpool3d",
        "ReflectionPad3d", "ReplicationPad3d", "ZeroPad3d", "Conv3D", "Conv3DTranspose", "MaxPooling3D",
        "AveragePooling3D", "GlobalAveragePooling3D", "GlobalMaxPooling3D", "UpSampling3D", "ZeroPadding3D",
        "Cropping3D", "SpatialDropout3D", "conv3d", "conv_transpose3d", "max_pool3d", "avg_pool3d",
    ),
    _LOSS: (
        "AdaptiveLogSoftmaxWithLoss", "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss",
        "CrossEntropyLoss", "GaussianNLLLoss", "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss",
        "LinearCrossEntropyLoss", "LinearCrossEntropyOptions", "MSELoss", "MarginRankingLoss",
        "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "NLLLoss2d",
        "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
        "cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy",
        "binary_cross_entropy_with_logits", "kl_div", "ActivityRegularization",
    ),
    "write `fc 16` behind `flatten` in both branches, and compare their results outside": (
        "CosineSimilarity", "PairwiseDistance", "cosine_similarity", "pairwise_distance", "cdist", "Dot",
    ),
    _ATTENTION: (
        "MultiheadAttention", "MultiHeadAttention", "Transformer", "TransformerDecoder", "TransformerDecoderLayer",
        "TransformerEncoder", "TransformerEncoderLayer", "Attention", "AdditiveAttention", "GroupQueryAttention",
        "scaled_dot_product_attention", "multi_head_attention_forward",
    ),
    _RECURRENT: (
        "GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase", "SimpleRNN",
        "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "SimpleRNNCell", "StackedRNNCells",
        "TimeDistributed",
    ),
    _CONTAINER: (
        "Container", "Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential",
        "DataParallel", "DistributedDataParallel",
    ),
    "write `param [1, 64]`, or `scale` and `offset axis=channels` for what is multiplied and added": (
        "Parameter", "UninitializedParameter",
    ),
    "write `constant [1, 2, 3]`": ("Buffer", "UninitializedBuffer", "register_buffer"),
    "write `scale`, a learned factor for each channel": ("LayerScale",),
    _TABLE: (
        "Embedding", "EmbeddingBag", "embedding", "one_hot", "StringLookup", "TextVectorization", "CategoryEncoding",
        "Discretization", "HashedCrossing", "Hashing", "IntegerLookup",
    ),
    _WEIGHTS: (
        "conv2d", "conv_transpose2d", "linear", "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm",
        "prelu", "bilinear",
    ),
    _SPLIT: ("chunk", "split", "unbind", "tensor_split", "narrow"),
    "write `index [0, 2] axis=0` with the places, or `index 0 axis=0` for one": ("index_select", "gather"),
    _AXIS: ("view", "view_as", "unsqueeze", "squeeze"),
    "write `permute [1, 2, 0]` with the order of the axes behind the batch, the channels 0": (
        "transpose", "swapaxes", "movedim",
    ),
    _MATRIX: ("bmm", "mm", "tensordot", "EinsumDense", "baddbmm", "Bilinear"),
    "write `pixel_shuffle 2`, which makes a block of each position; `deconv 8 k=4 p=1` adds up what overlaps": (
        "Fold", "fold",
    ),
    "write `pixel_unshuffle 2`, which makes channels of each block; windows that overlap are read by `conv 64`": (
        "Unfold", "unfold",
    ),
    "write `upsample 2`, or `deconv 8` for one with weights; a pool gives its values only": (
        "MaxUnpool1d", "MaxUnpool2d", "max_unpool2d",
    ),
    "write `maxpool 2`, or `adaptive_maxpool 7` for a size": ("FractionalMaxPool2d", "fractional_max_pool2d"),
    "write `lrn 5`, which sums the same channels for an odd size": ("CrossMapLRN2d",),
    "write `times (-1); softmax`": ("Softmin", "softmin"),
    "write `upsample size=[224, 224] mode=bilinear`": ("Resizing", "resize", "grid_sample", "affine_grid"),
    "write `batch`, `layer` or `rms`; `normalize` makes vectors of length one": ("UnitNormalization", "Normalization"),
    "write the layer alone, as in `conv 64 k=3`: its weights are what they are, and not normalised": (
        "SpectralNormalization", "weight_norm", "spectral_norm", "WeightNorm", "SpectralNorm", "orthogonal",
        "WeightNormalization",
    ),
    "write `se 8`, with the channels that it is squeezed to": (
        "SqueezeExcitation", "SqueezeExcite", "SEModule", "SELayer", "SEBlock",
    ),
    "write `cna 64 k=3`: a convolution, `norm` and `act`": (
        "ConvNormActivation", "Conv2dNormActivation", "ConvNormAct", "ConvBnAct", "ConvModule", "BasicConv2d",
    ),
    "write `dropout 0.5`: noise sets values at random": (
        "GaussianNoise", "GaussianDropout", "gumbel_softmax", "ActivityNoise",
    ),
    "write `add { @a; @b }` and `times 0.5` behind it": ("Average",),
    "write `times (-1)` in each branch of `maximum { @a; @b }`, and once more behind it": ("Minimum", "minimum"),
    "write the operators that it stands for": ("Lambda", "Masking", "Wrapper", "LocallyConnected2D"),
    "write a join of labelled steps, as in `add { @a; @b }`, `mul { @a; @b }` or `concat { @a; @b }`": (
        "Add", "Multiply", "Concatenate", "Subtract", "Maximum",
    ),
    "write `for i in 0..3 { conv 8 }`, whose turns are known, or `conv 8 x 4`": ("while",),
    "what prepares images is the training's": (
        "CenterCrop", "RandomCrop", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast",
        "RandomTranslation",
    ),
    "write `max axis=channels keep=true`": ("amax",),
    _OPEN: ("argmax", "expand", "RepeatVector", "topk", "repeat_interleave"),
    "write `concat { @a; @b }`, and `reshape [2, -1]` for an axis of its own": ("stack", "hstack", "vstack", "dstack"),
}  # fmt: skip

_NEAREST = {name: help for help, names in _ABSENT.items() for name in names}


def nearest_to(name: str) -> str | None:
    """Say what comes nearest to what archdsl has no operator for; None for a name that is not known."""
    return _NEAREST.get(name)


def absent_names() -> frozenset[str]:
    """Return the names of what archdsl has no operator for."""
    return frozenset(_NEAREST)
