#pragma once

#include <functional>
#include <map>
#include <string>

#include <boost/json/value.hpp>

#include <concerto/base/error.hpp>

using Options = std::map<std::string, std::string>;  // of the command line

/// Registers the branch of XA whose action has this target.
concerto::Result<> register_branch(const std::string& target, const Options& options);

/// Makes a msg with the local work. `transaction` is what the Go program takes.
concerto::Result<> run_msg(const boost::json::value& transaction, const std::string& coordinator,
                           std::function<concerto::Result<>()> work);
