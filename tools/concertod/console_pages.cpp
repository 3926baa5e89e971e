#include "console_pages.hpp"

#include <algorithm>
#include <zlib.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/engine/mode.hpp>

#include "console_files.hpp"

namespace concerto::tools {
namespace {

constexpr net::RouteNeeds for_operators{net::RouteDeed::reads, net::RouteRole::anyone,
                                        net::RouteBrowser::any_page, "admin", true};

/// Scripts, styles and requests are the server's own, nothing runs that a text brings in, and no
/// other page has this one in a frame.
constexpr std::string_view console_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

/// Where the built page has AdminBasePath (tools/console/vite.config.ts).
constexpr std::string_view base_place = "/CONCERTO-BASE";

std::string with_base(std::string_view page, std::string_view base) {
  std::string text{page};
  for (std::size_t at = text.find(base_place); at != text.npos;
       at = text.find(base_place, at + base.size())) {
    text.replace(at, base_place.size(), base);
  }
  return text;
}

/// `text` in the format of gzip (RFC 1952).
std::string gzip(std::string_view text) {
  constexpr int gzip_window_bits = 15 + 16;
  constexpr int memory_level = 9;
  z_stream stream{};
  CONCERTO_ASSERT(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window_bits,
                               memory_level, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  // zlib reads these bytes alone, and asks for a pointer to bytes that can be written.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  CONCERTO_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

net::HttpResponse console_part(std::string_view content_type, std::string body) {
  net::HttpResponse response;
  response.content_type = content_type;
  response.headers.add("Cache-Control", "no-cache");
  response.headers.add("Content-Security-Policy", console_policy);
  response.headers.add("X-Frame-Options", "DENY");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Referrer-Policy", "same-origin");
  response.headers.add("Cross-Origin-Resource-Policy", "same-origin");
  response.body = std::move(body);
  return response;
}

net::HttpResponse plain_part(std::string_view content_type, std::string body) {
  net::HttpResponse response = console_part(content_type, std::move(body));
  response.headers.add("Vary", "Accept-Encoding");
  return response;
}

net::HttpResponse packed_part(std::string_view content_type, std::string_view body) {
  net::HttpResponse response = plain_part(content_type, gzip(body));
  response.headers.add("Content-Encoding", "gzip");
  return response;
}

/// Whether the client accepts gzip: browsers name it without a weight. Whoever writes it in another
/// way gets what has no coding, which is right for everybody.
bool accepts_gzip(const net::HttpRequest& request) {
  std::string_view codings = request.headers.find("Accept-Encoding").value_or("");
  while (!codings.empty()) {
    const std::string_view coding = codings.substr(0, codings.find(','));
    codings.remove_prefix(std::min(coding.size() + 1, codings.size()));
    if (net::equals_ignoring_case(net::trim_blanks(coding), "gzip")) return true;
  }
  return false;
}

Task<net::HttpResponse> answer_with_part(net::HttpResponse answer) {
  co_return answer;
}

constexpr std::string_view html = "text/html; charset=utf-8";
constexpr std::string_view javascript = "text/javascript; charset=utf-8";
constexpr std::string_view css = "text/css; charset=utf-8";
constexpr std::string_view svg = "image/svg+xml";

}  // namespace

ConsolePages::ConsolePages(std::string base, std::function<std::string()> node)
    : base_(std::move(base)),
      node_(std::move(node)),
      page_{plain_part(html, with_base(console_page, base_)),
            packed_part(html, with_base(console_page, base_))},
      script_{plain_part(javascript, std::string{console_script}),
              packed_part(javascript, console_script)},
      style_{plain_part(css, std::string{console_style}), packed_part(css, console_style)},
      icon_{plain_part(svg, std::string{console_icon}), packed_part(svg, console_icon)} {}

// The page (protocol page 02, section 11) has no data. The requests that it makes have their own
// needs.
void ConsolePages::register_on(net::GatedRouter& router) const {
  const net::RouteHandler handler = [this, &gate = router.gate()](const net::HttpRequest& request,
                                                                  const RequestContext& context) {
    if (request.path == base_ + "/admin/console.json") {
      return answer_with_part(facts(gate, request, context));
    }
    return answer_with_part(find(request));
  };
  router.add("GET", base_ + "/", for_operators, handler);
  router.add_prefix("GET", base_ + "/admin/", for_operators, handler);
}

const net::HttpResponse& ConsolePages::find(const net::HttpRequest& request) const {
  const File* file = &page_;
  if (request.path == base_ + "/admin/page.js") file = &script_;
  if (request.path == base_ + "/admin/page.css") file = &style_;
  if (request.path == base_ + "/admin/icon.svg") file = &icon_;
  return accepts_gzip(request) ? file->packed : file->plain;
}

/// What the page has to know: the modes to choose from, who this coordinator is, and whether to
/// show what a viewer or an operator may do. The server asks each request itself.
net::HttpResponse ConsolePages::facts(const net::Gate& gate, const net::HttpRequest& request,
                                      const RequestContext& context) const {
  boost::json::array modes;
  for (const Mode* mode : ModeTable::standard().all()) modes.emplace_back(mode->name);
  boost::json::object body;
  body["modes"] = std::move(modes);
  const bool is_viewer = gate.is_from(net::RouteRole::viewers, context, request);
  const std::string node = node_ && is_viewer ? node_() : std::string();
  if (!node.empty()) body["node"] = node;
  body["viewer"] = is_viewer;
  body["operator"] = gate.is_from(net::RouteRole::operators, context, request);
  return console_part(net::json_content_type, boost::json::serialize(body));
}

}  // namespace concerto::tools
