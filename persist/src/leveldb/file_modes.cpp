#include "file_modes.hpp"

#include <sys/stat.h>

namespace concerto::persist {

bool make_private(const std::string& path) noexcept {
  constexpr mode_t of_owner = S_IRWXU;
  constexpr mode_t of_others = S_IRWXG | S_IRWXO;
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return true;  // removed meanwhile
  if ((info.st_mode & of_others) == 0 || S_ISLNK(info.st_mode)) return true;
  return ::chmod(path.c_str(), info.st_mode & of_owner) == 0;
}

// The root of a volume often belongs to another user, and only that user may change its mode. Then
// the files' own modes keep others away.
std::vector<std::string> make_store_private(const std::string& store, const StoreListing& listing) {
  std::vector<std::string> open;
  (void)make_private(store);
  for (const std::string& name : listing.known) {
    if (!make_private(store + "/" + name)) open.push_back(name);
  }
  return open;
}

}  // namespace concerto::persist
