#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include <concerto/protocol/access_rules.hpp>
#include <concerto/protocol/route_needs.hpp>

#include "config.hpp"

namespace concerto::tools {

/// Who `viewers`, `anyone` or `nobody` are, as in Auth.Metrics; nothing for nobody.
std::optional<net::RouteRole> role_for(std::string_view who) noexcept;

/// What everybody on the network may do with this configuration; nothing if the server asks its
/// callers who they are, or only this machine reaches it.
std::optional<std::string> open_door(const Config& config);

/// The files that say who may call. Used on the main thread.
class AccessFiles {
 public:
  explicit AccessFiles(AuthConfig auth) : auth_(std::move(auth)) {}

  /// Reads the files. The error names the file, and never a token.
  Result<std::shared_ptr<const net::AccessRules>> read();

  /// Whether a file has changed since it was read, and not any more since the last question: a file
  /// that somebody writes at this moment is not read yet.
  bool have_changed();

 private:
  /// What changes with a file's content; all 0 without a file.
  struct Stamp {
    timespec written{};
    timespec changed{};
    ino_t node = 0;
    off_t bytes = 0;

    bool operator==(const Stamp& other) const noexcept;
  };
  using Stamps = std::vector<Stamp>;

  Stamps look() const;

  const AuthConfig auth_;
  Stamps read_;
  Stamps seen_;
};

}  // namespace concerto::tools
