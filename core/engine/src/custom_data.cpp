#include "custom_data.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <string>

#include <concerto/base/base64.hpp>
#include <concerto/base/json_tree.hpp>

namespace concerto {
namespace {

constexpr std::int64_t delay_seconds_max = std::numeric_limits<std::int32_t>::max();

Error bad(std::string text) {
  return make_error(Errc::invalid_request, "custom_data: " + std::move(text));
}

/// A value as errors show it.
std::string shown(JsonValue value) {
  if (const auto number = value.whole_number()) return std::to_string(*number);
  return std::string(describe(value.kind()));
}

Result<std::uint32_t> step_index(std::string_view text, std::size_t step_count) {
  std::uint32_t index = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (failed != std::errc{} || end != text.data() + text.size() || index >= step_count) {
    return bad("orders names step '" + std::string(text) + "', which is none of the " +
               std::to_string(step_count) + " steps");
  }
  return index;
}

Result<std::vector<std::uint32_t>> predecessors(std::uint32_t step, JsonValue list) {
  if (!list.is(JsonKind::array)) {
    return bad("orders of step " + std::to_string(step) + " is not an array");
  }
  std::vector<std::uint32_t> result;
  for (const JsonValue item : list) {
    const auto before = item.whole_number();
    if (!before || *before < 0 || *before >= step) {
      return bad("orders of step " + std::to_string(step) + " must name earlier steps, not " +
                 shown(item));
    }
    result.push_back(static_cast<std::uint32_t>(*before));
  }
  return result;
}

Result<> read_saga(JsonValue object, std::size_t step_count, CustomData& data) {
  if (const auto concurrent = object.find("concurrent")) {
    if (!concurrent->is(JsonKind::boolean)) return bad("concurrent is not a boolean");
    data.concurrent = concurrent->boolean();
  }
  const auto orders = object.find("orders");
  if (!orders || orders->is(JsonKind::null)) return ok();
  if (!orders->is(JsonKind::object)) return bad("orders is not an object");
  data.orders.resize(step_count);
  for (const JsonValue list : *orders) {
    CONCERTO_TRY(const auto step, step_index(list.key(), step_count));
    CONCERTO_TRY(data.orders[step], predecessors(step, list));
  }
  return ok();
}

bool is_delay(std::string_view key) {
  return std::equal(key.begin(), key.end(), std::string_view("delay").begin(),
                    std::string_view("delay").end(), [](char left, char right) {
                      return std::tolower(static_cast<unsigned char>(left)) == right;
                    });
}

Result<> read_msg(JsonValue object, CustomData& data) {
  for (const JsonValue member : object) {
    if (!is_delay(member.key())) continue;
    const auto delay = member.whole_number();
    if (!delay || *delay < 0 || *delay > delay_seconds_max) {
      return bad("delay must be a number of seconds from 0 to " +
                 std::to_string(delay_seconds_max) + ", not " + shown(member));
    }
    data.delay = std::chrono::seconds(*delay);
  }
  return ok();
}

Result<> read_workflow(JsonValue object, CustomData& data) {
  const auto name = object.find("name");
  if (!name || !name->is(JsonKind::text)) return bad("name is not a string");
  data.name = name->text();
  const auto input = object.find("data");
  if (!input || input->is(JsonKind::null)) return ok();
  if (!input->is(JsonKind::text)) return bad("data is not a string");
  auto decoded = base64_decode(input->text());
  if (!decoded) return bad("data is not base64");
  data.data = std::move(*decoded);
  return ok();
}

}  // namespace

Result<CustomData> parse_custom_data(TransType type, std::string_view text,
                                     std::size_t step_count) {
  CustomData data;
  const bool is_read =
      type == TransType::saga || type == TransType::msg || type == TransType::workflow;
  if (text.empty() || !is_read) return data;
  JsonTree tree;
  if (const Result<> parsed = tree.parse(text); !parsed) return bad(parsed.error().detail);
  const JsonValue object = tree.root();
  if (object.is(JsonKind::null)) return data;
  if (!object.is(JsonKind::object)) return bad("not a JSON object");
  if (type == TransType::saga) {
    CONCERTO_CHECK(read_saga(object, step_count, data));
  } else if (type == TransType::msg) {
    CONCERTO_CHECK(read_msg(object, data));
  } else {
    CONCERTO_CHECK(read_workflow(object, data));
  }
  return data;
}

}  // namespace concerto
