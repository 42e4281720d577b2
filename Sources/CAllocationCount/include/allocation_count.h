// Counts how often this process has asked for memory. Only the benchmark is linked with it.
//
// Its own `malloc` stands in front of the C library's, for the whole process, the runtime of Swift included: every object,
// array and long string comes from it. It only counts and hands on, so what it returns is the C library's own, which can take
// it back. Memory that has to be aligned to more than 16 bytes is not counted, nor what grows in place.
//
// C, as Swift keeps the name to itself.
#pragma once

#include <stdint.h>

uint64_t carillon_allocation_count(void);
