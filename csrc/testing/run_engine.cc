// The engine from many threads at once, for ThreadSanitizer and AddressSanitizer:
//
//   run_engine FILE [seconds N]
//
// Programs made of a file's cases are compiled and run from several threads while others change the number of workers,
// give arenas back and time steps; every result must be the one that a single thread gives. Then the lock of Variables.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <thread>

#include "base/pool.h"
#include "engine/arena.h"
#include "engine/executable.h"
#include "engine/registry.h"
#include "engine/state_lock.h"
#include "testing/cases.h"
#include "testing/guarded.h"

namespace striate {
namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<unsigned char>;
std::atomic<int> g_failures{0};

void fail(const std::string& what) {
  std::printf("FAILED %s\n", what.c_str());
  g_failures.fetch_add(1);
}

// The case twice over: once into the arena, once into externals.
struct Job {
  const Case* c;
  ProgramDecl decl;
  std::unique_ptr<Executable> program;
  std::vector<Bytes> wanted;
};

ProgramDecl program_of(const Case& c, const char* kernel) {
  ProgramDecl program;
  StepDecl step;
  step.kernel = kernel;
  step.spec = c.spec;
  uint64_t used = 0;
  for (const Operand& o : c.spec.operands) {
    const bool is_result = step.places.size() >= static_cast<size_t>(c.spec.n_inputs);
    program.externals.push_back({operand_bytes(o), is_result, false});
    step.places.push_back({static_cast<int64_t>(program.externals.size()), 0});
  }
  StepDecl first = step;
  for (int i = 0; i < c.spec.n_outputs; ++i) {
    const size_t at = static_cast<size_t>(c.spec.n_inputs + i);
    first.places[at] = {0, used};
    used += (operand_bytes(c.spec.operands[at]) + 63) / 64 * 64;
  }
  program.arena_bytes = used;
  program.steps = {first, step};
  program.steps[0].guard = 0;
  return program;
}

std::vector<Bytes> run_job(const Job& job, const Executable& program) {
  std::vector<Bytes> results;
  for (int i = 0; i < job.c->spec.n_outputs; ++i)
    results.emplace_back(operand_bytes(job.c->spec.operands[static_cast<size_t>(job.c->spec.n_inputs + i)]) + 1, 0x5c);
  std::vector<void*> bases(1);
  for (const Bytes& x : job.c->inputs) bases.push_back(const_cast<unsigned char*>(x.data()));
  for (Bytes& r : results) bases.push_back(r.data());
  const unsigned char guards[] = {1};
  program.run(bases.data(), guards);
  return results;
}

std::vector<Job> make_jobs(const std::vector<Case>& cases) {
  std::vector<Job> jobs;
  std::mt19937 random(7);
  for (const Case& c : cases) {
    if (random() % 16 != 0) continue;
    for (const KernelRow& row : kernels()) {
      StepPlan plan;
      if (row.op != c.op || row.prepare(c.spec.view(), &plan) != nullptr) continue;
      Job job{&c, program_of(c, row.name), nullptr, {}};
      job.program = std::make_unique<Executable>(job.decl);
      jobs.push_back(std::move(job));
      break;
    }
  }
  set_pool_threads(1);
  for (Job& job : jobs) job.wanted = run_job(job, *job.program);
  return jobs;
}

void hammer(const std::vector<Job>& jobs, Clock::time_point end) {
  std::vector<std::thread> threads;
  std::atomic<long> runs{0};
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      while (Clock::now() < end) {
        const Job& job = jobs[random() % jobs.size()];
        std::unique_ptr<Executable> own;
        if (random() % 4 == 0) own = std::make_unique<Executable>(job.decl);
        if (run_job(job, own ? *own : *job.program) != job.wanted) fail(job.c->op + " among other threads");
        runs.fetch_add(1);
      }
    });
  }
  threads.emplace_back([end] {
    for (int n = 1; Clock::now() < end; n = n % 5 + 1) {
      set_pool_threads(n);
      if (pool_threads() > n) fail("more threads than were asked for");
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
  });
  threads.emplace_back([&jobs, end] {
    while (Clock::now() < end) {
      const Job& job = jobs[jobs.size() / 2];
      job.program->set_timing(idle_arena_bytes() % 2 == 0);
      if (job.program->step_seconds().size() != 2) fail("step_seconds");
      free_idle_arenas();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (std::thread& t : threads) t.join();
  std::printf("%zu programs, %ld runs\n", jobs.size(), runs.load());
}

void hammer_lock(Clock::time_point end) {
  StateLock lock;
  long value = 0, turns = 0;  // written only by who holds the lock alone
  std::atomic<int> readers{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 6; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      while (Clock::now() < end) {
        const Access access = random() % 3 == 0 ? Access::kExclusive : Access::kShared;
        if (!lock.try_acquire(access)) {
          StateLock::Waiter waiter(lock, access);
          if (!waiter.wait(static_cast<int>(random() % 3))) continue;  // gives up, perhaps as its turn comes
          waiter.taken();
        }
        if (access == Access::kExclusive) {
          if (readers.load() != 0) fail("a reader beside a writer");
          ++value;
          ++turns;
        } else {
          readers.fetch_add(1);
          if (value != turns) fail("a reader saw a writer at work");
          readers.fetch_sub(1);
        }
        lock.release(access);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (const Access access : {Access::kExclusive, Access::kShared}) {
    if (!lock.try_acquire(access)) fail("the lock is not free in the end");
    lock.release(access);
  }
  std::printf("%ld turns of writers\n", turns);
}

}  // namespace
}  // namespace striate

int main(int argc, char** argv) {
  using namespace striate;
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "run_engine FILE [seconds N]\n");
    return 2;
  }
  const double seconds = argc == 4 ? std::atof(argv[3]) : 5;
  const auto span = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  report_crashes();
  const std::vector<Case> cases = read_cases(argv[1]);
  const std::vector<Job> jobs = make_jobs(cases);
  hammer(jobs, Clock::now() + span);
  hammer_lock(Clock::now() + span / 4);
  set_pool_threads(1);  // their end is part of it
  free_idle_arenas();
  std::printf("%d failures\n", g_failures.load());
  return g_failures.load() == 0 ? 0 : 1;
}
