// Batch normalisation over all axes but the last, seen as a matrix x of R rows and C channels. Reference:
// ir/ops/batch_norm.py. float32, rank 1 to 8.
//
//   batch_norm_train       mean and variance by blocks: each block's mean, then the squares about that mean (two passes
//   over
//                          a block that lies in L2), joined in float64 by Chan, Golub and LeVeque's rule (1979).
//   batch_norm_train_grad  the two sums by blocks, joined in float64
//   batch_norm_infer       (x - mean) (gamma / sqrt(variance + epsilon)) + beta; an element's bits depend on it and its
//   channel
//
// y may lie exactly on x, and dx on g or x. The statistics lie on nothing.
//
// Bounds, eps = 2^-24: mean 101 eps mean|x|; variance 220 eps (variance + mean|x| deviation) + (101 eps mean|x|)^2;
// y given the statistics: 6 eps (|x - mean| |gamma| / sqrt(variance + epsilon) + |beta|).
#pragma once
