#pragma once

#include <string_view>

#include <boost/json/value.hpp>

namespace concerto::tools {

namespace json = boost::json;

/// The route that tells a coordinator from any other HTTP service.
inline constexpr std::string_view version_path = "/api/dtmsvr/version";
inline constexpr std::string_view metrics_path = "/metrics";

/// Whether `answer` to a request of `path` has what a coordinator says there. Other HTTP services
/// answer 200 as well, and lists that are missing would look like lists that are empty.
bool is_answer_of_coordinator(std::string_view path, const json::value& answer);

/// Whether a coordinator's answer to `path` has something that other services do not say. If it has
/// not, as `{"dtm_result":"SUCCESS"}`, the version is asked for before.
bool has_telling_answer(std::string_view path);

/// Whether a text is a page of metrics of a coordinator.
bool is_metrics_page(std::string_view text);

}  // namespace concerto::tools
