#pragma once

#include <string_view>

namespace concerto::tools {

// The web console as its build (tools/console) has made it, or a page that says that this build has
// none. Script and style are apart from the page, so that its policy allows no other ones.
extern const std::string_view console_page;    // index.html
extern const std::string_view console_script;  // page.js
extern const std::string_view console_style;   // page.css
extern const std::string_view console_icon;    // icon.svg

}  // namespace concerto::tools
