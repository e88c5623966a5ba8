// Ctrl-C and SIGTERM: work stops within a second, nothing half-written is left, and people are told
// what is lost or how to go on. Exit code 130.
//
// The first one asks (base/cancellation.h): Team and Progress throw Cancelled, and main says the
// words. What doesn't come to them soon (one long read, one huge text) or a second Ctrl-C is not
// waited for: outputs under way are removed, the same words said, and the process ends.
#pragma once

#include <string>

#include "base/cancellation.h"

namespace zp::cli {

void catch_interrupts();

/// For Team and Progress.
const Cancellation& cancellation();
/// When what was asked for is done, and the command goes on (an answer that was stopped).
void forget_interrupt();

/// What is said when one comes, from now on.
void say_when_interrupted(const char* words);
/// What is said when one comes, for as long as this lives; then what was said before.
class WhenInterrupted {
 public:
  explicit WhenInterrupted(const char* words);
  ~WhenInterrupted();
  WhenInterrupted(const WhenInterrupted&) = delete;
  WhenInterrupted& operator=(const WhenInterrupted&) = delete;

 private:
  const char* before_;
};
std::string interrupt_words();

}  // namespace zp::cli
