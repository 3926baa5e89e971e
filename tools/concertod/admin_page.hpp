#pragma once

#include <string_view>

namespace concerto::tools {

/// admin.html: the whole admin interface in one page.
extern const std::string_view admin_page;

}  // namespace concerto::tools
