#include "custom_data.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <string>

#include <boost/json.hpp>

namespace concerto {
namespace {

namespace json = boost::json;

constexpr std::int64_t delay_seconds_max = std::numeric_limits<std::int32_t>::max();

Error bad(std::string text) {
  return make_error(Errc::invalid_request, "custom_data: " + std::move(text));
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

Result<std::vector<std::uint32_t>> predecessors(std::uint32_t step, const json::value& list) {
  if (!list.is_array()) return bad("orders of step " + std::to_string(step) + " is not an array");
  std::vector<std::uint32_t> result;
  for (const json::value& item : list.get_array()) {
    error_code failed;
    const auto before = item.to_number<std::uint32_t>(failed);
    if (failed || before >= step) {
      return bad("orders of step " + std::to_string(step) + " must name earlier steps, not " +
                 json::serialize(item));
    }
    result.push_back(before);
  }
  return result;
}

Result<> read_saga(const json::object& object, std::size_t step_count, CustomData& data) {
  if (const auto* concurrent = object.if_contains("concurrent")) {
    if (!concurrent->is_bool()) return bad("concurrent is not a boolean");
    data.concurrent = concurrent->get_bool();
  }
  const auto* orders = object.if_contains("orders");
  if (orders == nullptr || orders->is_null()) return ok();
  if (!orders->is_object()) return bad("orders is not an object");
  data.orders.resize(step_count);
  for (const auto& [key, list] : orders->get_object()) {
    CONCERTO_TRY(const auto step, step_index(key, step_count));
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

Result<> read_msg(const json::object& object, CustomData& data) {
  for (const auto& [key, value] : object) {
    if (!is_delay(key)) continue;
    error_code failed;
    const auto delay = value.to_number<std::int64_t>(failed);
    if (failed || delay < 0 || delay > delay_seconds_max) {
      return bad("delay must be a number of seconds from 0 to " +
                 std::to_string(delay_seconds_max) + ", not " + json::serialize(value));
    }
    data.delay = std::chrono::seconds(delay);
  }
  return ok();
}

}  // namespace

Result<CustomData> parse_custom_data(TransType type, std::string_view text,
                                     std::size_t step_count) {
  CustomData data;
  if (text.empty() || (type != TransType::saga && type != TransType::msg)) return data;
  error_code failed;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), failed);
  if (failed) return bad("not JSON: " + failed.message());
  if (value.is_null()) return data;
  if (!value.is_object()) return bad("not a JSON object");
  if (type == TransType::saga) {
    CONCERTO_CHECK(read_saga(value.get_object(), step_count, data));
  } else {
    CONCERTO_CHECK(read_msg(value.get_object(), data));
  }
  return data;
}

}  // namespace concerto
