#include "format/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>

#include "format/cursor.h"

namespace zp::pickle {
namespace {

constexpr std::size_t kMaxBytes =
    32 << 20;  // 200,000 tensors; the nodes take some fifty times as much
constexpr std::uint8_t kOldestProtocol = 2;
constexpr std::uint8_t kNewestProtocol = 5;

class Reader {
 public:
  Reader(Bytes file, std::size_t begin, std::span<const Global> allowed, const std::string& where)
      : cursor_(file, where, begin), where_(where), allowed_(allowed), begin_(begin) {}

  Object read();

 private:
  using Step = void (Reader::*)();
  static constexpr std::array<Step, 256> steps();

  [[noreturn]] void fail(std::string what, std::string expected = {},
                         std::string found = {}) const {
    throw Error(where_ + ": byte " + std::to_string(at_), std::move(what), std::move(expected),
                std::move(found));
  }

  // The stack. A MARK hides what lies below it.
  Id push(Kind kind) {
    object_.nodes.emplace_back();
    object_.nodes.back().kind = kind;
    object_.nodes.back().at = at_;
    stack_.push_back(static_cast<Id>(object_.nodes.size() - 1));
    return stack_.back();
  }
  Node& push_node(Kind kind) { return object_.nodes[push(kind)]; }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Id pop();
  std::vector<Id> pop_many(std::size_t count);
  std::vector<Id> pop_to_mark();
  Id top();

  void push_text(Kind kind, std::uint64_t length) {
    push_node(kind).text = as_text(cursor_.take(length, "a string"));
  }
  void push_integer(std::int64_t value) { push_node(Kind::integer).integer = value; }
  void push_tuple(std::vector<Id> items) { push_node(Kind::tuple).items = std::move(items); }
  void push_global(std::string_view module, std::string_view name);
  std::string_view line();
  void append(Id list, const std::vector<Id>& items);
  void set_items(Id dict, const std::vector<Id>& items);
  void remember(std::uint32_t slot) { memo_[slot] = top(); }
  void recall(std::uint32_t slot);
  void call(Id callee, Id arguments);
  std::vector<Id> pairs_of(Id arguments);

  // One function for each opcode; names are those of pickletools.
  void proto();
  void frame() { cursor_.read<std::uint64_t>("a frame"); }
  void stop() { stopped_ = true; }
  void mark() { marks_.push_back(stack_.size()); }
  void none() { push(Kind::none); }
  void new_true() { push_node(Kind::boolean).integer = 1; }
  void new_false() { push_node(Kind::boolean).integer = 0; }
  void bin_int() { push_integer(cursor_.read<std::int32_t>("an integer")); }
  void bin_int1() { push_integer(cursor_.read<std::uint8_t>("an integer")); }
  void bin_int2() { push_integer(cursor_.read<std::uint16_t>("an integer")); }
  void long1();
  void bin_float();
  void short_text() { push_text(Kind::text, cursor_.read<std::uint8_t>("a string")); }
  void long_text() { push_text(Kind::text, cursor_.read<std::uint32_t>("a string")); }
  void longer_text() { push_text(Kind::text, cursor_.read<std::uint64_t>("a string")); }
  void short_bytes() { push_text(Kind::bytes, cursor_.read<std::uint8_t>("bytes")); }
  void long_bytes() { push_text(Kind::bytes, cursor_.read<std::uint32_t>("bytes")); }
  void empty_list() { push(Kind::list); }
  void empty_dict() { push(Kind::dict); }
  void empty_tuple() { push(Kind::tuple); }
  void tuple() { push_tuple(pop_to_mark()); }
  void tuple1() { push_tuple(pop_many(1)); }
  void tuple2() { push_tuple(pop_many(2)); }
  void tuple3() { push_tuple(pop_many(3)); }
  void append_one() {
    const Id item = pop();
    append(top(), {item});
  }
  void appends() {
    const auto items = pop_to_mark();
    append(top(), items);
  }
  void set_item() {
    const auto items = pop_many(2);
    set_items(top(), items);
  }
  void set_many() {
    const auto items = pop_to_mark();
    set_items(top(), items);
  }
  void bin_put() { remember(cursor_.read<std::uint8_t>("a memo slot")); }
  void long_bin_put() { remember(cursor_.read<std::uint32_t>("a memo slot")); }
  void memoize() { remember(static_cast<std::uint32_t>(memo_.size())); }
  void bin_get() { recall(cursor_.read<std::uint8_t>("a memo slot")); }
  void long_bin_get() { recall(cursor_.read<std::uint32_t>("a memo slot")); }
  void global();
  void stack_global();
  void reduce() {
    const Id arguments = pop();
    call(pop(), arguments);
  }
  void build();
  void persistent() {
    const Id id = pop();
    push_node(Kind::persistent).items = {id};
  }

  Cursor cursor_;
  std::string where_;
  std::span<const Global> allowed_;
  Object object_;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Id> memo_;
  std::size_t begin_;
  std::size_t at_ = 0;
  std::size_t copied_ = 0;
  bool stopped_ = false;
};

Id Reader::pop() {
  if (stack_.size() <= floor()) fail("broken pickle: nothing left to take");
  const Id id = stack_.back();
  stack_.pop_back();
  return id;
}

std::vector<Id> Reader::pop_many(std::size_t count) {
  if (stack_.size() - floor() < count) fail("broken pickle: nothing left to take");
  std::vector<Id> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
  stack_.resize(stack_.size() - count);
  return items;
}

std::vector<Id> Reader::pop_to_mark() {
  if (marks_.empty()) fail("broken pickle: no mark");
  std::vector<Id> items = pop_many(stack_.size() - marks_.back());
  marks_.pop_back();
  return items;
}

Id Reader::top() {
  if (stack_.size() <= floor()) fail("broken pickle: nothing left to take");
  return stack_.back();
}

void Reader::recall(std::uint32_t slot) {
  const auto found = memo_.find(slot);
  if (found == memo_.end()) fail("broken pickle: empty memo slot", {}, std::to_string(slot));
  stack_.push_back(found->second);
}

void Reader::append(Id list, const std::vector<Id>& items) {
  Node& node = object_.nodes[list];
  if (node.kind != Kind::list) fail("broken pickle: appends to what is no list");
  node.items.insert(node.items.end(), items.begin(), items.end());
}

void Reader::set_items(Id dict, const std::vector<Id>& items) {
  Node& node = object_.nodes[dict];
  if (node.kind != Kind::dict) fail("broken pickle: sets items of what is no dictionary");
  if (items.size() % 2 != 0) fail("broken pickle: key without a value");
  node.items.insert(node.items.end(), items.begin(), items.end());
}

void Reader::proto() {
  const auto protocol = cursor_.read<std::uint8_t>("the protocol");
  if (protocol < kOldestProtocol || protocol > kNewestProtocol) {
    fail("unknown pickle protocol", "2 to 5", std::to_string(protocol));
  }
}

void Reader::long1() {
  const auto length = cursor_.read<std::uint8_t>("an integer");
  const std::string_view digits = as_text(cursor_.take(length, "an integer"));
  if (length > sizeof(std::int64_t)) {
    push_node(Kind::long_integer).text = digits;
    return;
  }
  std::uint64_t value = !digits.empty() && (digits.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = length; i-- > 0;) value = value << 8 | static_cast<unsigned char>(digits[i]);
  push_integer(static_cast<std::int64_t>(value));
}

void Reader::bin_float() {
  std::uint64_t bits = 0;  // the one big-endian number of pickles
  for (const std::byte b : cursor_.take(8, "a float"))
    bits = bits << 8 | static_cast<std::uint64_t>(b);
  push_node(Kind::real).real = std::bit_cast<double>(bits);
}

std::string_view Reader::line() {
  constexpr std::size_t kMaxLine = 256;
  std::string_view text = as_text(cursor_.take(0, "a name"));
  for (std::size_t i = 0; i < kMaxLine; ++i) {
    if (as_text(cursor_.take(1, "a name")) == "\n") return text;
    text = {text.data(), text.size() + 1};
  }
  fail("broken pickle: name too long");
}

void Reader::push_global(std::string_view module, std::string_view name) {
  const auto found = std::find_if(allowed_.begin(), allowed_.end(), [&](const Global& g) {
    return g.module == module && g.name == name;
  });
  if (found == allowed_.end()) {
    fail("names code that no checkpoint of weights needs; nothing of it was run",
         "tensors, storages and plain Python data", std::string(module) + "." + std::string(name));
  }
  push_node(Kind::global).integer = found - allowed_.begin();
}

void Reader::global() {
  const std::string_view module = line();
  push_global(module, line());
}

void Reader::stack_global() {
  const std::vector<Id> names = pop_many(2);
  for (const Id id : names) {
    if (object_[id].kind != Kind::text) fail("broken pickle: a name that is no string");
  }
  push_global(object_[names[0]].text, object_[names[1]].text);
}

// OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]).
std::vector<Id> Reader::pairs_of(Id arguments) {
  std::vector<Id> items;
  if (object_[arguments].items.empty()) return items;
  const Node& list = object_[object_[arguments].items[0]];
  if (object_[arguments].items.size() > 1 || list.kind != Kind::list)
    fail("wrong arguments of a dictionary");
  // One list may be named again and again: what is copied must not outgrow what was read.
  copied_ += 2 * list.items.size();
  if (copied_ > cursor_.position() - begin_) fail("wrong arguments of a dictionary");
  for (const Id id : list.items) {
    const Node& pair = object_[id];
    if ((pair.kind != Kind::list && pair.kind != Kind::tuple) || pair.items.size() != 2)
      fail("wrong arguments of a dictionary");
    items.insert(items.end(), pair.items.begin(), pair.items.end());
  }
  return items;
}

void Reader::call(Id callee, Id arguments) {
  if (object_[callee].kind != Kind::global) fail("broken pickle: calls what has no name");
  if (object_[arguments].kind != Kind::tuple) fail("broken pickle: arguments that are no tuple");
  if (allowed_[static_cast<std::size_t>(object_[callee].integer)].makes_dict) {
    std::vector<Id> items = pairs_of(arguments);
    push_node(Kind::dict).items = std::move(items);
  } else {
    push_node(Kind::call).items = {callee, arguments};
  }
}

// Attributes of a dictionary (PyTorch's _metadata) say nothing about weights; others have none.
void Reader::build() {
  pop();
  if (object_[top()].kind != Kind::dict) fail("sets attributes of what is no dictionary");
}

constexpr std::array<Reader::Step, 256> Reader::steps() {
  std::array<Step, 256> s{};
  s[0x80] = &Reader::proto;
  s[0x95] = &Reader::frame;
  s['.'] = &Reader::stop;
  s['('] = &Reader::mark;
  s['N'] = &Reader::none;
  s[0x88] = &Reader::new_true;
  s[0x89] = &Reader::new_false;
  s['J'] = &Reader::bin_int;
  s['K'] = &Reader::bin_int1;
  s['M'] = &Reader::bin_int2;
  s[0x8A] = &Reader::long1;
  s['G'] = &Reader::bin_float;
  s['U'] = s[0x8C] = &Reader::short_text;  // 'U' and 'T': what Python 2 called strings
  s['T'] = s['X'] = &Reader::long_text;
  s[0x8D] = &Reader::longer_text;
  s['C'] = &Reader::short_bytes;
  s['B'] = &Reader::long_bytes;
  s[']'] = &Reader::empty_list;
  s['}'] = &Reader::empty_dict;
  s[')'] = &Reader::empty_tuple;
  s['t'] = &Reader::tuple;
  s[0x85] = &Reader::tuple1;
  s[0x86] = &Reader::tuple2;
  s[0x87] = &Reader::tuple3;
  s['a'] = &Reader::append_one;
  s['e'] = &Reader::appends;
  s['s'] = &Reader::set_item;
  s['u'] = &Reader::set_many;
  s['q'] = &Reader::bin_put;
  s['r'] = &Reader::long_bin_put;
  s[0x94] = &Reader::memoize;
  s['h'] = &Reader::bin_get;
  s['j'] = &Reader::long_bin_get;
  s['c'] = &Reader::global;
  s[0x93] = &Reader::stack_global;
  s['R'] = &Reader::reduce;
  s['b'] = &Reader::build;
  s['Q'] = &Reader::persistent;
  return s;
}

Object Reader::read() {
  static constexpr std::array<Step, 256> kSteps = steps();
  while (!stopped_) {
    at_ = cursor_.position();
    const auto opcode = cursor_.read<std::uint8_t>("a pickle");
    if (at_ == begin_ && opcode != 0x80) fail("no pickle of protocol 2 or later");
    if (at_ - begin_ > kMaxBytes)
      fail("pickle too long", "at most " + std::to_string(kMaxBytes) + " bytes");
    const Step step = kSteps[opcode];
    if (step == nullptr)
      fail("opcode that no checkpoint of weights needs", {}, std::to_string(opcode));
    (this->*step)();
  }
  object_.root = pop();
  if (!stack_.empty() || !marks_.empty()) fail("broken pickle: more than one object");
  object_.end = cursor_.position();
  return std::move(object_);
}

}  // namespace

Object read(Bytes file, std::size_t begin, std::span<const Global> allowed,
            const std::string& where) {
  return Reader(file, begin, allowed, where).read();
}

}  // namespace zp::pickle
