#include "source/linear_rows.h"

#include <algorithm>

#include "number/integer.h"

namespace zp {
namespace {

class LinearRows final : public RowReader {
 public:
  LinearRows(LinearPlanes planes, std::int64_t rows)
      : RowReader(rows, std::ssize(planes.groups)), p_(std::move(planes)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    // A word holds up to 16 neighbouring rows, and unpacking takes whole ones.
    constexpr std::int64_t kTile = 64;
    for (std::int64_t r = 0; r < count; r += kTile)
      read_tile(begin + r, std::min(kTile, count - r), out + r * cols());
  }

  /// Whether every plane has the bytes of its rows.
  bool fits() const {
    const auto has = [&](const PackedPlane& plane, const PlaneShape& shape) {
      return file_bytes(plane.form, shape) == std::ssize(plane.bytes);
    };
    return has(p_.codes, codes()) && has(p_.scales, scales()) &&
           (!p_.zeros || has(*p_.zeros, zeros()));
  }

 private:
  PlaneShape codes() const { return {rows(), cols(), p_.bits}; }
  PlaneShape zeros() const { return {rows(), p_.group_count, p_.bits}; }
  PlaneShape scales() const { return {rows(), p_.group_count, 8 * info(p_.scale_type).bytes}; }

  static std::vector<std::byte> unpacked(const PackedPlane& plane, const PlaneShape& shape,
                                         std::int64_t begin, std::int64_t count) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(count * shape.row_bytes()));
    unpack_rows(plane.form, shape, plane.bytes, begin, count, bytes);
    return bytes;
  }

  void read_tile(std::int64_t begin, std::int64_t count, float* out) const {
    const std::vector<std::byte> code_bytes = unpacked(p_.codes, codes(), begin, count);
    const std::vector<std::byte> scale_bytes = unpacked(p_.scales, scales(), begin, count);
    std::vector<std::byte> zero_bytes;
    if (p_.zeros) zero_bytes = unpacked(*p_.zeros, zeros(), begin, count);
    std::vector<float> s(static_cast<std::size_t>(count * p_.group_count));
    stored_rows(scale_bytes, p_.scale_type, count, p_.group_count)->read(0, count, s.data());
    std::vector<std::int32_t> q(static_cast<std::size_t>(cols()));
    std::vector<std::int32_t> z(static_cast<std::size_t>(p_.group_count), p_.zero);
    const int bits = static_cast<int>(p_.bits);
    for (std::int64_t r = 0; r < count; ++r) {
      unpack_bits(&code_bytes[static_cast<std::size_t>(r * codes().row_bytes())], bits,
                  p_.is_signed, q);
      if (p_.zeros) {
        unpack_bits(&zero_bytes[static_cast<std::size_t>(r * zeros().row_bytes())], bits,
                    p_.is_signed, z);
      }
      const float* scale = &s[static_cast<std::size_t>(r * p_.group_count)];
      for (std::size_t c = 0; c < q.size(); ++c) {
        const auto g = static_cast<std::size_t>(p_.groups[c]);
        *out++ = scale[g] * static_cast<float>(q[c] - z[g]);
      }
    }
  }

  LinearPlanes p_;
};

}  // namespace

std::vector<std::int32_t> even_groups(std::int64_t cols, std::int64_t group) {
  std::vector<std::int32_t> groups(static_cast<std::size_t>(cols));
  for (std::int64_t c = 0; c < cols; ++c)
    groups[static_cast<std::size_t>(c)] = static_cast<std::int32_t>(c / group);
  return groups;
}

std::unique_ptr<RowReader> linear_rows(LinearPlanes planes, std::int64_t rows) {
  auto reader = std::make_unique<LinearRows>(std::move(planes), rows);
  if (!reader->fits()) return nullptr;
  return reader;
}

}  // namespace zp
