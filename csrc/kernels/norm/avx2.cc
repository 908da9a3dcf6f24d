#define STRIATE_FAMILY norm
#include "kernels/norm/generic.h"
#define STRIATE_KERNELS_INC "kernels/norm/kernels.inc"
#include "base/family.inc"
