#define STRIATE_FAMILY softmax
#include "kernels/softmax/generic.h"
#define STRIATE_KERNELS_INC "kernels/softmax/kernels.inc"
#include "base/family.inc"
