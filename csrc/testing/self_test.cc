#include "testing/self_test.h"

#include <stdexcept>

#include "testing/step.h"

namespace striate {
namespace {

// y = x + 1 over 300 floats in pieces of 100, and what may go wrong with it.
constexpr int64_t kPiece = 100, kPieces = 3;

void right(const StepArgs& args, int64_t piece, unsigned char*) {
  for (int64_t i = piece * kPiece; i < (piece + 1) * kPiece; ++i) args.ptr<float>(1)[i] = args.ptr<float>(0)[i] + 1;
}
void leaves_one_out(const StepArgs& args, int64_t piece, unsigned char*) {
  for (int64_t i = piece * kPiece; i < (piece + 1) * kPiece; ++i) {
    if (i != 299) args.ptr<float>(1)[i] = args.ptr<float>(0)[i] + 1;
  }
}
void changes_its_input(const StepArgs& args, int64_t piece, unsigned char* scratch) {
  right(args, piece, scratch);
  args.ptr<float>(0)[piece] = 7;
}
void needs_the_piece_before(const StepArgs& args, int64_t piece, unsigned char* scratch) {
  right(args, piece, scratch);
  if (piece > 0) args.ptr<float>(1)[piece * kPiece] = args.ptr<float>(1)[piece * kPiece - 1];
}
void keeps_things_in_its_scratch(const StepArgs& args, int64_t piece, unsigned char* scratch) {
  right(args, piece, scratch);
  if (piece == kPieces - 1) args.ptr<float>(1)[299] = scratch[0];
  scratch[0] = 1;
}
void overruns_its_scratch(const StepArgs& args, int64_t piece, unsigned char* scratch) {
  right(args, piece, scratch);
  scratch[40] = 1;
}

bool found_out(PhaseFn fn) {
  OwnedSpec spec;
  spec.n_inputs = spec.n_outputs = 1;
  for (int i = 0; i < 2; ++i) spec.add_operand(static_cast<int64_t>(DType::kF32), {kPiece * kPieces});
  StepPlan plan;
  plan.add_phase(fn, kPieces);
  plan.scratch_bytes = kPieces * sizeof(float);
  plan.thread_scratch_bytes = 40;
  const std::vector<Bytes> inputs{Bytes(kPiece * kPieces * sizeof(float), 0)};
  try {
    const std::vector<Bytes> first = run_step(spec, plan, inputs, {Order::kForward, true, 0xa5});
    return run_step(spec, plan, inputs, {Order::kBackward, false, 0xff}) != first ||
           run_step(spec, plan, inputs, {Order::kThreads, true, 0x3f}) != first;
  } catch (const std::runtime_error&) {
    return true;
  }
}

}  // namespace

std::string undetected_fault() {
  if (found_out(right)) return "right";
  const struct {
    const char* name;
    PhaseFn fn;
  } faults[] = {{"leaves one out", leaves_one_out},
                {"changes its input", changes_its_input},
                {"needs the piece before", needs_the_piece_before},
                {"keeps things in its scratch", keeps_things_in_its_scratch},
                {"overruns its scratch", overruns_its_scratch}};
  for (const auto& fault : faults) {
    if (!found_out(fault.fn)) return fault.name;
  }
  return "";
}

}  // namespace striate
