#define STRIATE_FAMILY conv_winograd
#include "kernels/conv_winograd/generic.h"
#define STRIATE_KERNELS_INC "kernels/conv_winograd/kernels.inc"
#include "base/family.inc"
