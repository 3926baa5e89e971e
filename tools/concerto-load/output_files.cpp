#include "output_files.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <map>
#include <unistd.h>
#include <utility>

#include <sys/stat.h>

namespace concerto::load {
namespace {

constexpr mode_t new_file_mode = 0666;

/// Closes the file. Returns a number of errno; 0: it was open.
int tried(int descriptor) {
  if (descriptor < 0) return errno;
  ::close(descriptor);
  return 0;
}

/// Whether a file can be written, as a number of errno; 0: it can. Of the existing files only
/// regular ones are opened: to open a pipe would wait for its reader.
int try_output_file(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0) {
    if (S_ISDIR(about.st_mode)) return EISDIR;
    if (S_ISREG(about.st_mode)) return tried(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return ::access(path.c_str(), W_OK) == 0 ? 0 : errno;
  }
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  const int failed = tried(::open(path.c_str(), flags, new_file_mode));
  if (failed == 0) ::unlink(path.c_str());
  return failed;
}

}  // namespace

std::string try_output_files(const LoadOptions& options) {
  std::map<std::string, std::string> options_of;
  for (const auto& [option, path] :
       {std::pair{"--json", &options.json_file}, std::pair{"--hgrm", &options.hgrm_file},
        std::pair{"--html", &options.html_file}}) {
    const bool is_stdout = path == &options.json_file && *path == "-";
    if (path->empty() || is_stdout) continue;
    const std::string begin = std::string(option) + ": '" + *path + "' ";
    const auto [other, is_new] = options_of.emplace(*path, option);
    if (!is_new) return begin + "is the file of " + other->second + ", too";
    const int failed = try_output_file(*path);
    if (failed != 0) return begin + "cannot be written: " + std::strerror(failed);
  }
  return {};
}

bool write_output_file(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) std::cerr << "'" << path << "' cannot be written: " << std::strerror(errno) << "\n";
  return static_cast<bool>(file);
}

}  // namespace concerto::load
