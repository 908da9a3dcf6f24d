#define STRIATE_FAMILY gemm
#include "kernels/gemm/generic.h"
#define STRIATE_KERNELS_INC "kernels/gemm/kernels.inc"
#include "base/family.inc"
