#include <boost/algorithm/string/case_conv.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/protocol/api_grpc.hpp>

#include "api/audited.hpp"
#include "api/error_answers.hpp"
#include "api/grpc_messages.hpp"
#include "api/pending_outcome.hpp"
#include "api/request_contexts.hpp"

namespace concerto::net {
namespace {

std::vector<std::string> listed_services() {
  return {std::string{GrpcApi::service}, "grpc.health.v1.Health",
          "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"};
}

std::string path_of(std::string_view method) {
  return std::string{"/"}.append(GrpcApi::service).append("/").append(method);
}

GrpcReply failure(const Error& error) {
  GrpcReply reply;
  reply.status = grpc_answer(error);
  return reply;
}

Task<GrpcReply> reply_with(GrpcReply reply) {
  co_return reply;
}

GrpcReply reply_to(const Refusal& refusal) {
  GrpcReply reply;
  reply.status = grpc_answer(refusal);
  return reply;
}

GrpcReply reply_to(const Result<>& result) {
  return result ? GrpcReply::success({}) : failure(result.error());
}

}  // namespace

GrpcApi::GrpcApi(Executor executor, Coordinator& coordinator, const Gate& gate,
                 RandomSource& random, const Clock& clock, const RouteTable& routes,
                 GrpcApiOptions options)
    : coordinator_(coordinator),
      gate_(gate),
      random_(random),
      clock_(clock),
      routes_(routes),
      options_(options),
      health_(std::move(executor)),
      reflection_(listed_services()) {}

void GrpcApi::register_on(GrpcServer& server) {
  for (const Route& route : routes_.rows()) {
    if (!route.grpc.empty()) add(server, route);
  }
  health_.register_on(server);
  if (options_.reflection) {
    reflection_.register_on(server,
                            [this, role = *options_.reflection](const GrpcServerStream& stream) {
                              return refuse_reflection(role, stream);
                            });
  }
  set_serving(true);
}

void GrpcApi::set_serving(bool serving) {
  const ServingStatus status = serving ? ServingStatus::serving : ServingStatus::not_serving;
  health_.set("", status);
  health_.set(std::string{service}, status);
}

void GrpcApi::add(GrpcServer& server, const Route& route) {
  ApiProbe::Entry& counts = entry(route.grpc);
  const auto handle = [this, &counts, &route](GrpcRequest request) {
    RequestContext context = context_of(request, gate_.proxies());
    const auto refusal = gate_.refuse_grpc(route.needs(), context, request.metadata,
                                           request.certificate.get(), request.message.size());
    if (refusal) return refuse(route, request, context, *refusal);
    request.let_in();
    if (!is_recorded(route)) return count(counts, serve(route, std::move(request), context));
    AuditRecord record = record_of(route.needs(), request, context, {});
    return audited(*gate_.audit(), std::move(record),
                   count(counts, serve(route, std::move(request), context)));
  };
  const auto check = [this, &route](const GrpcRequest& request) {
    RequestContext context = context_of(request, gate_.proxies());
    const auto look =
        gate_.look_at_grpc(route.needs(), context, request.metadata, request.certificate.get());
    if (look.is_known) request.let_in();
    std::optional<Task<GrpcReply>> refusal;
    if (look.refusal) refusal = refuse(route, request, context, *look.refusal);
    return refusal;
  };
  server.add_unary(path_of(route.grpc), handle, check);
}

bool GrpcApi::is_recorded(const Route& route) const noexcept {
  return route.deed == RouteDeed::operates && gate_.audit() != nullptr;
}

Task<GrpcReply> GrpcApi::refuse(const Route& route, const GrpcRequest& request,
                                const RequestContext& context, const Refusal& refusal) const {
  if (!is_recorded(route)) return reply_with(reply_to(refusal));
  return audited_refusal(*gate_.audit(), record_of(route.needs(), request, context, refusal),
                         reply_to(refusal));
}

std::optional<GrpcStatus> GrpcApi::refuse_reflection(RouteRole role,
                                                     const GrpcServerStream& stream) const {
  const RouteNeeds needs{RouteDeed::reads, role, RouteBrowser::any_page};
  RequestContext context = context_of(stream, gate_.proxies());
  const auto refusal =
      gate_.refuse_grpc(needs, context, stream.metadata(), stream.certificate().get());
  if (!refusal) return std::nullopt;
  return grpc_answer(*refusal);
}

Task<GrpcReply> GrpcApi::serve(const Route& route, GrpcRequest request, RequestContext context) {
  if (const auto* const trans = std::get_if<TransOperation>(&route.operation)) {
    return change(*trans, std::move(request), context);
  }
  if (const auto* const branch = std::get_if<BranchOperation>(&route.operation)) {
    return register_branch(*branch, std::move(request), context);
  }
  const auto* const own = std::get_if<OwnHandlers>(&route.operation);
  // No message of dtmgimp.Dtm is a gid alone.
  CONCERTO_ASSERT(own != nullptr && own->grpc != nullptr);
  return (this->*own->grpc)(std::move(request), context);
}

ApiProbe::Entry& GrpcApi::entry(std::string_view method) {
  std::string api{method};
  boost::algorithm::to_lower(api);
  return probe_.entry(api);
}

Task<GrpcReply> GrpcApi::count(ApiProbe::Entry& entry, Task<GrpcReply> handled) {
  const SteadyTime begin = clock_.steady_now();
  GrpcReply reply = co_await std::move(handled);
  entry.add(reply.status.ok(), clock_.steady_now() - begin);
  co_return reply;
}

Task<GrpcReply> GrpcApi::new_gid(GrpcRequest /*request*/, RequestContext /*context*/) {
  co_return GrpcReply::success(gid_reply(Coordinator::new_gid(random_)));
}

Task<GrpcReply> GrpcApi::register_branch(BranchOperation operation, GrpcRequest request,
                                         RequestContext context) {
  Result<BranchRequest> branch = branch_request_from_proto(request.message);
  if (!branch) co_return failure(branch.error());
  const Result<> result = co_await (coordinator_.*operation)(std::move(*branch), context);
  co_return reply_to(result);
}

Task<GrpcReply> GrpcApi::prepare_workflow(GrpcRequest request, RequestContext context) {
  Result<TransRequest> trans = trans_request_from_proto(request.message);
  if (!trans) co_return failure(trans.error());
  take_trace_state(*trans, context, request.metadata);
  const auto prepared = co_await coordinator_.prepare_workflow(std::move(*trans), context);
  if (!prepared) co_return failure(prepared.error());
  co_return GrpcReply::success(progresses_reply(*prepared));
}

Task<GrpcReply> GrpcApi::subscribe(GrpcRequest request, RequestContext context) {
  Result<TopicRequest> topic = topic_request_from_proto(request.message);
  if (!topic) co_return failure(topic.error());
  const Result<> result = co_await coordinator_.subscribe(
      std::move(topic->topic), std::move(topic->url), std::move(topic->remark), context);
  co_return reply_to(result);
}

Task<GrpcReply> GrpcApi::unsubscribe(GrpcRequest request, RequestContext context) {
  Result<TopicRequest> topic = topic_request_from_proto(request.message);
  if (!topic) co_return failure(topic.error());
  const Result<> result =
      co_await coordinator_.unsubscribe(std::move(topic->topic), std::move(topic->url), context);
  co_return reply_to(result);
}

Task<GrpcReply> GrpcApi::delete_topic(GrpcRequest request, RequestContext context) {
  Result<TopicRequest> topic = topic_request_from_proto(request.message);
  if (!topic) co_return failure(topic.error());
  const Result<> result = co_await coordinator_.delete_topic(std::move(topic->topic), context);
  co_return reply_to(result);
}

Task<GrpcReply> GrpcApi::change(TransOperation operation, GrpcRequest request,
                                RequestContext context) {
  Result<TransRequest> trans = trans_request_from_proto(request.message);
  if (!trans) co_return failure(trans.error());
  take_trace_state(*trans, context, request.metadata);
  request.message = {};  // the submit may wait for a long time
  Gid gid = trans->gid;
  const Result<> result = co_await (coordinator_.*operation)(std::move(*trans), context);
  GrpcReply reply = reply_to(result);
  if (!result) {
    const bool pending = co_await is_pending(coordinator_, std::move(gid), result.error().code);
    if (pending) reply.trailers.add(outcome_trailer, outcome_pending);
  }
  co_return reply;
}

}  // namespace concerto::net
