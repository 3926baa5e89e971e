// concerto archive: finished transactions as compressed lines of JSON

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <memory>
#include <unistd.h>
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/counted.hpp>
#include <concerto/base/utf8.hpp>

#include "selection.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct ArchiveOptions {
  ServerOptions server;
  Selection selection;
  std::string to;
};

Error file_error(const std::string& path, const char* deed) {
  return make_error(VerbErrc::failed, "'" + path + "': " + deed + ": " + std::strerror(errno));
}

/// A file of gzip that has its name only once it is complete and on the disk.
class ArchiveFile {
 public:
  explicit ArchiveFile(std::string path) : path_(std::move(path)), partial_(path_ + ".partial") {}
  ~ArchiveFile() {
    if (zipped_ != nullptr) gzclose(zipped_);
    if (descriptor_ >= 0) {
      ::close(descriptor_);
      ::unlink(partial_.c_str());
    }
  }
  ArchiveFile(const ArchiveFile&) = delete;
  ArchiveFile& operator=(const ArchiveFile&) = delete;

  Result<> create() {
    if (::access(path_.c_str(), F_OK) == 0) {
      return make_error(VerbErrc::refused, "'" + path_ + "' exists");
    }
    descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor_ < 0) return file_error(partial_, "cannot be made");
    const int own = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
    zipped_ = own < 0 ? nullptr : gzdopen(own, "wb");
    if (zipped_ == nullptr) return file_error(partial_, "cannot be written");
    return ok();
  }

  Result<> add(const std::string& line) {
    const auto size = static_cast<unsigned>(line.size());
    if (gzwrite(zipped_, line.data(), size) == static_cast<int>(size)) return ok();
    return file_error(partial_, "cannot be written");
  }

  Result<> end() {
    if (gzclose(std::exchange(zipped_, nullptr)) != Z_OK || ::fsync(descriptor_) != 0) {
      return file_error(partial_, "cannot be written");
    }
    // Unlike rename, this does not replace a file that somebody else has made meanwhile.
    if (::link(partial_.c_str(), path_.c_str()) != 0) return file_error(path_, "cannot be made");
    return sync_directory();
  }

 private:
  Result<> sync_directory() const {
    const std::string beside = std::filesystem::path(path_).parent_path().string();
    const std::string parent = beside.empty() ? "." : beside;
    const int directory = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = directory >= 0 && ::fsync(directory) == 0;
    if (!is_synced) return file_error(parent, "cannot be written");
    ::close(directory);
    return ok();
  }

  const std::string path_;
  const std::string partial_;
  int descriptor_ = -1;
  gzFile zipped_ = nullptr;
};

/// The list is read first, so that a slow disk does not hold it up.
Result<std::vector<std::string>> finished_gids(Server& server, Selection selection) {
  if (selection.status.empty()) selection.status = "succeed,failed";
  const bool is_final = selection.status == "succeed" || selection.status == "failed" ||
                        selection.status == "succeed,failed";
  if (!is_final || selection.stuck) {
    return make_error(VerbErrc::usage,
                      "only finished transactions are archived: --status succeed or failed");
  }
  CONCERTO_TRY(const Server::Query query, query_of(selection));
  std::vector<std::string> gids;
  CONCERTO_CHECK(
      walk(server, query, Walk{0, false, {}}, nullptr, [&gids](const json::object& transaction) {
        gids.push_back(text_member(transaction, "gid"));
      }));
  return gids;
}

/// Writes the transactions. Returns how many are no more there.
Result<std::size_t> write_lines(Server& server, const std::vector<std::string>& gids,
                                ArchiveFile& file, Progress* progress) {
  std::size_t gone = 0;
  for (const std::string& gid : gids) {
    CONCERTO_TRY(const json::value answer, server.get("/api/dtmsvr/query", {{"gid", gid}}));
    json::object line;
    line["transaction"] = object_member(object_of(answer), "transaction");
    line["branches"] = array_member(object_of(answer), "branches");
    if (progress != nullptr) progress->advance(1);
    if (object_member(object_of(answer), "transaction").empty()) {
      ++gone;
      continue;
    }
    CONCERTO_CHECK(file.add(json::serialize(line) + "\n"));
  }
  return gone;
}

int archive(const ArchiveOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  ArchiveFile file(options.to);
  const Result<> created = file.create();
  if (!created) return tell(created.error());
  const auto gids = finished_gids(**server, options.selection);
  if (!gids) return tell(gids.error());
  const bool shows_progress = ::isatty(STDERR_FILENO) != 0;
  Progress progress(std::cerr, shows_progress, (*server)->clock());
  if (shows_progress) progress.begin("transactions", gids->size());
  const auto gone = write_lines(**server, *gids, file, shows_progress ? &progress : nullptr);
  if (shows_progress) progress.interrupt();
  if (!gone) return tell(gone.error());
  const Result<> ended = file.end();
  if (!ended) return tell(ended.error());
  std::cout << visible_line(options.to) << ": " << counted(gids->size() - *gone, "transaction")
            << std::endl;
  if (*gone == 0) return 0;
  return tell(make_error(
      VerbErrc::failed,
      "the store has dropped " + counted(*gone, "transaction") + " since the list was read"));
}

}  // namespace

std::function<int()> add_archive(CLI::App& app) {
  auto options = std::make_shared<ArchiveOptions>();
  app.add_option("--to", options->to, "The new file, such as 2026-11.ndjson.gz")
      ->type_name("FILE")
      ->required();
  add_selection_options(app, options->selection);
  add_server_options(app, options->server);
  app.footer(
      "Each line is one finished transaction with its branches and payloads, as JSON; the newest "
      "is "
      "the first.\nNothing is removed from the store: FinishedDataExpire does that.\n"
      "Example: concerto archive --created-before 2026-12-01T00:00:00Z --to 2026-11.ndjson.gz");
  return [options] { return archive(*options); };
}

}  // namespace concerto::tools
