#pragma once

#include <string_view>

namespace concerto::net {

/// net/protocol/openapi/openapi.json, which describes the HTTP interface.
extern const std::string_view openapi_document;

}  // namespace concerto::net
