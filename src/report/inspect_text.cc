#include "report/inspect_text.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/human.h"
#include "report/decimal.h"

namespace zp {
namespace {

constexpr std::size_t kMaxValue = 80;  // bytes of a metadata value on its line

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t n : shape) text += fmt::format("{}{}", text.empty() ? "" : " x ", n);
  return text.empty() ? "scalar" : text;
}

std::string value_text(const Json& value) {
  if (value.is_string()) return printable(value.get<std::string>(), kMaxValue);
  const auto count = value.is_object() && value.size() == 1 ? value.find("count") : value.end();
  if (count != value.end()) return human_counted(count->get<std::int64_t>(), "value");
  return printable(value.dump(), kMaxValue);
}

template <class Part>
std::size_t widest(const std::vector<InspectedTensor>& tensors, const Part& part) {
  std::size_t width = 0;
  for (const InspectedTensor& t : tensors) width = std::max(width, part(t).size());
  return width;
}

std::string tensor_lines(const std::vector<InspectedTensor>& tensors) {
  const std::size_t name = widest(tensors, [](const auto& t) { return t.name; });
  const std::size_t role = widest(tensors, [](const auto& t) { return t.role; });
  const std::size_t grid = widest(tensors, [](const auto& t) { return t.grid; });
  const std::size_t shape = widest(tensors, [](const auto& t) { return shape_text(t.shape); });
  std::string text;
  for (const InspectedTensor& t : tensors) {
    text +=
        fmt::format("  {:{}}  {:{}}  {:{}}  {:{}}  {:>13} B\n", t.name, name, t.role, role, t.grid,
                    grid, shape_text(t.shape), shape, grouped(static_cast<double>(t.bytes)));
  }
  return text;
}

}  // namespace

std::string to_text(const Inspection& i) {
  std::string text = fmt::format("container        {}\narchitecture     {}\nparameters       {}\n",
                                 i.container, i.architecture.empty() ? "unknown" : i.architecture,
                                 grouped(static_cast<double>(i.parameters)));
  text += fmt::format("bits per weight  {:.2f}\nbytes            {}\n", i.bits_per_weight,
                      grouped(static_cast<double>(i.bytes)));
  if (!i.metadata.empty()) text += "metadata\n";
  for (const auto& [key, value] : i.metadata.items())
    text += fmt::format("  {}: {}\n", printable(key), value_text(value));
  if (!i.tensors.empty())
    text += human_counted(std::ssize(i.tensors), "tensor") + '\n' + tensor_lines(i.tensors);
  if (!i.notes.empty()) text += "notes\n";
  for (const std::string& note : i.notes) text += "  " + note + "\n";
  text += i.problems.empty() ? "no problems found\n" : "problems\n";
  for (const std::string& problem : i.problems) text += "  " + problem + "\n";
  return text;
}

Json to_json(std::span<const BesideCount> beside) {
  Json all = Json::array();
  for (const BesideCount& b : beside) {
    all.push_back({{"what", b.what},
                   {"tensors", b.tensors},
                   {"parameters", b.parameters},
                   {"bytes", b.bytes}});
  }
  return all;
}

Json to_json(const Inspection& inspection) {
  Json tensors = Json::array();
  for (const InspectedTensor& t : inspection.tensors) {
    tensors.push_back({{"name", t.name},
                       {"role", t.role},
                       {"shape", t.shape},
                       {"grid", t.grid},
                       {"bytes", t.bytes}});
  }
  return {{"container", inspection.container},   {"architecture", inspection.architecture},
          {"parameters", inspection.parameters}, {"bits_per_weight", inspection.bits_per_weight},
          {"bytes", inspection.bytes},           {"metadata", inspection.metadata},
          {"tensors", std::move(tensors)},       {"beside", to_json(inspection.beside)},
          {"notes", inspection.notes},           {"problems", inspection.problems}};
}

}  // namespace zp
