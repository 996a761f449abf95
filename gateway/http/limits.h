// The bounds in space and time that a server enforces, with their defaults.
#pragma once

#include <chrono>
#include <cstddef>

namespace flora::http {

/// Bounds of what one client can make the server hold. Beyond: the status in brackets.
struct Limits {
  std::size_t request_line = 8u << 10;  ///< Bytes (414).
  std::size_t head = 32u << 10;         ///< Bytes of request line and fields together (431).
  std::size_t fields = 100;             ///< Header fields (431).
  std::size_t chunk_line = 1024;        ///< Bytes of a chunk size with its extensions (400).
  std::size_t trailers = 8u << 10;      ///< Bytes of the trailer section (400).
  std::size_t pipeline = 16;            ///< Safe requests under way on one connection.
  std::size_t read_ahead = 16u << 10;   ///< Bytes kept of requests that wait for their turn.
  std::size_t output = 256u << 10;      ///< Bytes waiting for the client: back-pressure above.
  std::size_t discard = 64u << 10;      ///< A refused body up to this size is read and dropped.
  /// Bytes of all bodies that are being collected or handled, and of those of one account (503).
  std::size_t buffered_bodies = 512u << 20;
  std::size_t buffered_bodies_of_one = 128u << 20;
  std::size_t buffered_answers =
      256u << 20;  ///< Bytes of all answers that wait for their clients; above, those whose clients
                   ///< have taken nothing for the longest time are broken off.
  std::size_t connections = 10'000;  ///< Of one listener; above, idle ones are closed, else 503.
  std::size_t connections_per_address = 1024;  ///< Per IPv4 address or IPv6 /64; 0: no limit.
};

/// How long a connection may stay in each of its states.
struct Deadlines {
  using ms = std::chrono::milliseconds;
  ms handshake{10'000};  ///< TLS, from accept; then closed.
  ms head{10'000};       ///< From the first byte (or accept) to the end of the head; then 408.
  ms body{60'000};       ///< A whole body; then 408.
  ms stream{
      60'000};  ///< A streamed body must bring `stream_progress` bytes in this time; then 408.
  ms handling{60'000};  ///< Until the answer begins; then 504.
  ms write{30'000};     ///< The client must take `write_progress` bytes in this time; then closed.
  ms idle{75'000};      ///< Between requests; then closed.
  ms linger{2'000};     ///< Reading on after the last answer, so that the client receives it.
  std::size_t stream_progress = 64;
  std::size_t write_progress = 4096;
};

}  // namespace flora::http
