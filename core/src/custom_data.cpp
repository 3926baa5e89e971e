#include "custom_data.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <string>

#include <boost/json.hpp>

#include <concerto/core/base64.hpp>

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

Result<> read_workflow(const json::object& object, CustomData& data) {
  const auto* name = object.if_contains("name");
  if (name == nullptr || !name->is_string()) return bad("name is not a string");
  data.name = std::string_view(name->get_string());
  const auto* input = object.if_contains("data");
  if (input == nullptr || input->is_null()) return ok();
  if (!input->is_string()) return bad("data is not a string");
  auto decoded = base64_decode(std::string_view(input->get_string()));
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
  error_code failed;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), failed);
  if (failed) return bad("not JSON: " + failed.message());
  if (value.is_null()) return data;
  if (!value.is_object()) return bad("not a JSON object");
  const json::object& object = value.get_object();
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
