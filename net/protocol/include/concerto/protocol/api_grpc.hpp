#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/protocol/api_probe.hpp>
#include <concerto/protocol/gate.hpp>
#include <concerto/protocol/route_table.hpp>
#include <concerto/transport/grpc_health.hpp>
#include <concerto/transport/grpc_reflection.hpp>
#include <concerto/transport/grpc_server.hpp>

namespace concerto::net {

struct CONCERTO_EXPORT GrpcApiOptions {
  /// Who may use the reflection service; nobody: the server does not have it.
  std::optional<RouteRole> reflection = RouteRole::viewers;
};

/// The gRPC interface of the coordinator: service dtmgimp.Dtm (protocol page 03) with the standard
/// health and reflection services. GrpcApi only translates requests and answers.
///
/// A client's deadline ends only the client's waiting. Each shard has its own GrpcApi and uses it
/// alone. It must outlive the server's drain.
class CONCERTO_EXPORT GrpcApi {
 public:
  static constexpr std::string_view service = "dtmgimp.Dtm";

  /// The referenced objects must outlive the GrpcApi. `gate` is asked about each call of
  /// dtmgimp.Dtm and of reflection, and `random` is the shard's. Clients expect a coordinator with
  /// the wording of odd_wordings.hpp.
  GrpcApi(Executor executor, Coordinator& coordinator, const Gate& gate, RandomSource& random,
          const Clock& clock, const RouteTable& routes = RouteTable::standard(),
          GrpcApiOptions options = {});
  GrpcApi(const GrpcApi&) = delete;
  GrpcApi& operator=(const GrpcApi&) = delete;

  /// Adds the methods. From now on the health service answers SERVING.
  void register_on(GrpcServer& server);

  /// Sets the health service's answer for the server and for dtmgimp.Dtm. Call it with false when
  /// the process begins to stop.
  void set_serving(bool serving);
  /// Ends the watches of the health service, because they would delay the server's drain.
  void end_watches() { health_.close(); }

  /// Counts calls by the name of their method.
  const ApiProbe& probe() const noexcept { return probe_; }

 private:
  using TransOperation = Async<> (Coordinator::*)(TransRequest, RequestContext);
  using BranchOperation = Async<> (Coordinator::*)(BranchRequest, RequestContext);

  friend class RouteTable;  // It names the handlers of the routes.

  ApiProbe::Entry& entry(std::string_view method);
  std::optional<GrpcStatus> refuse_reflection(RouteRole role, const GrpcServerStream& stream) const;
  Task<GrpcReply> count(ApiProbe::Entry& entry, Task<GrpcReply> handled);
  void add(GrpcServer& server, const Route& route);
  bool is_recorded(const Route& route) const noexcept;
  Task<GrpcReply> refuse(const Route& route, const GrpcRequest& request,
                         const RequestContext& context, const Refusal& refusal) const;
  Task<GrpcReply> serve(const Route& route, GrpcRequest request, RequestContext context);
  Task<GrpcReply> new_gid(GrpcRequest request, RequestContext context);
  Task<GrpcReply> register_branch(BranchOperation operation, GrpcRequest request,
                                  RequestContext context);
  Task<GrpcReply> prepare_workflow(GrpcRequest request, RequestContext context);
  Task<GrpcReply> subscribe(GrpcRequest request, RequestContext context);
  Task<GrpcReply> unsubscribe(GrpcRequest request, RequestContext context);
  Task<GrpcReply> delete_topic(GrpcRequest request, RequestContext context);
  Task<GrpcReply> change(TransOperation operation, GrpcRequest request, RequestContext context);

  Coordinator& coordinator_;
  const Gate& gate_;
  RandomSource& random_;
  const Clock& clock_;
  const RouteTable& routes_;
  const GrpcApiOptions options_;
  ApiProbe probe_;
  GrpcHealth health_;
  GrpcReflection reflection_;
};

}  // namespace concerto::net
