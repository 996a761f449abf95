// How often a program has allocated. For programs that have counted_allocations.cpp among their
// sources, which replaces the allocation functions.
#pragma once

#include <cstddef>

namespace flora::test {

/// By any thread since the start.
std::size_t allocations();

}  // namespace flora::test
