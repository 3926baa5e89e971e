#include "json_members.hpp"

#include <boost/json/serialize.hpp>

namespace concerto::tools {
namespace {

const json::value& member(const json::object& of, std::string_view name) noexcept {
  static const json::value nothing;
  const json::value* const found = of.if_contains(name);
  return found == nullptr ? nothing : *found;
}

}  // namespace

const json::object& object_of(const json::value& value) noexcept {
  static const json::object nothing;
  return value.is_object() ? value.get_object() : nothing;
}

const json::object& object_member(const json::object& of, std::string_view name) noexcept {
  return object_of(member(of, name));
}

const json::array& array_member(const json::object& of, std::string_view name) noexcept {
  static const json::array nothing;
  const json::value& value = member(of, name);
  return value.is_array() ? value.get_array() : nothing;
}

std::string text_member(const json::object& of, std::string_view name) {
  const json::value& value = member(of, name);
  if (value.is_string()) return std::string(value.get_string());
  return value.is_number() ? json::serialize(value) : std::string();
}

std::uint64_t count_member(const json::object& of, std::string_view name) noexcept {
  const json::value& value = member(of, name);
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() > 0) {
    return static_cast<std::uint64_t>(value.get_int64());
  }
  return 0;
}

bool true_member(const json::object& of, std::string_view name) noexcept {
  const json::value& value = member(of, name);
  return value.is_bool() && value.get_bool();
}

bool is_partial(const json::object& answer) noexcept {
  return answer.contains("complete") && !true_member(answer, "complete");
}

}  // namespace concerto::tools
