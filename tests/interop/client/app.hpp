#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include <concerto/client/client.hpp>

namespace concerto::client {

struct Arguments {
  std::string wire;
  std::string coordinator;
  std::string listen;  ///< where workflows are resumed
  boost::json::object transaction;
};

std::string text(const boost::json::object& object, std::string_view name);
TransOptions options_of(const boost::json::object& transaction);
/// An object over HTTP, a google.protobuf.StringValue over gRPC.
std::string payload(std::string_view wire, const boost::json::object& branch);
/// `ok`, or the text of an error.
void print_result(std::string line);

/// Executes the workflow that the transaction describes, if there is one, and serves until the
/// program is killed.
void run_workflows(const Arguments& arguments);

}  // namespace concerto::client
