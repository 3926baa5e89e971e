#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/intrusive/list.hpp>

namespace concerto::net {

/// Memory for what the clients of a shard have sent and nobody has taken yet, and for answers that
/// they do not take: bodies, messages, header blocks, streams that wait. HTTP and gRPC share one.
///
/// When a connection exceeds its share, or all of them together what there is, those that hold most
/// give something up, the oldest first among equals: newcomers are not refused in place of
/// holders. Everything on the shard's thread.
class BufferBudget {
 public:
  struct Limits {
    std::size_t bytes_max = std::size_t{64} << 20;             ///< of all connections
    std::size_t connection_bytes_max = std::size_t{16} << 20;  ///< received on one
  };

  explicit BufferBudget(const Limits& limits) noexcept : limits_(limits) {}
  BufferBudget(const BufferBudget&) = delete;
  BufferBudget& operator=(const BufferBudget&) = delete;

  /// A connection that holds memory.
  class Holder : public boost::intrusive::list_base_hook<> {
   public:
    /// `budget` must outlive the holder.
    explicit Holder(BufferBudget& budget);
    virtual ~Holder();
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    std::size_t held_bytes() const noexcept { return input_bytes_ + answer_bytes_; }
    std::size_t input_bytes() const noexcept { return input_bytes_; }

    /// Something that was received and is held has now `to` bytes instead of `from`. May shed, here
    /// or elsewhere.
    void change_input(std::size_t from, std::size_t to);
    /// The same of an answer. The share of a connection does not bound it: one that is being taken
    /// may be large.
    void change_answer(std::size_t from, std::size_t to);

   protected:
    /// What has to be given up.
    enum class Excess { share, budget };

    /// Gives up at least half of what is held, or of the input if only the share is exceeded, the
    /// largest first. Must not destroy a holder.
    virtual void shed(Excess excess) = 0;
    /// The connection is about to be closed: what it still holds counts no more.
    void write_off() noexcept;

   private:
    friend class BufferBudget;

    void count(std::size_t& part, std::size_t from, std::size_t to) noexcept;

    BufferBudget& budget_;
    std::size_t input_bytes_ = 0;
    std::size_t answer_bytes_ = 0;
    bool is_written_off_ = false;
  };

  /// From now on.
  void set_limits(const Limits& limits) { limits_ = limits; }

  std::size_t used_bytes() const noexcept { return used_bytes_; }
  /// How often a holder had to give something up.
  std::uint64_t shed_count() const noexcept { return shed_count_; }

 private:
  void check_share(Holder& grown);
  void check_whole();
  void make_room();
  void shed(Holder& holder, Holder::Excess excess);

  Limits limits_;
  std::size_t used_bytes_ = 0;
  std::uint64_t shed_count_ = 0;
  bool is_shedding_ = false;
  boost::intrusive::list<Holder> holders_;  ///< oldest first
};

}  // namespace concerto::net
