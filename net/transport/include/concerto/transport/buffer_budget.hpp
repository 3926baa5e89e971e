#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/intrusive/list.hpp>

#include <concerto/base/export.hpp>

namespace concerto::net {

/// The memory that a shard may use for requests that have arrived in part or were not read yet, and
/// for answers that clients do not read: bodies, messages, header blocks, waiting streams. HTTP and
/// gRPC share one budget.
///
/// When a connection exceeds its share, or all connections together exceed the budget, the
/// connections that hold the most give something up, the oldest first among equals. So a new
/// connection is not refused because others hold much. Strangers, of whom nobody knows yet that
/// they may send anything, have a small part of the budget among themselves, so they take nothing
/// from the others. Use the budget on the shard's thread alone.
class CONCERTO_EXPORT BufferBudget {
 public:
  struct Limits {
    std::size_t bytes_max = std::size_t{64} << 20;             ///< of all connections
    std::size_t connection_bytes_max = std::size_t{16} << 20;  ///< received on one
  };

  explicit BufferBudget(const Limits& limits) noexcept : limits_(limits) {}
  BufferBudget(const BufferBudget&) = delete;
  BufferBudget& operator=(const BufferBudget&) = delete;

  /// The part of a connection that holds memory.
  class Holder : public boost::intrusive::list_base_hook<> {
   public:
    /// `budget` must outlive the holder.
    explicit Holder(BufferBudget& budget);
    virtual ~Holder();
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    std::size_t held_bytes() const noexcept { return input_bytes_ + answer_bytes_; }
    std::size_t input_bytes() const noexcept { return input_bytes_; }
    bool is_stranger() const noexcept { return is_stranger_; }
    /// A new holder is no stranger.
    void set_stranger(bool is_stranger) noexcept;

    /// Received data that the holder keeps now has `to` bytes instead of `from`. This may call
    /// `shed` of this holder or of others.
    void change_input(std::size_t from, std::size_t to);
    /// The same for data of an answer. A connection's share does not limit answers: an answer that
    /// the client reads may be large.
    void change_answer(std::size_t from, std::size_t to);

   protected:
    /// Which data has to be given up.
    enum class Excess { share, budget };

    /// Gives up at least half of the data that is held, or of the input if only the share is
    /// exceeded, the largest first. Must not destroy a holder.
    virtual void shed(Excess excess) = 0;
    /// Call this when the connection is about to be closed: the data that it still holds no longer
    /// counts.
    void write_off() noexcept;

   private:
    friend class BufferBudget;

    void count(std::size_t& part, std::size_t from, std::size_t to) noexcept;
    std::size_t counted_bytes() const noexcept { return is_written_off_ ? 0 : held_bytes(); }

    BufferBudget& budget_;
    std::size_t input_bytes_ = 0;
    std::size_t answer_bytes_ = 0;
    bool is_written_off_ = false;
    bool is_stranger_ = false;
  };

  /// The part of the budget that strangers have.
  static constexpr std::size_t strangers_part = 8;

  /// Changes the limits from now on.
  void set_limits(const Limits& limits) { limits_ = limits; }

  std::size_t used_bytes() const noexcept { return used_bytes_; }
  /// How many times a holder had to give something up.
  std::uint64_t shed_count() const noexcept { return shed_count_; }

 private:
  void check_share(Holder& grown);
  void check_whole();
  enum class Among { all, strangers };
  void make_room(Among among);
  void shed(Holder& holder, Holder::Excess excess);

  Limits limits_;
  std::size_t used_bytes_ = 0;
  std::size_t stranger_bytes_ = 0;  ///< those of used_bytes_ that strangers hold
  std::uint64_t shed_count_ = 0;
  bool is_shedding_ = false;
  boost::intrusive::list<Holder> holders_;  ///< oldest first
};

}  // namespace concerto::net
