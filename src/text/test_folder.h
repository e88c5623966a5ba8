// A folder of small files for tests, removed at the end.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace zp {

class TestFolder {
 public:
  TestFolder() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    path_ =
        std::filesystem::temp_directory_path() / ("zp-" + name + "-" + std::to_string(getpid()));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::filesystem::path write(const char* name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The line that `action` throws, or "" if it doesn't.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// Trial data beside the project; empty when it isn't there.
inline std::filesystem::path trial_data() {
  const std::filesystem::path path = "../shared/data";
  return std::filesystem::is_directory(path) ? path : std::filesystem::path();
}

}  // namespace zp
