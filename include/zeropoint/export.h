// What libzeropoint.so shows of itself.
#pragma once

#define ZEROPOINT_API __attribute__((visibility("default")))
