#include "verbs.hpp"

#include <array>

namespace concerto::tools {

std::span<const Verb> verbs() noexcept {
  static constexpr std::array table = {
      Verb{"list", "List transactions, and why they wait", add_list},
      Verb{"get", "Show one transaction with its branches", add_get},
      Verb{"watch", "Follow one transaction until it ends", add_watch},
      Verb{"why", "Say why one transaction is where it is", add_why},
      Verb{"count", "Count transactions in groups", add_count},
      Verb{"retry", "Try transactions now", add_retry},
      Verb{"stop", "End transactions as failed; their branches stay as they are", add_stop},
      Verb{"skip", "Take a branch of transactions for done", add_skip},
      Verb{"edit", "Change a branch's URL or payload", add_edit},
      Verb{"pause", "Call a target, a topic or a mode no more for a while", add_pause},
      Verb{"resume", "Call what is paused again", add_resume},
      Verb{"begin", "Let a coordinator work that was started paused", add_begin},
      Verb{"jobs", "Show or end the jobs of bulk actions", add_jobs},
      Verb{"topics", "Show or change topics", add_topics},
      Verb{"targets", "Show what waits for which service", add_targets},
      Verb{"top", "Show what a coordinator does now", add_top},
      Verb{"audit", "Show what operators have done", add_audit},
      Verb{"archive", "Write finished transactions to a compressed file", add_archive},
      Verb{"doctor", "Check whether a coordinator can be used", add_doctor},
      Verb{"bench", "Put load on a coordinator", add_bench},
      Verb{"migrate", "Copy transactions and topics from one store to another", add_migrate},
      Verb{"context", "Say how coordinators are reached", add_context},
      Verb{"completion", "Write what a shell needs to complete the command line", add_completion},
      Verb{"man", "Write man pages", add_man},
#ifdef CONCERTO_STORE_LEVELDB
      Verb{"backup", "Copy an embedded store, while its coordinator runs or is stopped",
           add_backup},
      Verb{"restore", "Make an embedded store of a backup", add_restore},
      Verb{"verify", "Check stores and backups, and change nothing", add_verify},
#endif
  };
  return table;
}

}  // namespace concerto::tools
