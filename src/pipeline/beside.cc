#include "pipeline/beside.h"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "tensor/dtype_name.h"

namespace zp {
namespace {

bool may_be_copied(const BesideTensor& t) {
  return dtype_of_name(t.tensor->type) != nullptr &&
         std::ssize(t.tensor->stored) == t.tensor->bytes;
}

}  // namespace

std::vector<BesideTensor> all_beside(const Checkpoint& checkpoint, const Model& model) {
  std::vector<BesideTensor> all;
  for (const OtherTensor& other : checkpoint.beside) all.push_back({other.what, &other.tensor});
  const std::vector<BesideTensor> further =
      beside_decoder(*model.architecture, model.decoder, checkpoint.tensors, checkpoint.world);
  all.insert(all.end(), further.begin(), further.end());
  return all;
}

Beside copied_beside(const LoadedModel& loaded, const Model& model) {
  Beside beside;
  if (&model != &loaded.model || loaded.checkpoint.world != World::hf) return beside;
  const WholeModel* whole = loaded.checkpoint.whole.get();
  if (whole == nullptr && !loaded.checkpoint.beside.empty()) return beside;
  beside.tensors = all_beside(loaded.checkpoint, model);
  if (!std::ranges::all_of(beside.tensors, may_be_copied)) beside.tensors.clear();
  if (beside.tensors.empty() || whole == nullptr) return beside;
  beside.config = &whole->config;
  beside.names = &whole->names;
  return beside;
}

std::string beside_note(const LoadedModel& loaded, const Layout& layout) {
  std::set<const Tensor*> copied;
  for (const BesideTensor& t : layout.beside) copied.insert(t.tensor);
  std::vector<BesideTensor> left_out = all_beside(loaded.checkpoint, loaded.model);
  std::erase_if(left_out, [&](const BesideTensor& t) { return copied.contains(t.tensor); });
  std::string note;
  for (const auto& [words, tensors] :
       {std::pair("copied as it is: ", std::span<const BesideTensor>(layout.beside)),
        std::pair("left out: ", std::span<const BesideTensor>(left_out))}) {
    if (tensors.empty()) continue;
    note += (note.empty() ? "" : "; ") + (words + beside_words(count_beside(tensors)));
  }
  return note;
}

}  // namespace zp
