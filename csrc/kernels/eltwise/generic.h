// Elementwise kernels. The contract is in eltwise.h, the work common to all in driver.h.
#pragma once

#include "kernels/eltwise/convert.h"
