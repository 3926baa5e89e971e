#pragma once

#include <chrono>
#include <string>

#include <boost/json/object.hpp>

#include <concerto/engine/inspection.hpp>
#include <concerto/engine/mode.hpp>

namespace concerto::net {

/// Why a transaction is where it is: the member `why` of the answer of `query`.
boost::json::object why_object(const Inspection& inspection, std::chrono::minutes offset);

/// Answer of `/api/concerto/why`: the same with gid, type and status.
std::string why_json(const Inspection& inspection, std::chrono::minutes offset,
                     const ModeTable& modes);

}  // namespace concerto::net
