#include "testing/cases.h"

#include <fstream>
#include <stdexcept>

namespace striate {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& path) : file_(path, std::ios::binary) {
    if (!file_) throw std::runtime_error("cannot open " + path);
  }

  template <typename T>
  T number() {
    T value;
    file_.read(reinterpret_cast<char*>(&value), sizeof value);
    if (!file_) throw std::runtime_error("the file of cases ends early");
    return value;
  }
  template <typename T>
  std::vector<T> row() {
    std::vector<T> values(number<uint64_t>());
    file_.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
    if (!file_) throw std::runtime_error("the file of cases ends early");
    return values;
  }
  std::string text() {
    const std::vector<char> letters = row<char>();
    return std::string(letters.begin(), letters.end());
  }

 private:
  std::ifstream file_;
};

Case read_case(Reader& in) {
  Case c;
  c.op = in.text();
  c.label = in.text();
  c.spec.n_inputs = in.number<int32_t>();
  c.spec.n_outputs = in.number<int32_t>();
  for (int i = 0; i < c.spec.n_inputs + c.spec.n_outputs; ++i) {
    const int64_t dtype = in.number<int64_t>();
    c.spec.add_operand(dtype, in.row<int64_t>());
  }
  c.spec.ints = in.row<int64_t>();
  c.spec.floats = in.row<double>();
  for (int64_t n = in.number<int64_t>(); n > 0; --n) {
    const int result = in.number<int32_t>();
    c.in_place.emplace_back(result, in.number<int32_t>());
  }
  for (int i = 0; i < c.spec.n_inputs; ++i) c.inputs.push_back(in.row<unsigned char>());
  for (int i = 0; i < c.spec.n_outputs; ++i) {
    Expected e;
    e.is_real = in.number<int32_t>() != 0;
    if (e.is_real) {
      e.exact = in.row<double>();
      for (int64_t n = in.number<int64_t>(); n > 0; --n) {
        std::string algorithm = in.text();
        e.bounds.emplace_back(std::move(algorithm), in.row<double>());
        if (e.bounds.back().second.size() != e.exact.size()) throw std::runtime_error("bounds that do not fit");
      }
      if (e.bounds.empty() || !e.bounds.back().first.empty()) throw std::runtime_error("no bound for every kernel");
    } else {
      e.bytes = in.row<unsigned char>();
    }
    c.expected.push_back(std::move(e));
  }
  return c;
}

}  // namespace

std::vector<Case> read_cases(const std::string& path) {
  Reader in(path);
  if (in.number<uint64_t>() != 0x3273657361635453u)
    throw std::runtime_error(path + " is no file of cases");  // "STcases2"
  std::vector<Case> cases;
  for (uint64_t n = in.number<uint64_t>(); n > 0; --n) cases.push_back(read_case(in));
  return cases;
}

}  // namespace striate
