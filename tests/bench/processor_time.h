// How often something runs in a second of the processor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <vector>

namespace flora::bench {

/// Seconds of the processor that this thread has had: other processes do not count.
inline double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// How often `work` runs in a second of the processor. The clock is read once for `at_once` runs.
template <typename Work>
double rate(double seconds, std::size_t at_once, const Work& work) {
  const double begin = processor_seconds();
  std::size_t runs = 0;
  double passed = 0;
  do {
    for (std::size_t i = 0; i < at_once; ++i) work();
    runs += at_once;
    passed = processor_seconds() - begin;
  } while (passed < seconds);
  return static_cast<double>(runs) / passed;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace flora::bench
