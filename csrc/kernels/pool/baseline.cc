#define STRIATE_FAMILY pool
#include "kernels/pool/generic.h"
#define STRIATE_KERNELS_INC "kernels/pool/kernels.inc"
#include "base/family.inc"
