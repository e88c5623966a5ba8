// safetensors: u64 header length | JSON header | data. Source: huggingface/safetensors README.
//
// The header names every tensor's dtype, shape and [begin, end) in the data; the tensors cover the
// data without gap or overlap.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/view.h"
#include "tensor/dtype.h"

namespace zp::safetensors {

struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::int64_t begin = 0;  ///< byte of the file
  std::int64_t bytes = 0;
};

struct Header {
  std::map<std::string, std::string> metadata;
  std::vector<TensorInfo> tensors;  ///< in the order of the data
  std::int64_t data_begin = 0;
};

/// Checks the header against the bytes that are there (full cover, no overlap, overflow, duplicate
/// names, <= 100 MB header). `where` begins messages. Throws Error.
Header read_header(Bytes file, const std::string& where);

/// Header bytes (with the length, padded with spaces to 8). The tensors' data follows in the order
/// given; sets begin and bytes of each and data_begin.
std::vector<std::byte> write_header(Header& header);

}  // namespace zp::safetensors
