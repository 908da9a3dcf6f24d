"""From a Graph to a Program: in which order, by which kernels, where in memory."""
