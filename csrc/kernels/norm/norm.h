// Batch normalisation over all axes but the last, seen as a matrix x of R rows and C channels. Reference:
// ir/ops/batch_norm.py. float32, rank 1 to 8. Activations: none, relu, relu6.
//
//   batch_norm_train       mean and squares by blocks (base/moments.h: x is read once for them), joined in float64 in
//                          the blocks' order; then y = act(normalised x [+ residual]) in a second pass
//   batch_norm_statistics  the first pass of batch_norm_train, with its bits
//   batch_norm_train_grad  the two sums by blocks in one pass over g and x, joined in float64; then dx in a second
//   pass.
//                          The activation's slope is told from x: what it is on y has the bits of the forward pass
//   batch_norm_infer       act((x - mean) (gamma / sqrt(variance + epsilon)) + beta [+ residual]); an element's bits
//   depend on it and
//                          its channel
//
// y may lie exactly on x or the residual, and dx on g or x. The statistics lie on nothing.
//
// Bounds, eps = 2^-24, s = deviation, R = max |x - mean|: mean eps |mean| + 70 eps (s + R); variance 220 eps (variance
// + s R) + (70 eps (s + R))^2; y given the statistics: 6 eps (|x - mean| |gamma| / sqrt(variance + epsilon) + |beta| +
// |residual|).
#pragma once
