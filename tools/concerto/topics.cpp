// concerto topics list|subscribe|unsubscribe|delete

#include <algorithm>
#include <iostream>
#include <memory>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include <concerto/base/masked_url.hpp>
#include <concerto/base/utf8.hpp>
#include <concerto/protocol/odd_wordings.hpp>
#include <concerto/transport/percent.hpp>

#include "json_members.hpp"
#include "server.hpp"
#include "table.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct TopicsOptions {
  ServerOptions server;
  std::string topic, url, remark, reason;
};

/// A topic with its subscribers, which the coordinator keeps as a text.
json::object topic_from(const json::object& record) {
  error_code failed;
  json::value subscribers = json::parse(text_member(record, "v"), failed);
  if (failed || !subscribers.is_array()) subscribers = json::array();
  return {{"topic", text_member(record, "k")},
          {"version", count_member(record, "version")},
          {"subscribers", std::move(subscribers)}};
}

Result<json::array> read_topics(Server& server) {
  json::array topics;
  std::string position;
  for (;;) {
    Server::Query query{{"cat", "topics"}, {"limit", "100"}};
    if (!position.empty()) query.emplace_back("position", position);
    CONCERTO_TRY(const json::value page, server.get("/api/dtmsvr/scanKV", query));
    for (const json::value& record : array_member(object_of(page), "kv")) {
      topics.push_back(topic_from(object_of(record)));
    }
    std::string next = text_member(object_of(page), "next_position");
    if (next.empty() || next == position) return topics;
    position = std::move(next);
  }
}

void print_topics(const json::array& topics) {
  Table table({{"TOPIC", false, false}, {"SUBSCRIBER", false, true}, {"REMARK", false, true}});
  for (const json::value& one : topics) {
    const json::object& topic = object_of(one);
    const json::array& subscribers = array_member(topic, "subscribers");
    if (subscribers.empty()) table.add({text_member(topic, "topic"), "", ""});
    for (const json::value& subscriber : subscribers) {
      table.add({text_member(topic, "topic"), text_member(object_of(subscriber), "url"),
                 text_member(object_of(subscriber), "remark")});
    }
  }
  if (table.size() > 0) {
    table.print(std::cout, Terminal::of(STDOUT_FILENO));
  } else {
    std::cerr << "no topic" << std::endl;
  }
}

int list_topics(const TopicsOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto topics = read_topics(**server);
  if (!topics) return tell(topics.error());
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, json::value(*topics));
  } else {
    print_topics(*topics);
  }
  return 0;
}

/// The coordinator refuses in the words of the reference, with its status 500, which as such says
/// that nobody knows what has happened. All of these change nothing.
Error in_words(const Error& refusal, const TopicsOptions& options) {
  const auto says = [&refusal](std::string_view text) {
    return refusal.detail.find(text) != std::string::npos;
  };
  const std::string topic = "topic '" + visible_line(options.topic) + "'";
  const std::string url = visible_line(masked_url(options.url));
  if (says("storage: NotFound") || says(net::odd_wordings.no_such_topic)) {
    return make_error(VerbErrc::not_found, "there is no " + topic);
  }
  if (says("this url exists")) {
    return make_error(VerbErrc::refused,
                      topic + " has the subscriber " + url + " already; nothing was changed");
  }
  if (says("this topic is empty")) {
    return make_error(VerbErrc::not_found, topic + " has no subscriber, and so not " + url);
  }
  if (says(net::odd_wordings.no_such_url)) {
    const bool is_masked = options.url.find("***") != std::string::npos;
    return make_error(VerbErrc::not_found,
                      topic + " has no subscriber " + url +
                          (is_masked ? ", or several that are shown so: name it as it is" : ""));
  }
  constexpr std::string_view others[] = {"empty topic",
                                         "empty url",
                                         "bad url",
                                         "HTTP 500: url: ",
                                         "HTTP 500: url has ",
                                         "HTTP 500: remark has ",
                                         "HTTP 500: topic has ",
                                         "HTTP 500: the list of subscribers has "};
  const bool is_bad = std::ranges::any_of(others, says);
  return is_bad ? make_error(VerbErrc::refused, refusal.detail) : refusal;
}

int change_topic(const TopicsOptions& options, std::string_view method, std::string path,
                 const Server::Query& query) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto answer = (*server)->change(method, path, query, options.reason);
  if (!answer) return tell(in_words(answer.error(), options));
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, *answer);
  } else {
    std::cout << "done" << std::endl;
  }
  return 0;
}

int run_topics(const TopicsOptions& options, std::string_view what) {
  if (what == "subscribe") {
    return change_topic(
        options, "POST", "/api/dtmsvr/subscribe",
        {{"topic", options.topic}, {"url", options.url}, {"remark", options.remark}});
  }
  if (what == "unsubscribe") {
    return change_topic(options, "POST", "/api/dtmsvr/unsubscribe",
                        {{"topic", options.topic}, {"url", options.url}});
  }
  if (what == "delete") {
    std::string path = "/api/dtmsvr/topic/";
    for (const char c : options.topic) {
      const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                            std::string_view("-._~").find(c) != std::string_view::npos;
      if (is_plain) {
        path += c;
      } else {
        net::append_escape(path, c);
      }
    }
    return change_topic(options, "DELETE", path, {});
  }
  return list_topics(options);
}

}  // namespace

std::function<int()> add_topics(CLI::App& app) {
  auto options = std::make_shared<TopicsOptions>();
  app.require_subcommand(1);
  const auto add = [&](const char* name, const char* help, bool changes, bool has_url) {
    CLI::App* const verb = app.add_subcommand(name, help);
    if (changes) {
      verb->add_option("topic", options->topic, "The topic")->type_name("TOPIC")->required();
    }
    if (has_url) {
      verb->add_option("url", options->url, "The subscriber's URL")->type_name("URL")->required();
    }
    if (changes) {
      verb->add_option("--reason", options->reason, "Why, for the audit log")->type_name("TEXT");
    }
    return verb;
  };
  CLI::App* const verbs[] = {
      add("list", "Show topics and their subscribers", false, false),
      add("subscribe", "Add a subscriber to a topic", true, true),
      add("unsubscribe", "Remove a subscriber from a topic", true, true),
      add("delete", "Delete a topic", true, false),
  };
  verbs[1]->add_option("--remark", options->remark, "What the subscriber is")->type_name("TEXT");
  for (CLI::App* const verb : verbs) {
    add_form_option(*verb, options->server.form);
    add_server_options(*verb, options->server);
  }
  return
      [options, &app] { return run_topics(*options, app.get_subcommands().front()->get_name()); };
}

}  // namespace concerto::tools
