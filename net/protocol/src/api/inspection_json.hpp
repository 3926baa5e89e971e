#pragma once

#include <chrono>
#include <string>

#include <boost/json/object.hpp>

#include <concerto/engine/inspection.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/store_health.hpp>

namespace concerto::net {

/// What a transaction is doing and why: the member `why` in the answer of `query`.
boost::json::object why_object(const Inspection& inspection, std::chrono::minutes offset);

/// The answer of `/api/concerto/why`: the members of why_object, with gid, type and status.
std::string why_json(const Inspection& inspection, std::chrono::minutes offset,
                     const ModeTable& modes);

/// The damaged records that the coordinator has met.
std::string damage_json(const DamageReport& report);

}  // namespace concerto::net
