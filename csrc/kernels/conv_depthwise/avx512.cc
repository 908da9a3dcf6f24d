#define STRIATE_FAMILY conv_depthwise
#include "kernels/conv_depthwise/generic.h"
#define STRIATE_KERNELS_INC "kernels/conv_depthwise/kernels.inc"
#include "base/family.inc"
