#pragma once

#include <concerto/base/export.hpp>
#include <concerto/engine/observer.hpp>

namespace concerto {

/// Writes warnings and errors to stderr. Thread-safe.
class CONCERTO_EXPORT StderrLog final : public Observer {
 public:
  void log(LogLevel level, std::string_view gid, std::string_view text) override;
  bool logs(LogLevel level) const noexcept override { return level >= LogLevel::warn; }
};

}  // namespace concerto
