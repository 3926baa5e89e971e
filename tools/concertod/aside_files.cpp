#include "aside_files.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace concerto::tools {
namespace {

namespace fs = std::filesystem;
using WallClock = std::chrono::system_clock;

constexpr std::string_view stamp_shape = "0000-00-00T00-00-00.000";

// Whether `name` is a name that aside_name makes for `log`, compressed or not. Only such files are
// ever removed.
bool is_aside(const fs::path& log, std::string_view name) {
  const std::string prefix = log.stem().string() + "-";
  const std::string suffix = log.extension().string();
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name.size() != prefix.size() + stamp_shape.size() + suffix.size()) return false;
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return false;
  const std::string_view stamp = name.substr(prefix.size(), stamp_shape.size());
  return std::ranges::equal(stamp, stamp_shape, [](char c, char shape) {
    return shape == '0' ? c >= '0' && c <= '9' : c == shape;
  });
}

}  // namespace

fs::path AsideFiles::new_name(WallClock::time_point now) const {
  const std::time_t seconds = WallClock::to_time_t(now);
  std::tm parts{};
  if (rotation_.local_time) {
    ::localtime_r(&seconds, &parts);
  } else {
    ::gmtime_r(&seconds, &parts);
  }
  std::array<char, 32> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H-%M-%S", &parts);
  const auto millis =
      std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  const std::string digits = std::to_string(1000 + millis).substr(1);
  const std::string stamp = std::string{text.data(), length} + "." + digits;
  return path_.parent_path() / (path_.stem().string() + "-" + stamp + path_.extension().string());
}

std::vector<fs::path> AsideFiles::list() const {
  const fs::path directory = path_.has_parent_path() ? path_.parent_path() : ".";
  std::vector<fs::path> files;
  std::error_code failed;
  fs::directory_iterator at{directory, failed};
  for (; !failed && at != fs::directory_iterator{}; at.increment(failed)) {
    if (is_aside(path_, at->path().filename().string())) files.push_back(at->path());
  }
  // The time in the name orders the files.
  const auto name = [](const fs::path& file) { return file.filename().string(); };
  std::ranges::sort(files, std::ranges::greater{}, name);
  return files;
}

void AsideFiles::remove_old(WallClock::time_point now) const {
  const auto oldest = std::chrono::file_clock::from_sys(now) - rotation_.age_max;
  std::size_t kept = 0;
  for (const fs::path& file : list()) {
    std::error_code failed;
    const fs::file_time_type written = fs::last_write_time(file, failed);
    if (failed) continue;
    const bool too_many = rotation_.files_max > 0 && kept >= rotation_.files_max;
    const bool too_old = rotation_.age_max.count() > 0 && written < oldest;
    ++kept;
    if (too_many || too_old) fs::remove(file, failed);
  }
}

}  // namespace concerto::tools
