#define STRIATE_FAMILY optimizer
#include "kernels/optimizer/generic.h"
#define STRIATE_KERNELS_INC "kernels/optimizer/kernels.inc"
#include "base/family.inc"
