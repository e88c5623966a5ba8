#include <gtest/gtest.h>

#include <set>

#include "container/folder_fixture.h"
#include "container/openvino_ops.h"
#include "container/openvino_weights.h"
#include "container/sample_decoder.h"
#include "number/integer.h"

namespace zp {
namespace {

const Container& container() { return find_container("openvino"); }

std::vector<Assignment> all_on(const Sample& sample, const std::string& grid) {
  std::vector<Assignment> all;
  for (const Weight& w : sample.model.weights)
    all.push_back({&w, make_grid(w.use.is_matrix() ? grid : "fp32")});
  return all;
}

TEST(OpenVino, EveryValueIsThereBeforeItIsTaken) {
  for (const std::string& config : {kLlama, kGpt2, kGemma2}) {
    for (const char* grid : {"fp32", "bf16", "int4:g16:zero:s16", "int8:channel:sym", "nf4:g16"}) {
      const Sample sample(config);
      const std::vector<Assignment> all = all_on(sample, grid);
      OpenVinoOps ops(sample.model, all);
      const std::vector<GraphNode> nodes = ops.build();
      std::set<std::string> there, taken, names;
      for (const Assignment& a : all) {
        for (const OpenVinoPlane& plane : openvino_planes(a))
          EXPECT_TRUE(there.insert(plane.name).second) << plane.name;
      }
      for (const GraphConstant& c : ops.constants())
        EXPECT_TRUE(there.insert(c.name).second) << c.name;
      const std::set<std::string> constants = there;
      for (const GraphNode& node : nodes) {
        EXPECT_TRUE(names.insert(node.name).second) << node.name;
        for (const std::string& name : node.inputs) {
          EXPECT_TRUE(there.contains(name)) << node.name << " takes " << name;
          taken.insert(name);
        }
        for (const std::string& name : node.outputs) EXPECT_TRUE(there.insert(name).second) << name;
      }
      for (const std::string& name : constants) EXPECT_TRUE(taken.contains(name)) << name;
      EXPECT_TRUE(taken.contains("logits"));
    }
  }
}

TEST(OpenVino, EveryCacheIsReadAndAssigned) {
  const Sample sample(kGemma2);
  const std::vector<Assignment> all = all_on(sample, "fp32");
  OpenVinoOps ops(sample.model, all);
  std::multiset<std::string> read, assigned;
  for (const GraphNode& node : ops.build()) {
    for (const GraphAttribute& a : node.attributes) {
      if (a.name == "variable_id")
        (node.op == "Assign" ? assigned : read).insert(std::get<std::string>(a.value));
    }
  }
  EXPECT_EQ(read, assigned);
  EXPECT_EQ(std::set(read.begin(), read.end()).size(), 4u);  // two layers' keys and values
}

// Symmetric codes are signed in the file and others unsigned, whatever the grid's are.
TEST(OpenVino, CodesAreThoseOfTheGrid) {
  const Sample sample(kLlama);
  for (const char* spec :
       {"int4:g16:sym", "uint4:g16:sym", "int4:g16:zero", "uint4:g16:zero",
        "int8:channel:restricted", "int8:channel:zero", "int2:g8:zero", "uint2:g8:zero"}) {
    const Layout layout = container().layout(sample.input(), all_on(sample, spec));
    const auto files = written(layout);
    const Buffer& data = files.at("openvino_model.bin");
    for (const TensorJob& job : layout.jobs) {
      const AffineForm* form = job.grid->affine();
      if (form == nullptr) continue;
      const bool zero = form->offset == Offset::zero;
      const int half = 1 << (form->bits - 1);
      const int difference = zero == form->is_signed ? (zero ? half : -half) : 0;
      for (const std::size_t plane : {0, 2}) {
        if (plane >= job.planes.size()) continue;
        const PlaneBuffers planes = nearest_planes(job);
        const PlaneShape shape = job.plane_shape(plane);
        const auto count = static_cast<std::size_t>(shape.cols);
        std::vector<std::int32_t> own(count), there(count);
        for (std::int64_t r = 0; r < shape.rows; ++r) {
          unpack_bits(planes[plane].data() + r * shape.row_bytes(), form->bits, form->is_signed,
                      own);
          // Rows run on: here every one begins with a byte, but for zero-points of one group.
          if (shape.cols * shape.bits % 8 != 0) continue;
          unpack_bits(data.data() + job.planes[plane].offset + r * shape.row_bytes(), form->bits,
                      !zero, there);
          for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(there[i], own[i] + difference) << spec;
        }
      }
    }
  }
}

TEST(OpenVino, SaysWhatItHoldsExactlyAndWhatRepacked) {
  TensorUse use;
  use.place.role = Role::up;
  use.rows = use.cols = 512;
  const auto says = [&](const char* spec) {
    const Verdict v = container().accepts(*make_grid(spec), use);
    return v.possible ? std::string(fidelity_word(v.fidelity)) : v.why;
  };
  EXPECT_EQ(says("bf16"), "exact");
  EXPECT_EQ(says("uint4:g128:zero:s16"), "exact");
  EXPECT_EQ(says("int4:g32:sym"), "exact");
  EXPECT_EQ(says("int8:channel:sym"), "exact");
  EXPECT_EQ(says("int4:g32:zero"), "repacked");
  EXPECT_EQ(says("uint4:g32:sym:sbf16"), "repacked");
  EXPECT_EQ(says("uint2:g64:zero:s16"), "exact");
  EXPECT_EQ(says("int2:g64:zero"), "repacked");
  EXPECT_EQ(says("nf4:g64"), "repacked");
  EXPECT_EQ(says("mxfp4"), "exact");
  EXPECT_EQ(says("nvfp4"), "exact");
  for (const char* spec : {"int3:g32", "int6:g32", "int2:g32:sym", "int4:g32:min", "int8:tensor",
                           "int4:g32:pow2", "q4_0", "fp4:g64", "fp64"}) {
    EXPECT_EQ(says(spec), kOpenVinoHolds) << spec;
  }
  use.cols = 48;
  EXPECT_EQ(says("int4:g32"), "48 columns are no multiple of 32");
  EXPECT_EQ(says("int8:channel"), "exact");
  use.cols = 49;
  EXPECT_EQ(says("nf4:g7"), "49 columns are no multiple of 2");
  use.cols = 512;
  for (const Role role : {Role::embedding, Role::position}) {
    use.place.role = role;
    EXPECT_EQ(says("int2:g64:zero"), "rows that are looked up have 4 bits at least");
    EXPECT_EQ(says("int4:g64:zero"), "repacked");
  }
  use.place.role = Role::ffn_norm;
  EXPECT_EQ(says("int4:g16"), "norms and biases stay in floating point");
}

TEST(OpenVino, FillsInItsNativeForm) {
  const auto spec = [](const char* text) {
    return make_grid(text, container().affine_defaults("bf16"))->spec();
  };
  EXPECT_EQ(spec("int4"), "int4:g128:zero:s16");
  EXPECT_EQ(spec("int4:g64:sym"), "int4:g64:sym:s16");
}

TEST(OpenVino, GivesWhatIsLookedUpAndTheHeadEightBits) {
  const Sample sample(kLlama);
  const auto rules = [&](const char* grid) {
    std::string all;
    for (const Rule& rule : container().rules(grid, sample.input()))
      all += rule.roles + "=" + rule.grid + " ";
    return all;
  };
  EXPECT_EQ(rules("int4:g64"),
            "*_norm,*.bias,convolution=fp32 embedding,position,head=int8:channel:zero:s16 "
            "=int4:g64:zero:s16 ");
  EXPECT_EQ(rules("int8:channel"), "*_norm,*.bias,convolution=fp32 =int8:channel:zero:s16 ");
  EXPECT_EQ(rules("int2:g64"),
            "*_norm,*.bias,convolution=fp32 embedding,position,head=int8:channel:zero:s16 "
            "=int2:g64:zero:s16 ");
  EXPECT_EQ(rules("bf16"), "*_norm,*.bias,convolution=fp32 =bf16 ");
}

}  // namespace
}  // namespace zp
