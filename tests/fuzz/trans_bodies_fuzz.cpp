// Bodies of submit, prepare and abort, and the custom_data in them. Every text that was read is
// UTF-8, no gid has a character that would end a log line, and no order of steps names a missing
// step.

#include <concerto/base/utf8.hpp>
#include <concerto/engine/mode.hpp>

#include "api/request_json.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

void check_custom_data(const TransRequest& request) {
  for (const Mode* const mode : ModeTable::standard().all()) {
    const auto data = parse_custom_data(*mode, request.custom_data, request.steps.size());
    if (!data) continue;
    require(data->delay.count() >= 0);
    for (const auto& before : data->orders) {
      for (const std::uint32_t step : before) require(step < request.steps.size());
    }
  }
}

void check_texts(const TransRequest& request) {
  for (const std::string* text :
       {&request.gid.str(), &request.trans_type, &request.protocol, &request.custom_data,
        &request.query_prepared, &request.rollback_reason}) {
    require(is_utf8(*text));
  }
  for (const Step& step : request.steps) require(is_utf8(step.action) && is_utf8(step.compensate));
  for (const std::string& payload : request.payloads) require(is_utf8(payload));
  for (const auto& [name, value] : request.options.branch_headers) {
    require(is_utf8(name) && is_utf8(value));
  }
  for (const auto& [name, value] : request.extra) require(is_utf8(name) && is_utf8(value));
}

}  // namespace

void trans_bodies(std::string_view input) {
  const auto request = net::trans_request_from_json(input);
  if (!request) {
    require(request.error().code == Errc::invalid_request && !request.error().detail.empty());
    return;
  }
  require(request->gid.view().find_first_of("\r\n;") == std::string_view::npos);
  check_texts(*request);
  check_custom_data(*request);
}

}  // namespace concerto::fuzz
