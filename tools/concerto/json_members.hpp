#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace concerto::tools {

namespace json = boost::json;

// What answers have, read leniently: a member that is missing, or of another kind, counts as empty.

/// The object that a value is; an empty one for other values.
const json::object& object_of(const json::value& value) noexcept;
const json::object& object_member(const json::object& of, std::string_view name) noexcept;
const json::array& array_member(const json::object& of, std::string_view name) noexcept;
/// A text, or the digits of a number.
std::string text_member(const json::object& of, std::string_view name);
std::uint64_t count_member(const json::object& of, std::string_view name) noexcept;
bool true_member(const json::object& of, std::string_view name) noexcept;
/// Whether an answer says of itself that it leaves something out: `"complete":false`.
bool is_partial(const json::object& answer) noexcept;

}  // namespace concerto::tools
