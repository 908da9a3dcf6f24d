#define STRIATE_FAMILY sample
#include "kernels/sample/generic.h"
#define STRIATE_KERNELS_INC "kernels/sample/kernels.inc"
#include "base/family.inc"
