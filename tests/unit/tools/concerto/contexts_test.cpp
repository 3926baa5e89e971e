#include "contexts.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "server_options.hpp"
#include "temp_dir.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

class ContextsTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return dir_.path() + "/" + name; }

  void write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path(name)) << text;
    ASSERT_EQ(::chmod(path(name).c_str(), mode), 0);
  }

  /// What is chosen with these variables of the environment.
  Result<ServerPlace> choose(const ServerOptions& options) {
    return choose_server(options, contexts_, [this](const char* name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::string() : found->second;
    });
  }

  const test::TempDir dir_;
  Contexts contexts_;
  std::map<std::string, std::string> environment_;
};

Context prod() {
  return {"prod", "https://dtm.b.org:36789", "/ca", "", "", "dtm", "", ""};
}

TEST_F(ContextsTest, AreReadBackAsTheyWereSaved) {
  contexts_.current = "prod";
  contexts_.all = {prod(), {"it's: \"odd\"", "http://localhost:1", "", "", "", "", "/t", ""}};
  ASSERT_TRUE(save_contexts(contexts_, path("deep/er/config.yml")));
  const auto read = load_contexts(path("deep/er/config.yml"));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->current, "prod");
  EXPECT_EQ(read->all, contexts_.all);
  struct stat found {};
  ASSERT_EQ(::stat(path("deep/er/config.yml").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  // Nothing else is left there.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("deep/er")), {}), 1);
}

TEST_F(ContextsTest, NoFileIsNoContext) {
  const auto read = load_contexts(path("none.yml"));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->all.empty());
}

TEST_F(ContextsTest, AreNotReadIfOthersMayReadOrWrite) {
  for (const mode_t mode : {0644U, 0640U, 0604U, 0620U, 0602U, 0610U}) {
    write("config.yml", to_yaml(contexts_), mode);
    const auto read = load_contexts(path("config.yml"));
    ASSERT_FALSE(read) << mode;
    EXPECT_NE(read.error().detail.find("chmod 600"), std::string::npos);
    EXPECT_EQ(exit_code_of(read.error()), exit_usage);
  }
  write("config.yml", to_yaml(contexts_), 0400);
  EXPECT_TRUE(load_contexts(path("config.yml")));
}

TEST_F(ContextsTest, MistakesAreNamed) {
  const std::pair<const char*, const char*> rows[] = {
      {"[1]", "no map"},
      {"contexts: 5", "no list"},
      {"contexts: [{server: 'http://a'}]", "no name"},
      {"contexts: [{name: a}]", "no server"},
      {"contexts: [{name: a, server: b, token: secret}]", "token-file"},
      {"contexts: [{name: a, server: b}, {name: a, server: b}]", "two contexts 'a'"},
      {"current: x", "no context 'x'"},
      {"colour: x", "unknown key 'colour'"},
      {"a: [", "line"}};
  for (const auto& [text, named] : rows) {
    const auto read = parse_contexts(text);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().detail.find(named), std::string::npos) << read.error().detail;
  }
  EXPECT_EQ(parse_contexts("contexts: [{name: a, server: b, token: secret}]")
                .error()
                .detail.find("secret"),
            std::string::npos);
}

TEST_F(ContextsTest, OptionsComeBeforeTheEnvironmentAndThatBeforeTheCurrentContext) {
  ServerOptions options;
  EXPECT_EQ(choose(options)->url, "http://localhost:36789");
  contexts_.all = {prod(), {"test", "http://test:1", "", "", "", "", "", ""}};
  contexts_.current = "prod";
  EXPECT_EQ(choose(options)->url, "https://dtm.b.org:36789");
  EXPECT_EQ(choose(options)->server_name, "dtm");
  environment_["CONCERTO_CONTEXT"] = "test";
  EXPECT_EQ(choose(options)->url, "http://test:1");
  environment_["CONCERTO_SERVER"] = "http://env:1/";
  EXPECT_EQ(choose(options)->url, "http://env:1");
  options.given.name = "prod";
  EXPECT_EQ(choose(options)->url, "https://dtm.b.org:36789");
  options.given.name.clear();
  options.given.server = "http://given:1";
  EXPECT_EQ(choose(options)->url, "http://given:1");
  options.given = {};
  options.given.name = "nobody";
  EXPECT_EQ(exit_code_of(choose(options).error()), exit_not_found);
}

TEST_F(ContextsTest, ATokenGoesToTheCoordinatorOfItsContextAlone) {
  write("token", "abc\n");
  contexts_.all = {{"here", "http://here:1", "", "", "", "", path("token"), ""}};
  contexts_.current = "here";
  ServerOptions options;
  EXPECT_EQ(choose(options)->token, "abc");
  options.given.server = "http://elsewhere:1";
  EXPECT_EQ(choose(options)->token, "");
  environment_["CONCERTO_TOKEN"] = "def";
  EXPECT_EQ(choose(options)->token, "def");
  options.given = {};
  EXPECT_EQ(choose(options)->token, "abc");
}

TEST_F(ContextsTest, TokensThatAreNoneAreRefused) {
  ServerOptions options;
  options.given.token_file = path("token");
  EXPECT_FALSE(choose(options));
  for (const char* const text : {"", "\n", "two words", "line\nend", "\x01"}) {
    write("token", text);
    const auto place = choose(options);
    ASSERT_FALSE(place) << text;
    EXPECT_EQ(exit_code_of(place.error()), exit_usage);
  }
  write("token", "abc", 0644);
  EXPECT_NE(choose(options).error().detail.find("0644"), std::string::npos);
}

TEST_F(ContextsTest, ServersThatCannotBeAreRefused) {
  ServerOptions options;
  for (const char* const url : {"localhost:36789", "ftp://a", "http://user:secret@a",
                                "http://a/?b=c", "http://a b", "http://"}) {
    options.given.server = url;
    const auto place = choose(options);
    ASSERT_FALSE(place) << url;
    EXPECT_EQ(place.error().detail.find("secret"), std::string::npos) << place.error().detail;
  }
  options.given.server = "http://a";
  options.given.ca = "/ca";
  EXPECT_FALSE(choose(options));
  options.given.server = "https://a";
  EXPECT_TRUE(choose(options));
  options.given.cert = "/cert";
  EXPECT_FALSE(choose(options));
}

}  // namespace
}  // namespace concerto::tools
