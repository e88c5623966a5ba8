// zeropoint version.
#include <fmt/core.h>

#include "cli/command.h"

namespace zp::cli {

void add_version(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(app, common, "version", "Show the program's version",
                                     "  zeropoint version\n  zeropoint version --json");
  sub.callback([&common, &run] {
    run = [&common] {
      if (common.json) {
        print_json({{"version", ZEROPOINT_VERSION}});
      } else {
        fmt::print("zeropoint {}\n", ZEROPOINT_VERSION);
      }
      return 0;
    };
  });
}

}  // namespace zp::cli
