#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace concerto::test {

/// Empty if there is no such file.
inline std::string file_content(const std::string& path) {
  const std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  // Not byte by byte: without optimisation that takes minutes.
  if (in) content << in.rdbuf();
  return std::move(content).str();
}

inline void set_file_content(const std::string& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
}

}  // namespace concerto::test
