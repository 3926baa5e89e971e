#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// The header in which a GatedRouter gives the handler of a recorded action AuditRecord::id. What a
/// client sends there is removed.
inline constexpr std::string_view audit_id_header = "X-Concerto-Audit-Id";

/// One record of the audit log. An action leaves two: one before it and one after it. One that goes
/// on behind its answer, a job or a backup, leaves another one of Event::begun with the answer, and
/// one when it has ended. A refused attempt leaves one. Texts are as they came, whatever bytes they
/// have; who writes them makes them harmless.
struct AuditRecord {
  enum class Event : std::uint8_t {
    begun,    ///< written before the action. Without a record of the end nobody knows it.
    done,     ///< the action has changed what it was asked to change
    failed,   ///< the action has ended in an error
    refused,  ///< nothing was begun: the caller may not do this
  };

  Event event = Event::begun;
  std::string id;      ///< the records of one action share it
  std::string action;  ///< such as forceStop
  std::string caller;  ///< who; empty if nothing is known but `from`
  std::string from;    ///< the address of the peer; empty for actions on the machine itself
  std::string by;      ///< http, grpc, command or signal
  std::string gid;     ///< of the transaction; empty if the action is not about one
  std::string topic;   ///< the same for a topic
  /// Of the transactions, if the request names several. An action on a selection has none: which
  /// transactions it meets shows only while it is done.
  std::vector<std::string> gids;
  std::string details;  ///< what else was asked for
  std::string reason;   ///< why, in the caller's words
  std::string result;   ///< the error of a failed or refused action; what a done action said
  std::string trace;    ///< the trace that the request is a part of
};

/// Which records are wanted. An empty text stands for all.
struct AuditQuery {
  std::string gid;     ///< the record's own, or one of its gids
  std::string caller;  ///< the caller's name, or the address of a peer without its port
  std::string action;
  std::string position;  ///< next_position of the page before; empty: the newest records
  std::size_t limit = 100;
  /// Whether details and results of actions on the machine itself are told. They may have words of
  /// a database, and names of its server and its user.
  bool tells_local = false;
};

struct AuditPage {
  std::vector<std::string> records;  ///< JSON objects, newest first
  std::string next_position;         ///< empty: there are no older ones
};

/// Keeps the records of operators' actions. The gate of a front end has at most one, and every
/// route whose deed is RouteDeed::operates leaves its records there. Thread-safe; the coroutines
/// resume on the caller's shard.
class CONCERTO_EXPORT ActionAudit {
 public:
  virtual ~ActionAudit();

  /// An id for the records of a new action.
  virtual std::string next_id() = 0;
  /// Returns when the record is kept for good. After an error for a record of Event::begun the
  /// action is not begun.
  virtual Async<> write(AuditRecord record) = 0;
  /// Error invalid_request: the position is no position of this log.
  virtual Async<AuditPage> read(AuditQuery query) = 0;
};

}  // namespace concerto::net
