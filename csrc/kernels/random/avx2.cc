#define STRIATE_FAMILY random
#include "kernels/random/generic.h"
#define STRIATE_KERNELS_INC "kernels/random/kernels.inc"
#include "base/family.inc"
