#define STRIATE_FAMILY move
#include "kernels/move/generic.h"
#define STRIATE_KERNELS_INC "kernels/move/kernels.inc"
#include "base/family.inc"
