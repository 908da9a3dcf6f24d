// Softmax over the last axis, and cross-entropies that include it. Reference: ir/ops/softmax.py,
// *softmax_crossentropy.py, in_top_k.py. float32; labels int32.
//
// Each row of C classes is done alone, its largest element subtracted first: its bits depend on the row only. An
// infinite or NaN logit that makes the largest infinite or NaN gives NaN, as the formula does. A label outside 0 <=
// label < C gives a NaN loss, a gradient of zero, and is in no top k; nothing is read for it.
//
// Results may lie exactly on an input of the same dims (softmax, log_softmax, their gradients, dlogits and dtargets).
//
// Bounds, with eps = 2^-24, L = log sum exp(x - max), d = max - x, and a sum of C terms less than a = min(32, C/4) +
// C/64 + 5 additions deep: softmax (6 + d + a) eps relative; log_softmax and losses (4 (d + L + 1) + a) eps.
#pragma once
