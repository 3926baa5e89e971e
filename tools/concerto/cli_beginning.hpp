#pragma once

#include <string_view>

namespace concerto::tools {

/// How docs/cli.md begins: cli_beginning.md.
extern const std::string_view cli_beginning;

}  // namespace concerto::tools
