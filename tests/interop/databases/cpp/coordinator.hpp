#pragma once

#include <functional>
#include <map>
#include <string>

#include <boost/json/value.hpp>

#include <concerto/barrier/barrier.hpp>

#include "branch.hpp"

using Options = std::map<std::string, std::string>;  // of the command line

/// A branch of XA on this process's database.
using Xa = std::function<concerto::Result<>(concerto::Barrier&, const Order&, const Step& last)>;

Order order_of(const boost::json::value& body);

/// Registers the branch of XA whose action has this target.
concerto::Result<> register_branch(const std::string& target, const Options& options);

// These make a transaction. `transaction` is what the Go program takes.

/// A msg with the local work.
concerto::Result<> run_msg(const boost::json::value& transaction, const std::string& coordinator,
                           std::function<concerto::Result<>()> work);
/// XA, whose branches are others.
concerto::Result<> run_xa(const boost::json::value& transaction, const std::string& coordinator);
/// A workflow whose steps are XA on this process's database.
concerto::Result<> run_workflow(const boost::json::value& transaction,
                                const std::string& coordinator, const Xa& xa);
