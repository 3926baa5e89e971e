#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <concerto/base/export.hpp>
#include <concerto/engine/bulk_actions.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

struct ActionBody;

/// The requests of operators about many transactions (docs/operations.md, "Many at once"):
/// /api/concerto/count, retry, stop, skip, edit, jobs, cancelJob, pauses, pause and resume. Each
/// shard has its own.
class CONCERTO_EXPORT OperatorApi {
 public:
  /// `bulk` may be null: then a request that needs it is answered with 501. The references outlive
  /// the OperatorApi.
  OperatorApi(Coordinator& coordinator, BulkActions* bulk, const Clock& clock,
              std::chrono::minutes zone_offset)
      : coordinator_(coordinator), bulk_(bulk), clock_(clock), zone_offset_(zone_offset) {}

  Task<HttpResponse> count(HttpRequest request, RequestContext context);
  Task<HttpResponse> damaged(HttpRequest request, RequestContext context);
  Task<HttpResponse> retry(HttpRequest request, RequestContext context);
  Task<HttpResponse> stop(HttpRequest request, RequestContext context);
  Task<HttpResponse> skip(HttpRequest request, RequestContext context);
  Task<HttpResponse> edit(HttpRequest request, RequestContext context);
  Task<HttpResponse> jobs(HttpRequest request, RequestContext context);
  Task<HttpResponse> cancel_job(HttpRequest request, RequestContext context);
  Task<HttpResponse> pauses(HttpRequest request, RequestContext context);
  Task<HttpResponse> pause(HttpRequest request, RequestContext context);
  Task<HttpResponse> resume(HttpRequest request, RequestContext context);

 private:
  Task<HttpResponse> act(BulkAction action, HttpRequest request, RequestContext context);
  Task<HeldUp> held_up_for(BulkAction action);
  Async<bool> act_on(Gid gid, const BulkRequest& request, RequestContext context,
                     const HeldUp& is_held);
  Task<HttpResponse> preview(BulkRequest request);
  Task<HttpResponse> preview_some(ActionBody body);
  Task<HttpResponse> begin(BulkRequest request, RequestContext context, std::string audit_id);
  Task<HttpResponse> act_on_some(std::vector<Gid> gids, BulkRequest request,
                                 RequestContext context);
  Task<HttpResponse> preview_pause(Pause pause, bool is_paused);

  Coordinator& coordinator_;
  BulkActions* const bulk_;
  const Clock& clock_;
  const std::chrono::minutes zone_offset_;
};

}  // namespace concerto::net
