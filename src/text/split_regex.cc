#include "text/split_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "text/oniguruma.h"

namespace zp {
namespace {

constexpr std::size_t kMaxPattern = 16 << 10;
constexpr std::uint32_t kMaxNesting = 50;
// Steps that one match may take, beside those in proportion to its text. The regexes in use need
// fewer than a hundred a word; a run of a million spaces needs as many steps.
constexpr std::uint32_t kMatchLimit = 1 << 20;
constexpr std::uint32_t kHeapLimitKiB = 64 << 10;
constexpr std::size_t kMaxJitStack = 8 << 20;

struct FreeContext {
  void operator()(pcre2_compile_context* c) const { pcre2_compile_context_free(c); }
  void operator()(pcre2_match_context* c) const { pcre2_match_context_free(c); }
  void operator()(pcre2_code* c) const { pcre2_code_free(c); }
  void operator()(pcre2_match_data* c) const { pcre2_match_data_free(c); }
  void operator()(pcre2_jit_stack* c) const { pcre2_jit_stack_free(c); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeContext>;

template <class T>
Owned<T> own(T* p) {
  if (p == nullptr) throw std::bad_alloc();
  return Owned<T>(p);
}

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

}  // namespace

struct SplitRegex::Code {
  Owned<pcre2_code> code;
};

struct SplitRegex::Matches::Workspace {
  Owned<pcre2_match_data> data;
  Owned<pcre2_match_context> context;
  Owned<pcre2_jit_stack> stack;  // when the machine's own has been too small
};

SplitRegex::SplitRegex(std::string_view pattern, std::string where)
    : code_(std::make_unique<Code>()), where_(std::move(where)) {
  if (pattern.size() > kMaxPattern) {
    throw Error(where_, "regular expression too long",
                "at most " + std::to_string(kMaxPattern) + " bytes",
                std::to_string(pattern.size()));
  }
  const std::string text = pcre2_pattern(pattern, where_);
  const auto context = own(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context.get(), kMaxNesting);
  constexpr std::uint32_t kOptions =
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  int error = 0;
  PCRE2_SIZE place = 0;
  code_->code.reset(
      pcre2_compile(units(text), text.size(), kOptions, &error, &place, context.get()));
  if (code_->code == nullptr) {
    throw Error(where_, "regular expression: " + message_of(error), {}, std::string(pattern));
  }
  // Without a compiler for this machine, or where it refuses, matching still works.
  pcre2_jit_compile(code_->code.get(), PCRE2_JIT_COMPLETE);
}

SplitRegex::~SplitRegex() = default;
SplitRegex::SplitRegex(SplitRegex&&) noexcept = default;

SplitRegex::Matches::Matches(const SplitRegex& regex)
    : regex_(&regex), work_(std::make_unique<Workspace>()) {
  work_->data = own(pcre2_match_data_create(1, nullptr));
  work_->context = own(pcre2_match_context_create(nullptr));
  pcre2_set_heap_limit(work_->context.get(), kHeapLimitKiB);
}

SplitRegex::Matches::~Matches() = default;
SplitRegex::Matches::Matches(Matches&&) noexcept = default;

void SplitRegex::Matches::start(std::string_view text) {
  text_ = text;
  from_ = 0;
  last_end_ = std::string_view::npos;
  const std::size_t limit = kMatchLimit + 16 * text.size();
  pcre2_set_match_limit(work_->context.get(),
                        static_cast<std::uint32_t>(std::min<std::size_t>(limit, UINT32_MAX)));
}

bool SplitRegex::Matches::find(std::size_t from) {
  const pcre2_code* code = regex_->code_->code.get();
  const auto match = [&] {
    return pcre2_match(code, units(text_), text_.size(), from, PCRE2_NO_UTF_CHECK,
                       work_->data.get(), work_->context.get());
  };
  int result = match();
  if (result == PCRE2_ERROR_JIT_STACKLIMIT && work_->stack == nullptr) {
    work_->stack = own(pcre2_jit_stack_create(32 << 10, kMaxJitStack, nullptr));
    pcre2_jit_stack_assign(work_->context.get(), nullptr, work_->stack.get());
    result = match();
  }
  if (result == PCRE2_ERROR_NOMATCH) return false;
  if (result < 0) {
    throw Error(regex_->where_, "regular expression can't be used on this text",
                "one that needs few steps", message_of(result));
  }
  return true;
}

std::optional<SplitRegex::Match> SplitRegex::Matches::next() {
  while (from_ <= text_.size() && find(from_)) {
    const PCRE2_SIZE* place = pcre2_get_ovector_pointer(work_->data.get());
    // \K may put the beginning behind the end.
    const Match match{std::min(place[0], place[1]), place[1]};
    if (match.begin == match.end && match.end == last_end_) {
      if (from_ >= text_.size()) return std::nullopt;
      next_code_point(text_, from_);
      continue;
    }
    from_ = last_end_ = match.end;
    return match;
  }
  return std::nullopt;
}

}  // namespace zp
