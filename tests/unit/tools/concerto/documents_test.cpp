#include "documents.hpp"

#include <sstream>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace concerto::tools {
namespace {

std::string document(Form form, const json::value& value) {
  std::ostringstream out;
  write_document(out, form, value);
  return out.str();
}

json::value sample() {
  return json::object{{"gid", "g1"},
                      {"count", 3},
                      {"share", 0.25},
                      {"none", nullptr},
                      {"yes", true},
                      {"list", json::array{1, "two"}},
                      {"empty", json::array{}},
                      {"nothing", json::object{}}};
}

TEST(Documents, JsonIsIndentedAndReadBack) {
  const std::string text = document(Form::json, sample());
  EXPECT_EQ(text.substr(0, 16), "{\n  \"gid\": \"g1\",");
  EXPECT_EQ(json::parse(text), sample());
}

TEST(Documents, ALineOfJsonHasNoLineEnds) {
  EXPECT_EQ(json_line(json::object{{"a", json::array{1, 2}}, {"b", "x\ny"}}),
            R"({"a":[1,2],"b":"x\ny"})");
}

TEST(Documents, YamlKeepsTextsTexts) {
  for (const char* const text :
       {"123", "1.5", "true", "No", "null", "~", "", "2026-11-30", "a: b", "- a", "# a", "\"q\"",
        "it's", "tab\there", "line\nend", " a", "http://a/b", "0x1F", "\u4ea4\u6613"}) {
    const YAML::Node node = YAML::Load(document(Form::yaml, json::object{{"v", text}}));
    EXPECT_EQ(node["v"].as<std::string>(), text);
    EXPECT_EQ(node["v"].Tag(), "!") << text << ": it has no quotes";
  }
  const YAML::Node whole = YAML::Load(document(Form::yaml, sample()));
  EXPECT_EQ(whole["count"].as<int>(), 3);
  EXPECT_EQ(whole["list"][1].as<std::string>(), "two");
  EXPECT_TRUE(whole["none"].IsNull());
  EXPECT_TRUE(whole["empty"].IsSequence());
  EXPECT_TRUE(whole["nothing"].IsMap());
}

TEST(Documents, TerminalsAreNotObeyed) {
  const json::value value = json::object{{"v", "a\u009b2Jb\u202ec\x1b[2J"}};
  for (const Form form : {Form::json, Form::yaml}) {
    const std::string text = document(form, value);
    EXPECT_EQ(text.find("\u009b"), std::string::npos) << text;
    EXPECT_EQ(text.find("\u202e"), std::string::npos) << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  }
  EXPECT_EQ(json::parse(document(Form::json, value)), value);
  EXPECT_EQ(YAML::Load(document(Form::yaml, value))["v"].as<std::string>(),
            std::string(value.at("v").as_string()));
}

TEST(DocumentSequence, IsOneDocument) {
  for (const Form form : {Form::json, Form::yaml}) {
    for (const int count : {0, 1, 3}) {
      std::ostringstream out;
      DocumentSequence documents(out, form);
      for (int i = 0; i < count; ++i) documents.add(json::object{{"i", i}});
      documents.end();
      const YAML::Node read = YAML::Load(out.str());
      ASSERT_TRUE(read.IsSequence()) << out.str();
      EXPECT_EQ(read.size(), static_cast<std::size_t>(count)) << out.str();
      if (form == Form::json) {
        EXPECT_EQ(json::parse(out.str()).as_array().size(), static_cast<std::size_t>(count));
      }
    }
  }
}

}  // namespace
}  // namespace concerto::tools
