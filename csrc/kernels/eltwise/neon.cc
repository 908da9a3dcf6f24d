#define STRIATE_FAMILY eltwise
#include "kernels/eltwise/generic.h"
#define STRIATE_KERNELS_INC "kernels/eltwise/kernels.inc"
#include "base/family.inc"
