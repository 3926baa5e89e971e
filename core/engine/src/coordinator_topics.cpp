#include <concerto/engine/coordinator.hpp>

#include "engine.hpp"
#include "on_engine.hpp"
#include "operator_log.hpp"
#include "topics.hpp"

namespace concerto {
namespace {

std::string about_topic(std::string_view deed, std::string_view topic) {
  return std::string(deed).append(" topic '").append(cut_name(topic)).append("'");
}

}  // namespace

/// A change of topics, on the first shard.
Async<> Coordinator::bound(RequestContext context, Async<> change) {
  Engine& first = *engines_.front();
  return on_engine(first, first.patience().bound(Gid(), Patience::Deed::changes, context.deadline,
                                                 std::move(change)));
}

Async<> Coordinator::subscribe(std::string topic, std::string url, std::string remark,
                               RequestContext context) {
  const Use use(*engines_.front());
  std::string what = about_topic("subscribe to", topic);
  Result<> done = co_await bound(
      context, topics_->subscribe(std::move(topic), std::move(url), std::move(remark)));
  co_await tell_all(std::move(what), context, done);
  if (done) ignore_error(co_await read_pauses(), "the next change or poll reads them again");
  co_return done;
}

Async<> Coordinator::unsubscribe(std::string topic, std::string url, RequestContext context) {
  const Use use(*engines_.front());
  std::string what = about_topic("unsubscribe from", topic);
  Result<> done = co_await bound(context, topics_->unsubscribe(std::move(topic), std::move(url)));
  co_await tell_all(std::move(what), context, done);
  if (done) ignore_error(co_await read_pauses(), "the next change or poll reads them again");
  co_return done;
}

Async<> Coordinator::delete_topic(std::string topic, RequestContext context) {
  const Use use(*engines_.front());
  std::string what = about_topic("delete", topic);
  Result<> done = co_await bound(context, topics_->remove(std::move(topic)));
  co_await tell_all(std::move(what), context, done);
  if (done) ignore_error(co_await read_pauses(), "the next change or poll reads them again");
  co_return done;
}

}  // namespace concerto
