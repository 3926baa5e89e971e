#pragma once

#include <string_view>

namespace concerto::tools {

// The admin interface. Script and style are apart from the page, so that its policy allows no other
// ones (Content-Security-Policy).
extern const std::string_view admin_page;    // admin.html
extern const std::string_view admin_script;  // admin.js
extern const std::string_view admin_style;   // admin.css

}  // namespace concerto::tools
