#define STRIATE_FAMILY reduce
#include "kernels/reduce/generic.h"
#define STRIATE_KERNELS_INC "kernels/reduce/kernels.inc"
#include "base/family.inc"
