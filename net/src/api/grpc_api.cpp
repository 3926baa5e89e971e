#include <concerto/net/api_grpc.hpp>

#include "api/error_answers.hpp"
#include "api/grpc_messages.hpp"

namespace concerto::net {
namespace {

/// Methods of later versions: clients learn what is missing, not that the service is unknown.
constexpr std::string_view methods_to_come[] = {"PrepareWorkflow", "Subscribe", "Unsubscribe",
                                                "DeleteTopic"};

std::vector<std::string> listed_services() {
  return {std::string{GrpcApi::service}, "grpc.health.v1.Health",
          "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"};
}

Task<GrpcReply> refuse(std::string_view method) {
  co_return GrpcReply::failure(
      GrpcCode::unimplemented,
      std::string{method}.append(" of dtmgimp.Dtm is not in this version of the coordinator"));
}

GrpcReply failure(const Error& error) {
  GrpcReply reply;
  reply.status = grpc_answer(error);
  return reply;
}

}  // namespace

GrpcApi::GrpcApi(Executor executor, Coordinator& coordinator, RandomSource& random)
    : coordinator_(coordinator),
      random_(random),
      health_(std::move(executor)),
      reflection_(listed_services()) {}

void GrpcApi::register_on(GrpcServer& server) {
  const auto bound = [this](TransOperation operation) {
    return [this, operation](GrpcRequest request) { return change(operation, std::move(request)); };
  };
  add(server, "NewGid", [this](GrpcRequest request) { return new_gid(std::move(request)); });
  add(server, "Submit", bound(&Coordinator::submit));
  add(server, "Prepare", bound(&Coordinator::prepare));
  add(server, "Abort", bound(&Coordinator::abort));
  add(server, "RegisterBranch",
      [this](GrpcRequest request) { return register_branch(std::move(request)); });
  for (const std::string_view method : methods_to_come) {
    add(server, method, [method](GrpcRequest) { return refuse(method); });
  }
  health_.register_on(server);
  reflection_.register_on(server);
  set_serving(true);
}

void GrpcApi::set_serving(bool serving) {
  const ServingStatus status = serving ? ServingStatus::serving : ServingStatus::not_serving;
  health_.set("", status);
  health_.set(std::string{service}, status);
}

void GrpcApi::add(GrpcServer& server, std::string_view method, GrpcUnaryHandler handler) {
  std::string path = "/";
  path.append(service).append("/").append(method);
  server.add_unary(std::move(path), std::move(handler));
}

Task<GrpcReply> GrpcApi::new_gid(GrpcRequest /*request*/) {
  co_return GrpcReply::success(gid_reply(Coordinator::new_gid(random_)));
}

Task<GrpcReply> GrpcApi::register_branch(GrpcRequest request) {
  Result<BranchRequest> branch = branch_request_from_proto(request.message);
  if (!branch) co_return failure(branch.error());
  const Result<> result = co_await coordinator_.register_branch(std::move(*branch));
  if (!result) co_return failure(result.error());
  co_return GrpcReply::success({});
}

Task<GrpcReply> GrpcApi::change(TransOperation operation, GrpcRequest request) {
  Result<TransRequest> trans = trans_request_from_proto(request.message);
  if (!trans) co_return failure(trans.error());
  request.message = {};  // a submit may wait long for its result
  trans->wait_until = request.deadline;
  const Result<> result = co_await (coordinator_.*operation)(std::move(*trans));
  if (!result) co_return failure(result.error());
  co_return GrpcReply::success({});
}

}  // namespace concerto::net
