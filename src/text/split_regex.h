// A regular expression that cuts text into words, run by PCRE2 with its compiler to machine code.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace zp {

/// Const use from many threads is safe.
class SplitRegex {
 public:
  /// `pattern` in Oniguruma's syntax. Throws Error at `where` when it doesn't compile.
  SplitRegex(std::string_view pattern, std::string where);
  ~SplitRegex();
  SplitRegex(SplitRegex&&) noexcept;

  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  /// Goes through the matches in one text; what it needs for that is its own.
  class Matches {
   public:
    explicit Matches(const SplitRegex& regex);
    ~Matches();
    Matches(Matches&&) noexcept;
    /// Starts over with another text, which is UTF-8 and stays while matches are asked for.
    void start(std::string_view text);
    /// The next one, or nullopt behind the last. An empty match at the end of the one before it
    /// isn't one. Throws Error when the expression takes too long on this text.
    std::optional<Match> next();

   private:
    struct Workspace;
    bool find(std::size_t from);
    const SplitRegex* regex_;
    std::string_view text_;
    std::size_t from_ = 0;
    std::size_t last_end_ = std::string_view::npos;
    std::unique_ptr<Workspace> work_;
  };

 private:
  struct Code;
  std::unique_ptr<Code> code_;
  std::string where_;
};

}  // namespace zp
