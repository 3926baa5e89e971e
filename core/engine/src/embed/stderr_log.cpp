#include <cstdio>
#include <string>

#include <concerto/base/utf8.hpp>
#include <concerto/engine/stderr_log.hpp>

namespace concerto {

void StderrLog::log(LogLevel level, std::string_view gid, std::string_view text) {
  std::string line = level == LogLevel::error ? "concerto: error: " : "concerto: warning: ";
  if (!gid.empty()) line.append(gid).append(": ");
  std::fprintf(stderr, "%s\n", visible_line(line.append(text)).c_str());
}

}  // namespace concerto
