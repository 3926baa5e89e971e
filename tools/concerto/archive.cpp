// concerto archive: finished transactions as compressed lines of JSON

#include <algorithm>
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

Result<Server::Query> query_of_finished(Selection selection) {
  if (selection.status.empty()) selection.status = "succeed,failed";
  const bool is_final = selection.status == "succeed" || selection.status == "failed" ||
                        selection.status == "succeed,failed";
  if (!is_final || selection.stuck) {
    return make_error(VerbErrc::usage,
                      "only finished transactions are archived: --status succeed or failed");
  }
  return query_of(selection);
}

/// Reads a list page by page and writes its transactions. Neither the list nor more than `at_once`
/// transactions are in memory.
class Archive {
 public:
  Archive(Server& server, ArchiveFile& file, Progress* progress)
      : server_(server), file_(file), progress_(progress) {}

  Result<> write(const Server::Query& selected) {
    constexpr std::size_t page_size = 1'000;
    Walk page{page_size, false, {}};
    do {
      std::vector<Server::Query> queries;
      CONCERTO_TRY(page.position,
                   walk(server_, selected, page, nullptr, [&queries](const json::object& one) {
                     queries.push_back({{"gid", text_member(one, "gid")}});
                   }));
      for (std::size_t first = 0; first < queries.size(); first += at_once) {
        const auto begin = queries.begin() + static_cast<std::ptrdiff_t>(first);
        const std::size_t count = std::min(at_once, queries.size() - first);
        CONCERTO_CHECK(write_some({begin, begin + static_cast<std::ptrdiff_t>(count)}));
      }
    } while (!page.position.empty());
    return ok();
  }

  std::size_t written() const noexcept { return written_; }
  /// The store has dropped them since the list was read.
  std::size_t gone() const noexcept { return gone_; }

 private:
  static constexpr std::size_t at_once = 16;

  Result<> write_some(const std::vector<Server::Query>& queries) {
    for (const auto& answer : server_.get_all("/api/dtmsvr/query", queries)) {
      CONCERTO_TRY(const json::value found, answer);
      if (progress_ != nullptr) progress_->advance(1);
      json::object line;
      line["transaction"] = object_member(object_of(found), "transaction");
      line["branches"] = array_member(object_of(found), "branches");
      if (object_member(line, "transaction").empty()) {
        ++gone_;
        continue;
      }
      CONCERTO_CHECK(file_.add(json::serialize(line) + "\n"));
      ++written_;
    }
    return ok();
  }

  Server& server_;
  ArchiveFile& file_;
  Progress* const progress_;
  std::size_t written_ = 0, gone_ = 0;
};

int archive(const ArchiveOptions& options) {
  if (options.to == "-") {
    return tell(make_error(VerbErrc::usage, "--to: an archive is a file, not stdout"));
  }
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto selected = query_of_finished(options.selection);
  if (!selected) return tell(selected.error());
  ArchiveFile file(options.to);
  const Result<> created = file.create();
  if (!created) return tell(created.error());
  const bool shows_progress = ::isatty(STDERR_FILENO) != 0;
  Progress progress(std::cerr, shows_progress, (*server)->clock());
  if (shows_progress) progress.begin("transactions archived", 0);
  Archive written(**server, file, shows_progress ? &progress : nullptr);
  const Result<> done = written.write(*selected);
  if (shows_progress) progress.interrupt();
  if (!done) return tell(done.error());
  const Result<> ended = file.end();
  if (!ended) return tell(ended.error());
  std::cout << visible_line(options.to) << ": " << counted(written.written(), "transaction")
            << std::endl;
  if (written.gone() == 0) return 0;
  return tell(make_error(VerbErrc::failed, "the store has dropped " +
                                               counted(written.gone(), "transaction") +
                                               " since the list was read"));
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
