#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/transport/grpc_call.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

// The service's side of branch calls: a service reads the call and writes the answer. The branch
// callers have the other side, in the same files of net/protocol/src/branch.

/// What a call says about itself. A name that the call lacks is empty. The payload of a call is the
/// gRPC message or the HTTP body as it is.
struct ReceivedCall {
  std::string gid;
  std::string trans_type;
  std::string branch_id;
  std::string op;

  friend bool operator==(const ReceivedCall&, const ReceivedCall&) = default;
};

/// Reads the metadata of a gRPC call, `dtm-gid` and the other `dtm-` fields (protocol page 04,
/// section 3).
CONCERTO_EXPORT ReceivedCall received_call(const GrpcMetadata& metadata);
/// Reads the query parameters of an HTTP call (section 2).
CONCERTO_EXPORT ReceivedCall received_call(const HttpRequest& request);

/// A call over JSON-RPC (section 4).
struct ReceivedRpcCall {
  std::string id;  ///< the text of the id, for the answer
  std::string method;
  ReceivedCall call;
};
/// Reads the body of a JSON-RPC call. The params are the payload, with the names of the call among
/// its members. Error invalid_request.
CONCERTO_EXPORT Result<ReceivedRpcCall> received_rpc_call(std::string_view body);

/// The bytes of a workflow.WorkflowData: the message of the call that resumes a workflow over gRPC
/// (section 5).
CONCERTO_EXPORT std::string workflow_data_message(std::string_view data);
/// Error invalid_request.
CONCERTO_EXPORT Result<std::string> workflow_data_from(std::string_view message);

/// A service's answers. `text` says why there is a failure or an error. The coordinator looks for
/// the words ONGOING and FAILURE in an answer over HTTP or JSON-RPC, so the text of a failure must
/// not have the first word, and that of an error must have neither. Over gRPC the text of a failure
/// must not be ONGOING.
CONCERTO_EXPORT GrpcReply grpc_branch_answer(Outcome outcome, std::string_view text = {});
CONCERTO_EXPORT HttpResponse http_branch_answer(Outcome outcome, std::string_view text = {});
/// `id`: that of the call.
CONCERTO_EXPORT HttpResponse rpc_branch_answer(Outcome outcome, std::string_view id,
                                               std::string_view text = {});

}  // namespace concerto::net
