// depthwise_conv2d_moments: each piece gathers the statistics of the rows that it has just written.
#pragma once

#include "base/moments.h"
#include "kernels/conv_depthwise/rows.h"

namespace striate {
namespace {

struct DepthwiseMoments {
  Depthwise d;  // first, so that depthwise_run finds it
  MomentBlocks blocks;
  int result;  // operand that is y; mean and variance come after it
};

// Of block `block` of all images'.
inline void take_block(const StepArgs& args, const DepthwiseMoments& p, int64_t block) {
  const Depthwise& d = p.d;
  const Part rows = part_of(d.rows.out, d.blocks, block % d.blocks);
  const int64_t row = block / d.blocks * d.rows.out + rows.begin;
  const float* y = args.ptr<const float>(p.result) + row * d.cols.out * d.out_channels;
  block_moments(y, d.out_channels, (rows.end - rows.begin) * d.cols.out, d.out_channels,
                p.blocks.at(reinterpret_cast<float*>(args.scratch), block, 0));
}
template <int Inputs>
inline void depthwise_moments_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  depthwise_run<Inputs>(args, piece, thread_scratch);
  take_block(args, args.as<DepthwiseMoments>(), piece);
}
inline void depthwise_moments_join(const StepArgs& args, int64_t piece, unsigned char*) {
  const DepthwiseMoments& p = args.as<DepthwiseMoments>();
  const Depthwise& d = p.d;
  const auto rows_of = [&d](int64_t k) {
    const Part rows = part_of(d.rows.out, d.blocks, k % d.blocks);
    return (rows.end - rows.begin) * d.cols.out;
  };
  join_moments(p.blocks, reinterpret_cast<float*>(args.scratch), piece, rows_of, args.ptr<float>(p.result + 1),
               args.ptr<float>(p.result + 2));
}

}  // namespace
}  // namespace striate
