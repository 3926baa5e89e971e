#pragma once

#include <cstdint>
#include <string_view>

#include <boost/intrusive/list_hook.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "http2/header_block.hpp"
#include "http2/send_queue.hpp"

namespace concerto::net::http2 {

class Session;

/// One exchange on a connection. The session holds a reference from the stream's opening to
/// on_close. Events arrive inside Session::receive or Session::pull. They only note what happened:
/// waiting coroutines and callbacks run in on_round.
class Stream : public boost::intrusive_ref_counter<Stream, boost::thread_unsafe_counter>,
               public boost::intrusive::list_base_hook<> {
 public:
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  std::int32_t id() const noexcept { return id_; }
  bool is_open() const noexcept { return session_ != nullptr; }

  /// Called by SendRound, outside the session, after the stream was scheduled.
  virtual void on_round() = 0;

 protected:
  Stream() = default;

  /// A field of a header or trailer block.
  virtual void on_header(std::string_view name, std::string_view value) = 0;
  /// The block is larger than its limit: on_header is not called for the rest of the block.
  virtual void on_headers_too_large() = 0;
  /// The block is complete.
  virtual void on_headers_end() = 0;
  virtual void on_data(std::string_view bytes) = 0;
  /// The peer sends no more.
  virtual void on_end() = 0;
  /// Queued bytes were taken to be sent.
  virtual void on_sent() {}
  /// The last event. `error` is an HTTP/2 error code. `unprocessed`: it is certain, or the peer
  /// says, that the peer did not act on the stream.
  virtual void on_close(std::uint32_t error, bool unprocessed) = 0;
  /// Fills the trailers after the last queued byte; false if there are none.
  virtual bool add_trailers(HeaderBlock& block) = 0;

  Session* session() const noexcept { return session_; }
  bool headers_sent() const noexcept { return headers_sent_; }

  SendQueue out_;
  bool out_ended_ = false;  ///< nothing is added to out_ any more

 private:
  friend class Session;
  friend class SendRound;

  Session* session_ = nullptr;
  std::int32_t id_ = 0;
  bool deferred_ = false;   ///< nghttp2 waits for Session::resume
  bool scheduled_ = false;  ///< is in the SendRound's list
  bool headers_sent_ = false;
  bool remote_ended_ = false;  ///< the peer's END_STREAM has arrived
};

using StreamPtr = boost::intrusive_ptr<Stream>;

}  // namespace concerto::net::http2
