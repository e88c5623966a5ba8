#include "text/documents.h"

namespace zp {

std::vector<TokenId> encode_document(const Document& document, const Encoder& encoder,
                                     ChatTemplates& templates, bool add_special) {
  return document.is_chat() ? encoder.encode(templates.render(*document.chat), false)
                            : encoder.encode(document.text, add_special);
}

void encode_documents(std::span<const Document> documents, const Tokenizer& tokenizer,
                      const std::string& where, bool add_special,
                      const std::function<void(std::vector<TokenId>)>& use) {
  const Encoder encoder(tokenizer, where);
  ChatTemplates templates(tokenizer, where);
  for (const Document& document : documents)
    use(encode_document(document, encoder, templates, add_special));
}

std::vector<TokenId> encode_together(std::span<const Document> documents,
                                     const Tokenizer& tokenizer, const std::string& where) {
  std::vector<TokenId> all;
  encode_documents(documents, tokenizer, where, true, [&](const std::vector<TokenId>& ids) {
    all.insert(all.end(), ids.begin(), ids.end());
  });
  return all;
}

}  // namespace zp
