#include "text/token_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <string>

#include "text/shown.h"

namespace zp {
namespace {

bool can_go(const Tokenizer& t, std::int64_t id) {
  if ((t.add_bos && t.bos == id) || (t.add_eos && t.eos == id) || t.unknown == id) return false;
  return t.tokens[static_cast<std::size_t>(id)].type == TokenType::unused ||
         std::ranges::any_of(t.added, [id](const AddedToken& a) { return a.id == id; });
}

std::string note(std::span<const AddedToken> gone, std::int64_t rows) {
  const std::string more = gone.size() > 1 ? fmt::format(" and {} more", gone.size() - 1) : "";
  return fmt::format("added token {} (id {}){} can't be used: the embedding has {} rows",
                     shown(gone[0].text), gone[0].id, more, rows);
}

}  // namespace

void leave_out_tokens_without_rows(Tokenizer& t, std::int64_t rows) {
  const auto count = std::ssize(t.tokens);
  for (std::int64_t id = rows; id < count; ++id) {
    if (!can_go(t, id)) return;
  }
  if (count <= rows) return;
  t.tokens.resize(static_cast<std::size_t>(rows));
  for (auto* special : {&t.bos, &t.eos, &t.pad}) {
    if (*special && **special >= rows) special->reset();
  }
  const auto gone = std::ranges::find_if(t.added, [rows](const auto& a) { return a.id >= rows; });
  if (gone == t.added.end()) return;
  t.notes.push_back(note({gone, t.added.end()}, rows));
  t.added.erase(gone, t.added.end());
}

}  // namespace zp
