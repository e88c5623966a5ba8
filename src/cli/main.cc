// The command line. Exit codes: 0 done, 1 bad input, 2 bad usage, 3 a limit was not met, 130
// interrupted.
#include <fmt/core.h>
#include <malloc.h>

#include <cstdio>
#include <new>

#include "base/cpu.h"
#include "cli/command.h"
#include "cli/interrupt.h"

namespace {

int fail(int code, std::string_view text) {
  fmt::print(stderr, "zeropoint: {}\n", text);
  return code;
}

// Once glibc has given back a large buffer it keeps later ones of that size for itself, so a run that
// calibrates held 15 MB that nobody used. Buffers from here on go back at once; smaller ones come and
// go too often for that.
void give_large_buffers_back() {
#ifdef __GLIBC__
  constexpr int kLarge = 4 << 20;
  mallopt(M_MMAP_THRESHOLD, kLarge);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  using namespace zp::cli;
  give_large_buffers_back();
  Program program(
      "Zeropoint makes trained models small: any checkpoint in, every runtime's own quantized "
      "format out.",
      "zeropoint " ZEROPOINT_VERSION);
  program.command().require_subcommand(1);
  program.command().footer(
      "Examples:\n"
      "  zeropoint quantize Phi-3.5-mini-instruct --to gguf:q4_0\n"
      "  zeropoint explain number 7.325\n"
      "  zeropoint COMMAND --help      shows what a command takes, with examples");
  Common common;
  common.command = command_line(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  std::function<int()> run;
  add_commands(program.command(), common, run);
  try {
    if (!program.parse(argc, argv)) return 0;
  } catch (const zp::UsageError& error) {
    return fail(2, error.what());
  }
  try {
    catch_interrupts();
    if (!common.cpu.empty()) zp::limit_instruction_set(common.cpu);
    return run();
  } catch (const zp::UsageError& error) {
    return fail(2, with_options(error.what()));
  } catch (const zp::Error& error) {
    return fail(1, with_options(error.what()));
  } catch (const zp::Cancelled&) {
    return fail(130, interrupt_words());
  } catch (const std::bad_alloc&) {
    return fail(1, "out of memory");
  } catch (const std::exception& error) {
    return fail(1, zp::printable(error.what(), 400));
  }
}
