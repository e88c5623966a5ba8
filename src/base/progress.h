// What long work says of itself. The library only calls this; the command line draws it.
#pragma once

#include <cstdint>
#include <string_view>

namespace zp {

/// Calls may come from any thread.
class Progress {
 public:
  virtual ~Progress() = default;
  /// A stage of `total` units of work begins; `unit` names them ("B" for bytes, "tokens").
  virtual void stage(std::string_view name, std::int64_t total, std::string_view unit) = 0;
  virtual void advance(std::int64_t amount) = 0;
};

/// Says nothing.
class Silent final : public Progress {
 public:
  void stage(std::string_view, std::int64_t, std::string_view) override {}
  void advance(std::int64_t) override {}
};

}  // namespace zp
