// A matrix that is trained on the grid that will store it.
//
// What is trained stands behind a master: rows of floats, of which the grid makes codes and
// parameters, and these are what the network multiplies by: Q(M). The gradient goes straight
// through Q (Bengio et al., 2013), so the master moves as if it were multiplied itself; what is stored in the
// end is Q(M) as it was in the last step, to the bit.
#pragma once

#include <memory>
#include <vector>

#include "base/parallel.h"
#include "grid/plane_buffers.h"
#include "tensor/rows.h"

namespace zp {

/// What is trained of a matrix.
enum class Learned {
  scales,  ///< a factor for each block: what its outer scale stores finely, whatever the inner ones can
  all,  ///< the factors, and each weight by itself
};

class LearnedMatrix {
 public:
  /// From `start`, which is on the grid, or near to it; borrowed. REQUIRES: the grid holds its rows,
  /// and isn't of the whole tensor.
  LearnedMatrix(std::shared_ptr<const Grid> grid, const RowReader& start, Learned learned);

  /// Makes Q(M) of the master as it is.
  void code(const Team& team);
  /// Q(M) as code() made it last.
  const RowReader& coded() const { return coded_; }
  const RowReader& master() const { return master_; }
  const Grid& grid() const { return *grid_; }

  /// To what the gradient of rows [begin, begin + gradient.rows) of Q(M) says of the values.
  /// Different rows from many threads.
  void add_gradient(std::int64_t begin, Matrix gradient);

  /// Numbers that are trained, 0 at the start, and their gradients.
  struct Group {
    std::span<float> values;
    std::span<float> gradients;
  };
  std::vector<Group> groups();
  /// Gives back what only learning needs.
  void stop_learning();
  /// What a matrix of that grid and shape takes, with what Adam holds of its numbers and a copy of the best.
  static std::int64_t bytes(const Grid& grid, std::int64_t rows, std::int64_t cols,
                            Learned learned);
  /// The same behind stop_learning().
  static std::int64_t learned_bytes(const Grid& grid, std::int64_t rows, std::int64_t cols,
                                    Learned learned);

 private:
  class Coded final : public RowReader {
   public:
    explicit Coded(const LearnedMatrix& of)
        : RowReader(of.start_.rows(), of.start_.cols()), of_(of) {}
    void read(std::int64_t begin, std::int64_t count, float* out) const override;
    void products(std::int64_t begin, Floats x, std::span<float> out) const override;

   private:
    std::vector<const std::byte*> at(std::int64_t row) const;
    const LearnedMatrix& of_;
  };
  class Master final : public RowReader {
   public:
    explicit Master(const LearnedMatrix& of)
        : RowReader(of.start_.rows(), of.start_.cols()), of_(of) {}
    void read(std::int64_t begin, std::int64_t count, float* out) const override;

   private:
    const LearnedMatrix& of_;
  };

  std::shared_ptr<const Grid> grid_;
  const RowReader& start_;
  std::int64_t block_;
  std::int64_t blocks_;  // of a row
  std::vector<float> factors_;
  std::vector<float> factor_gradients_;
  std::vector<float> steps_;    // of each block, what a value of 1 moves a weight by
  std::vector<float> weights_;  // empty: they aren't trained
  std::vector<float> weight_gradients_;
  PlaneBuffers planes_;
  Coded coded_;
  Master master_;
};

}  // namespace zp
