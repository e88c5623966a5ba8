// Texts found by going down byte by byte: which of them does a text begin with?
#pragma once

#include <cstdint>
#include <string_view>

#include "text/flat_map.h"

namespace zp {

class ByteTrie {
 public:
  using Node = std::uint64_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNoNode = FlatMap::kNone;
  static constexpr std::uint64_t kNoValue = FlatMap::kNone;

  /// A text that is there gets the new value.
  void set(std::string_view text, std::uint64_t value) {
    Node node = kRoot;
    for (const char c : text) {
      Node next = down(node, c);
      if (next == kNoNode) edges_.set(edge(node, c), next = ++last_);
      node = next;
    }
    values_.set(node, value);
  }
  Node down(Node node, char c) const { return edges_.get(edge(node, c)); }
  std::uint64_t value(Node node) const { return values_.get(node); }

  /// Calls use(bytes, value) for every text that text[from...] begins with, shortest first.
  template <class Use>
  void prefixes(std::string_view text, std::size_t from, const Use& use) const {
    Node node = kRoot;
    for (std::size_t i = from; i < text.size(); ++i) {
      node = down(node, text[i]);
      if (node == kNoNode) return;
      const std::uint64_t found = value(node);
      if (found != kNoValue) use(i + 1 - from, found);
    }
  }

 private:
  static std::uint64_t edge(Node node, char c) { return node << 8 | static_cast<unsigned char>(c); }

  FlatMap edges_;
  FlatMap values_;
  Node last_ = kRoot;
};

}  // namespace zp
