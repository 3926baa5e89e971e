#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/protocol/access_rules.hpp>
#include <concerto/protocol/route_needs.hpp>

#include "config.hpp"
#include "file_watch.hpp"

namespace concerto::tools {

/// Who `viewers`, `anyone` or `nobody` are, as in Auth.Metrics; nothing for nobody.
std::optional<net::RouteRole> role_for(std::string_view who) noexcept;

/// What everybody on the network may do with this configuration, and what anybody on the way may
/// read, one warning each. Looks at each port: the admin port may have an address of its own.
std::vector<std::string> open_doors(const Config& config);

/// The files that say who may call. Used on the main thread.
class AccessFiles {
 public:
  explicit AccessFiles(AuthConfig auth);

  /// Reads the files. The error names the file, and never a token.
  Result<std::shared_ptr<const net::AccessRules>> read();
  /// Whether the files have to be read now (FileWatch::look).
  bool have_changed() { return watch_.look(stamps_of(files_)); }

 private:
  Result<std::shared_ptr<const net::AccessRules>> read_now() const;

  const AuthConfig auth_;
  const std::vector<std::string> files_;
  FileWatch watch_;
};

}  // namespace concerto::tools
