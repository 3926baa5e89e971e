#pragma once

#include <string>
#include <string_view>

namespace concerto {

/// Who makes a request, as its token or certificate says. It refers to a name that outlives all
/// requests, so it is as cheap to copy as a number.
class CallerId {
 public:
  /// Nobody who is known: a request of the process itself, or of a server that asks nobody.
  constexpr CallerId() noexcept = default;
  /// `name` must outlive the id and its copies. The same caller always has the same object.
  constexpr explicit CallerId(const std::string& name) noexcept : name_(&name) {}

  constexpr bool is_known() const noexcept { return name_ != nullptr; }
  /// Has no control characters. Empty if nobody is known.
  std::string_view name() const noexcept {
    return name_ == nullptr ? std::string_view{} : std::string_view{*name_};
  }
  bool operator==(const CallerId&) const = default;

 private:
  const std::string* name_ = nullptr;
};

}  // namespace concerto
