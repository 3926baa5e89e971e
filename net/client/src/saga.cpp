#include <concerto/client/client_error.hpp>
#include <concerto/client/saga.hpp>

#include "core.hpp"

namespace concerto::client {
namespace {

/// `{"concurrent":true,"orders":{"1":[0]}}`
std::string concurrent_data(const std::map<std::size_t, std::vector<std::size_t>>& orders) {
  std::string text = R"({"concurrent":true,"orders":{)";
  const char* comma = "";
  for (const auto& [branch, earlier] : orders) {
    text.append(comma).append("\"").append(std::to_string(branch)).append("\":[");
    comma = "";
    for (const std::size_t each : earlier) {
      text.append(comma).append(std::to_string(each));
      comma = ",";
    }
    text += ']';
    comma = ",";
  }
  return text + "}}";
}

}  // namespace

Saga::Saga(detail::Core& core, std::string gid) : core_(core) {
  request_.gid = Gid{std::move(gid)};
  request_.trans_type = "saga";
}

Saga& Saga::add(std::string action, std::string compensate, std::string payload) {
  request_.steps.push_back({std::move(action), std::move(compensate)});
  request_.payloads.push_back(std::move(payload));
  return *this;
}

Saga& Saga::concurrent() {
  concurrent_ = true;
  return *this;
}

Saga& Saga::add_branch_order(std::size_t branch, std::vector<std::size_t> earlier) {
  orders_[branch] = std::move(earlier);
  return *this;
}

Async<> Saga::submit() const {
  request_.options = options;
  request_.options.concurrent |= concurrent_;
  request_.custom_data = request_.options.concurrent ? concurrent_data(orders_) : std::string{};
  return core_.send("submit", request_);
}

}  // namespace concerto::client
