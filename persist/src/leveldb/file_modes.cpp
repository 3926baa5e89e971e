#include "file_modes.hpp"

#include <array>
#include <pwd.h>

#include <sys/stat.h>

#include "store_files.hpp"

namespace concerto::persist {
namespace {

std::string name_of(uid_t user) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text;
  (void)::getpwuid_r(user, &entry, text.data(), text.size(), &found);
  return found != nullptr ? entry.pw_name : "#" + std::to_string(user);
}

}  // namespace

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

Result<> check_owner(const std::string& store, uid_t user) {
  struct stat info {};
  if (user != 0 || ::stat(identity_path(store).c_str(), &info) != 0 || info.st_uid == 0) {
    return ok();
  }
  const std::string owner = name_of(info.st_uid);
  return make_error(EngineErrc::store_unavailable,
                    "the store '" + store + "' belongs to the user '" + owner +
                        "', who could not use it any more after root: run this as that user " +
                        "(sudo -u '" + owner + "' ..)");
}

}  // namespace concerto::persist
