#include "file_watch.hpp"

#include <utility>

#include <sys/stat.h>

namespace concerto::tools {
namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

FileStamp stamp_of(const std::string& file) {
  FileStamp stamp;
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return stamp;
  stamp.device = found.st_dev;
  stamp.inode = found.st_ino;
  stamp.bytes = found.st_size;
  // The time of the change, not of the contents: programs may set the latter as they like.
  stamp.changed_nanoseconds = found.st_ctim.tv_sec * nanoseconds_per_second + found.st_ctim.tv_nsec;
  return stamp;
}

}  // namespace

FileStamps stamps_of(const std::vector<std::string>& files) {
  FileStamps stamps;
  for (const std::string& file : files) stamps.push_back(stamp_of(file));
  return stamps;
}

bool FileWatch::look(FileStamps now) {
  const bool rests = now == last_;
  last_ = std::move(now);
  if (!rests) return false;
  const bool retries = looks_until_retry_ > 0 && --looks_until_retry_ == 0;
  if (last_ == read_ && !retries) return false;
  read_ = last_;
  looks_until_retry_ = 0;
  return true;
}

}  // namespace concerto::tools
