// What leaves the library: its errors, and an end that was asked for, as its headers have them.
#pragma once

#include "base/cancellation.h"
#include "base/error.h"
#include "zeropoint/error.h"
#include "zeropoint/work.h"

namespace zeropoint {

template <class Kind>
[[noreturn]] void throw_as(const zp::Error& error) {
  const zp::Error::Parts& parts = error.parts();
  throw Kind(error.what(), {parts.where, parts.what, parts.expected, parts.found});
}

/// Every function that is shown is such a call.
template <class Job>
auto translated(const Job& job) -> decltype(job()) {
  try {
    return job();
  } catch (const zp::UsageError& error) {
    throw_as<UsageError>(error);
  } catch (const zp::Error& error) {
    throw_as<Error>(error);
  } catch (const zp::Cancelled&) {
    throw Cancelled();
  }
}

}  // namespace zeropoint
