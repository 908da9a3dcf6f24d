#define STRIATE_FAMILY conv_direct
#include "kernels/conv_direct/generic.h"
#define STRIATE_KERNELS_INC "kernels/conv_direct/kernels.inc"
#include "base/family.inc"
