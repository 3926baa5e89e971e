#pragma once

#include <concerto/engine/observer.hpp>

namespace concerto::tools {

/// For a store that is opened for a look: what it would log is in the error that it returns, or is
/// said again when the store is opened for work.
class NoLog final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view) override {}
  bool logs(LogLevel) const noexcept override { return false; }
};

}  // namespace concerto::tools
